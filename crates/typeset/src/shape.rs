//! From a line of text to placed glyphs.

use std::sync::Arc;

use harfrust::{Feature, GlyphBuffer, ShapeOptions, Tag, UnicodeBuffer};
use smol_str::SmolStr;
use tresen_scene::{Color, FaceId, Glyph, Op, PlacedGlyph, Point, TextRun, limits::RUN_GLYPHS};

use crate::face::{Face, Fonts};
use crate::{Scale, TextStyle, limits};

/// A line of text, ready to be drawn anywhere in any colour.
#[derive(Clone, Debug)]
pub struct Shaped {
    face: FaceId,
    glyphs: Arc<[PlacedGlyph]>,
    width_64: i32,
    ascent: i32,
    descent: i32,
    cap_height: i32,
}

impl Shaped {
    /// Its width in pixels, rounded up.
    pub const fn width(&self) -> i32 {
        (self.width_64 + 63) >> 6
    }

    /// Height above the baseline that its face claims, in pixels.
    pub const fn ascent(&self) -> i32 {
        self.ascent
    }

    /// Depth below the baseline that its face claims, in pixels.
    pub const fn descent(&self) -> i32 {
        self.descent
    }

    /// Height of a capital letter, in pixels: what the eye centres.
    pub const fn cap_height(&self) -> i32 {
        self.cap_height
    }

    /// Whether it draws no glyph.
    pub fn is_empty(&self) -> bool {
        self.glyphs.is_empty()
    }

    /// The text it draws.
    pub fn text(&self) -> String {
        self.glyphs.iter().map(|placed| placed.glyph.text()).collect()
    }

    /// Draws it with its first pen on `baseline`.
    pub fn draw(&self, baseline: Point, color: Color) -> Op {
        Op::Text(TextRun { baseline, color, face: self.face, glyphs: self.glyphs.clone() })
    }

    /// The baseline that centres its capitals in a line of `height` pixels whose top is at `top`.
    pub const fn centred(&self, top: i32, height: i32) -> i32 {
        top + (height + self.cap_height + 1) / 2
    }
}

/// What names a glyph of a typesetter.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct GlyphKey {
    pub(crate) bank: FaceId,
    pub(crate) face: Face,
    pub(crate) size_100: u32,
    pub(crate) glyph: u16,
    pub(crate) advance_64: i32,
    pub(crate) text: SmolStr,
}

/// Shapes one line; `rasterise` gives the glyph for a key.
pub(crate) fn shape(
    fonts: &Fonts,
    text: &str,
    style: TextStyle,
    scale: Scale,
    rasterise: &mut dyn FnMut(GlyphKey) -> Arc<Glyph>,
) -> Shaped {
    let size_100 = style.size_100(scale);
    let bank = style.face_id();
    let mut glyphs = Vec::new();
    let mut kern_64 = 0;
    let mut width_64 = 0;
    for (face, part) in by_font(fonts, cut(text), style.face) {
        let font = fonts.get(face);
        let to_64 = |units: i64| scaled_64(units, size_100, font.units_per_em);
        let shaped = shape_part(fonts, face, part);
        let advances = font.outlines.glyph_metrics(&[]);
        let (infos, positions) = (shaped.glyph_infos(), shaped.glyph_positions());
        for (index, (info, position)) in infos.iter().zip(positions).enumerate() {
            if glyphs.len() == RUN_GLYPHS {
                break;
            }
            let glyph = info.glyph_id as u16;
            let own = advances.advance_width(glyph) as i64;
            let offset_64 = to_64(i64::from(position.x_offset));
            let key = GlyphKey {
                bank,
                face,
                size_100,
                glyph,
                advance_64: to_64(own),
                text: SmolStr::new(cluster(part, infos, index)),
            };
            width_64 += to_64(i64::from(position.x_advance) - own) + key.advance_64;
            glyphs.push(PlacedGlyph { kern_64: kern_64 + offset_64, glyph: rasterise(key) });
            kern_64 = to_64(i64::from(position.x_advance) - own) - offset_64;
        }
    }
    let font = fonts.get(style.face);
    let px = |units: i64| (scaled_64(units, size_100, font.units_per_em) + 32) >> 6;
    Shaped {
        face: bank,
        glyphs: glyphs.into(),
        width_64,
        ascent: px(font.metrics.ascent),
        descent: px(font.metrics.descent),
        cap_height: px(font.metrics.cap_height),
    }
}

/// Font units in 1/64 px, rounded to nearest.
fn scaled_64(units: i64, size_100: u32, units_per_em: i64) -> i32 {
    let (product, by) = (units * i64::from(size_100) * 64, units_per_em * 100);
    (product + by / 2).div_euclid(by) as i32
}

/// `text` within its limit, without what can't stand on a line.
fn cut(text: &str) -> &str {
    let line = if text.len() <= limits::TEXT_BYTES {
        text
    } else {
        let ends = text.char_indices().map(|(at, _)| at).take_while(|at| *at <= limits::TEXT_BYTES);
        &text[..ends.last().unwrap_or(0)]
    };
    line.split(['\n', '\r']).next().unwrap_or(line)
}

/// Cuts `text` where letters must come from the fallback.
fn by_font<'a>(fonts: &Fonts, text: &'a str, face: Face) -> Vec<(Face, &'a str)> {
    let of = |letter: char| {
        let lacks = !fonts.get(face).has(letter) && fonts.get(face.fallback()).has(letter);
        if lacks { face.fallback() } else { face }
    };
    let mut parts: Vec<(Face, usize, usize)> = Vec::new();
    for (at, letter) in text.char_indices() {
        let (face, end) = (of(letter), at + letter.len_utf8());
        match parts.last_mut() {
            Some(last) if last.0 == face => last.2 = end,
            _ => parts.push((face, at, end)),
        }
    }
    parts.into_iter().map(|(face, from, to)| (face, &text[from..to])).collect()
}

fn shape_part(fonts: &Fonts, face: Face, text: &str) -> GlyphBuffer {
    let font = fonts.get(face);
    let shaper = font.shaper_data.shaper(&font.shaping).build();
    let mut buffer = UnicodeBuffer::new();
    buffer.push_str(text);
    buffer.guess_segment_properties();
    let figures = if face.has_tabular_figures() { figures(text) } else { Vec::new() };
    shaper.shape(buffer, ShapeOptions::new().features(&figures))
}

/// Tabular figures where figures stand, and only there: a tabular comma would tear an amount apart.
fn figures(text: &str) -> Vec<Feature> {
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for (at, _) in text.char_indices().filter(|(_, letter)| letter.is_ascii_digit()) {
        match runs.last_mut() {
            Some(run) if run.1 == at => run.1 = at + 1,
            _ => runs.push((at, at + 1)),
        }
    }
    let feature =
        |(from, to)| Feature { tag: Tag::new(b"tnum"), value: 1, start: from as u32, end: to as u32 };
    runs.into_iter().map(feature).collect()
}

/// The text of the glyph at `index`; the first glyph of a cluster has all of it.
fn cluster<'a>(text: &'a str, infos: &[harfrust::GlyphInfo], index: usize) -> &'a str {
    let start = infos[index].cluster as usize;
    if index > 0 && infos[index - 1].cluster as usize == start {
        return "";
    }
    let end = infos[index..].iter().map(|info| info.cluster as usize).find(|cluster| *cluster > start);
    text.get(start..end.unwrap_or(text.len())).unwrap_or("")
}

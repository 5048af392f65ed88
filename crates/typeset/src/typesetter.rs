//! The typesetter: one door to all that is rasterised, with its caches.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};

use lucide_icons::Icon;
use smol_str::SmolStr;
use swash::scale::image::Image;
use swash::scale::{Render, ScaleContext, Source};
use swash::zeno::Format;
use tresen_scene::{Glyph, Mask, Namer, Node, ObjectId, Point, Rect, Size, Sprite};

use crate::cache::{Cache, Weighed};
use crate::face::Fonts;
use crate::icon::IconFont;
use crate::image::{ImageError, sprite};
use crate::nodes::{Drawn, Nodes};
use crate::photos::{Photos, Scaled, Wanted};
use crate::shape::{GlyphKey, shape};
use crate::wrap::wrap;
use crate::{Corners, NinePatch, Paragraph, Scale, Shaped, TextStyle, limits, shapes};

/// Makes glyphs, icons, shapes, pictures and lines of text, and keeps the last used ones.
pub struct Typesetter {
    namer: Namer,
    fonts: Fonts,
    icon_font: IconFont,
    rasteriser: Mutex<Rasteriser>,
    shaped: Cache<(SmolStr, TextStyle, Scale), Arc<Shaped>>,
    paragraphs: Cache<(SmolStr, TextStyle, Scale, i32, usize), Arc<Paragraph>>,
    glyphs: Cache<GlyphKey, Arc<Glyph>>,
    icons: Cache<(u32, i32), Arc<Mask>>,
    patches: Cache<Patch, NinePatch>,
    dots: Cache<(i32, i32), Arc<Mask>>,
    photos: Photos,
    spots: Weighed<ObjectId, Arc<[Spot]>>,
    components: Nodes,
    composites: Nodes,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Patch {
    Rounded(i32, Corners),
    Shadow(i32, i32),
}

/// Where a part of a layout is. The parts in it follow it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spot {
    /// In the part around it, in pixels.
    pub rect: Rect,
    /// How many spots follow that are in it.
    pub within: u32,
}

impl Typesetter {
    /// A typesetter whose objects are named by `namer`.
    pub fn new(namer: Namer) -> Arc<Self> {
        Arc::new(Self {
            namer,
            fonts: Fonts::open(),
            icon_font: IconFont::open(),
            rasteriser: Mutex::new(Rasteriser(ScaleContext::new())),
            shaped: Cache::new(limits::SHAPED),
            paragraphs: Cache::new(limits::PARAGRAPHS),
            glyphs: Cache::new(limits::GLYPHS),
            icons: Cache::new(limits::MASKS),
            patches: Cache::new(limits::MASKS),
            dots: Cache::new(limits::MASKS),
            photos: Photos::new(),
            spots: Weighed::new(limits::LAYOUTS, limits::LAYOUT_BYTES),
            components: Nodes::new((limits::NODES, limits::NODE_BYTES), limits::SPRITES),
            composites: Nodes::new(
                (limits::COMPOSITES, limits::COMPOSITE_BYTES),
                limits::PICTURED_COMPOSITES,
            ),
        })
    }

    /// What names its objects.
    pub const fn namer(&self) -> &Namer {
        &self.namer
    }

    /// One line of text; what follows a line break is left out.
    pub fn shape(&self, text: &str, style: TextStyle, scale: Scale) -> Arc<Shaped> {
        self.shaped.get_or_make((SmolStr::new(text), style, scale), |_| {
            Arc::new(self.shape_anew(text, style, scale))
        })
    }

    /// `text` in lines of at most `width` pixels, at most `lines` of them; what does not fit ends in an ellipsis.
    pub fn wrap(
        &self,
        text: &str,
        style: TextStyle,
        scale: Scale,
        width: i32,
        lines: usize,
    ) -> Arc<Paragraph> {
        let key = (SmolStr::new(text), style, scale, width, lines.max(1));
        self.paragraphs.get_or_make(key, |(text, .., lines)| {
            let mut measure = |piece: &str| self.shape_anew(piece, style, scale).width();
            let mut shape = |piece: &str| self.shape(piece, style, scale);
            Arc::new(wrap(text, width, *lines, &mut measure, &mut shape))
        })
    }

    /// The coverage of `icon` in a square of `side` pixels.
    pub fn icon(&self, icon: Icon, side: i32) -> Arc<Mask> {
        self.icons.get_or_make((u32::from(icon.unicode()), side), |_| {
            self.with_rasteriser(|rasteriser| self.icon_font.mask(&self.namer, rasteriser, icon, side))
        })
    }

    /// A filled rectangle with corners of `radius` pixels.
    pub fn rounded(&self, radius: i32, corners: Corners) -> NinePatch {
        self.patches
            .get_or_make(Patch::Rounded(radius, corners), |_| shapes::rounded(&self.namer, radius, corners))
    }

    /// The shadow of a rectangle with corners of `radius` pixels, softened over `blur` pixels on either side of its edge.
    pub fn shadow(&self, radius: i32, blur: i32) -> NinePatch {
        self.patches.get_or_make(Patch::Shadow(radius, blur), |_| shapes::shadow(&self.namer, radius, blur))
    }

    /// A row of dots of `dot` pixels, `width` pixels long.
    pub fn dots(&self, width: i32, dot: i32) -> Arc<Mask> {
        self.dots.get_or_make((width, dot), |_| shapes::dots(&self.namer, width, dot))
    }

    /// A photo (PNG, JPEG, WebP) for a place of `size` pixels with upper corners of `radius` pixels. It fills the place, unless the picture has
    /// fewer pixels, and then it is smaller. It is unpacked and scaled here, unless that was
    /// done before: some milliseconds, many for a large picture.
    ///
    /// # Errors
    /// When it is too large or can't be read.
    pub fn photo(&self, bytes: &[u8], size: Size, radius: i32) -> Result<Arc<Sprite>, ImageError> {
        let key = (self.namer.name(bytes), size, radius);
        if let Some(Some(found)) = self.photos.find(&key) {
            return Ok(found);
        }
        let made = sprite(&self.namer, bytes, size, radius);
        self.photos.keep(key, made.as_ref().ok().cloned());
        made
    }

    /// The same photo if it was scaled before. Quick: nothing is unpacked.
    pub fn photo_if_scaled(&self, bytes: &Arc<[u8]>, size: Size, radius: i32) -> Scaled {
        let key = (self.namer.name(bytes), size, radius);
        match self.photos.find(&key) {
            Some(Some(sprite)) => Scaled::Here(sprite),
            Some(None) => Scaled::Never,
            None => Scaled::NotYet(Wanted { key, bytes: bytes.clone() }),
        }
    }

    /// Scales a photo that was asked for; `None` when it can't be read. A decoder's fault is one photo's, and it is not asked for again.
    pub fn scale(&self, wanted: &Wanted) -> Option<Arc<Sprite>> {
        let (_, size, radius) = wanted.key;
        let scaled = catch_unwind(AssertUnwindSafe(|| self.photo(&wanted.bytes, size, radius)));
        scaled
            .unwrap_or_else(|_| {
                self.photos.keep(wanted.key, None);
                Err(ImageError::Damaged("the decoder panicked".into()))
            })
            .ok()
    }

    /// The node of a component that was made for `inputs` before, or `make`'s. `inputs` must tell apart all that `make` depends on, but for what an
    /// unfinished node lacks.
    pub fn remember(&self, inputs: &[u8], make: impl FnOnce() -> Drawn) -> Arc<Node> {
        self.components.remember(self.namer.name(inputs), make)
    }

    /// The same for a node that is made of components.
    pub fn remember_composite(&self, inputs: &[u8], make: impl FnOnce() -> Drawn) -> Arc<Node> {
        self.composites.remember(self.namer.name(inputs), make)
    }

    /// Where the parts of something are that was laid out before, by the name of all that this depends on.
    pub fn spots(&self, key: &ObjectId) -> Option<Arc<[Spot]>> {
        self.spots.get(key)
    }

    /// Remembers where the parts of something are.
    pub fn keep_spots(&self, key: ObjectId, spots: Arc<[Spot]>) {
        let bytes = size_of_val(&*spots);
        self.spots.keep(key, spots, bytes);
    }

    fn shape_anew(&self, text: &str, style: TextStyle, scale: Scale) -> Shaped {
        shape(&self.fonts, text, style, scale, &mut |key| self.glyph(key))
    }

    fn glyph(&self, key: GlyphKey) -> Arc<Glyph> {
        self.glyphs.get_or_make(key, |key| {
            let font = self.fonts.get(key.face).outlines;
            let size_px = key.size_100 as f32 / 100.0;
            let image = self.with_rasteriser(|rasteriser| rasteriser.coverage(font, size_px, key.glyph));
            let (size, bearing, alpha) = image.map_or_else(Default::default, |image| {
                let place = image.placement;
                (
                    Size::new(place.width as i32, place.height as i32),
                    Point::new(place.left, -place.top),
                    image.data,
                )
            });
            let mask = Mask::new(&self.namer, size, &alpha);
            Glyph::new(&self.namer, key.bank, key.text.clone(), key.advance_64, bearing, mask)
        })
    }

    /// The rasteriser holds scratch memory only: one that a panic left behind is as good as a new one.
    fn with_rasteriser<T>(&self, work: impl FnOnce(&mut Rasteriser) -> T) -> T {
        work(&mut self.rasteriser.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl std::fmt::Debug for Typesetter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Typesetter")
    }
}

/// Turns outlines into coverage.
pub(crate) struct Rasteriser(ScaleContext);

impl Rasteriser {
    /// The coverage of a glyph at `size_px` pixels an em; `None` when it draws nothing.
    pub(crate) fn coverage(&mut self, font: swash::FontRef<'_>, size_px: f32, glyph: u16) -> Option<Image> {
        let mut scaler = self.0.builder(font).size(size_px).hint(false).build();
        let image = Render::new(&[Source::Outline]).format(Format::Alpha).render(&mut scaler, glyph)?;
        (image.placement.width > 0 && image.placement.height > 0).then_some(image)
    }
}

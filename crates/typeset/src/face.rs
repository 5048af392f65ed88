//! The fonts that are compiled in, and how a text asks for one.

use harfrust::{FontRef, ShaperData};
use swash::CacheKey;
use tresen_scene::FaceId;

use crate::Scale;

/// How heavy the letters are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Weight {
    /// 400
    #[default]
    Regular,
    /// 500
    Medium,
    /// 600
    Semibold,
}

/// A font.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Face {
    /// Inter, the one family of the screens.
    Inter(Weight),
    /// Inter's cut for large sizes, weight 600.
    InterDisplay,
    /// DejaVu Sans Mono, for receipts.
    Mono,
    /// DejaVu Sans Mono, bold.
    MonoBold,
    /// DejaVu Sans; also stands in for letters that Inter lacks.
    DejaVuSans,
    /// DejaVu Sans, bold.
    DejaVuSansBold,
}

impl Face {
    const ALL: [Self; 8] = [
        Self::Inter(Weight::Regular),
        Self::Inter(Weight::Medium),
        Self::Inter(Weight::Semibold),
        Self::InterDisplay,
        Self::Mono,
        Self::MonoBold,
        Self::DejaVuSans,
        Self::DejaVuSansBold,
    ];

    fn index(self) -> usize {
        match self {
            Self::Inter(weight) => weight as usize,
            Self::InterDisplay => 3,
            Self::Mono => 4,
            Self::MonoBold => 5,
            Self::DejaVuSans => 6,
            Self::DejaVuSansBold => 7,
        }
    }

    fn data(self) -> &'static [u8] {
        match self {
            Self::Inter(Weight::Regular) => include_bytes!("../fonts/Inter-Regular.ttf"),
            Self::Inter(Weight::Medium) => include_bytes!("../fonts/Inter-Medium.ttf"),
            Self::Inter(Weight::Semibold) => include_bytes!("../fonts/Inter-SemiBold.ttf"),
            Self::InterDisplay => include_bytes!("../fonts/InterDisplay-SemiBold.ttf"),
            Self::Mono => dejavu::sans_mono::regular(),
            Self::MonoBold => dejavu::sans_mono::bold(),
            Self::DejaVuSans => dejavu::sans::regular(),
            Self::DejaVuSansBold => dejavu::sans::bold(),
        }
    }

    /// The face that has the letters which this one lacks.
    pub(crate) const fn fallback(self) -> Self {
        match self {
            Self::Inter(Weight::Semibold) | Self::InterDisplay | Self::MonoBold => Self::DejaVuSansBold,
            _ => Self::DejaVuSans,
        }
    }

    /// Whether its figures are set at one width.
    pub(crate) const fn has_tabular_figures(self) -> bool {
        matches!(self, Self::Inter(_) | Self::InterDisplay)
    }
}

/// A font at a size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TextStyle {
    /// The font.
    pub face: Face,
    /// Its size in dp (in pixels at [`Scale::ONE`]).
    pub size: u16,
}

impl TextStyle {
    /// `face` at `size` dp.
    pub const fn new(face: Face, size: u16) -> Self {
        Self { face, size }
    }

    /// The size in hundredths of a device pixel.
    pub(crate) fn size_100(self, scale: Scale) -> u32 {
        u32::from(self.size) * u32::from(scale.hundredths())
    }

    /// The bank that its glyphs live in: one for each style of the kit's type scale, shared banks for all others. A
    /// session shares letters with those that began at the same scale, and rarely changes its own, so the scale is no part of it.
    pub fn face_id(self) -> FaceId {
        const BANKS: usize = 32;
        let known = KNOWN.iter().position(|style| *style == self);
        let other = || KNOWN.len() + (usize::from(self.size) + 5 * self.face.index()) % (BANKS - KNOWN.len());
        FaceId(known.unwrap_or_else(other) as u8)
    }
}

const KNOWN: [TextStyle; 18] = [
    TextStyle::new(Face::Inter(Weight::Regular), 13),
    TextStyle::new(Face::Inter(Weight::Medium), 13),
    TextStyle::new(Face::Inter(Weight::Semibold), 13),
    TextStyle::new(Face::Inter(Weight::Regular), 15),
    TextStyle::new(Face::Inter(Weight::Medium), 15),
    TextStyle::new(Face::Inter(Weight::Semibold), 15),
    TextStyle::new(Face::Inter(Weight::Regular), 17),
    TextStyle::new(Face::Inter(Weight::Medium), 17),
    TextStyle::new(Face::Inter(Weight::Semibold), 17),
    TextStyle::new(Face::Inter(Weight::Medium), 18),
    TextStyle::new(Face::Inter(Weight::Semibold), 18),
    TextStyle::new(Face::Inter(Weight::Medium), 24),
    TextStyle::new(Face::InterDisplay, 24),
    TextStyle::new(Face::InterDisplay, 28),
    TextStyle::new(Face::InterDisplay, 36),
    TextStyle::new(Face::InterDisplay, 44),
    TextStyle::new(Face::Mono, 13),
    TextStyle::new(Face::MonoBold, 13),
];

/// A font that was opened: what shaping and rasterising need to know of it.
pub(crate) struct Font {
    pub(crate) shaping: FontRef<'static>,
    pub(crate) shaper_data: ShaperData,
    pub(crate) outlines: swash::FontRef<'static>,
    pub(crate) units_per_em: i64,
    pub(crate) metrics: LineMetrics,
}

/// Heights above and below the baseline in font units.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LineMetrics {
    pub(crate) ascent: i64,
    pub(crate) descent: i64,
    pub(crate) cap_height: i64,
}

impl Font {
    fn open(data: &'static [u8]) -> Self {
        let shaping = FontRef::new(data).expect("the fonts that are compiled in can be read");
        let (offset, key) = (0, CacheKey::new());
        let outlines = swash::FontRef { data, offset, key };
        let metrics = outlines.metrics(&[]);
        Self {
            shaper_data: ShaperData::new(&shaping),
            shaping,
            outlines,
            units_per_em: i64::from(metrics.units_per_em),
            metrics: LineMetrics {
                ascent: metrics.ascent as i64,
                descent: metrics.descent as i64,
                cap_height: metrics.cap_height as i64,
            },
        }
    }

    /// Whether it has a glyph for `letter`.
    pub(crate) fn has(&self, letter: char) -> bool {
        self.outlines.charmap().map(letter) != 0
    }
}

/// All faces, opened.
pub(crate) struct Fonts(Vec<Font>);

impl Fonts {
    pub(crate) fn open() -> Self {
        Self(Face::ALL.iter().map(|face| Font::open(face.data())).collect())
    }

    pub(crate) fn get(&self, face: Face) -> &Font {
        &self.0[face.index()]
    }
}

//! Icons: glyphs of Lucide's font.

use std::sync::Arc;

use lucide_icons::{Icon, LUCIDE_FONT_BYTES};
use swash::CacheKey;
use tresen_scene::{Mask, Namer, Size};

use crate::typesetter::Rasteriser;

/// The icon font, opened.
pub(crate) struct IconFont(swash::FontRef<'static>);

impl IconFont {
    pub(crate) fn open() -> Self {
        Self(swash::FontRef { data: LUCIDE_FONT_BYTES, offset: 0, key: CacheKey::new() })
    }

    /// The coverage of `icon` in a square of `side` pixels.
    pub(crate) fn mask(
        &self,
        namer: &Namer,
        rasteriser: &mut Rasteriser,
        icon: Icon,
        side: i32,
    ) -> Arc<Mask> {
        let mut alpha = vec![0; (side * side) as usize];
        let glyph = self.0.charmap().map(icon.unicode());
        if let Some(image) = rasteriser.coverage(self.0, side as f32, glyph) {
            let (left, top) = (image.placement.left, side - image.placement.top);
            let width = image.placement.width as usize;
            for (y, row) in image.data.chunks_exact(width.max(1)).enumerate() {
                for (x, coverage) in row.iter().enumerate() {
                    let (x, y) = (left + x as i32, top + y as i32);
                    if (0..side).contains(&x) && (0..side).contains(&y) {
                        alpha[(y * side + x) as usize] = *coverage;
                    }
                }
            }
        }
        Mask::new(namer, Size::new(side, side), &alpha)
    }
}

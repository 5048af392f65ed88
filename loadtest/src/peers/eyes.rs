//! Eyes on a display: when a pixel last changed visibly.
//!
//! The X server says what was drawn on (DAMAGE); we fetch that part and compare, because a program may draw the same again.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use anyhow::{Context, Result};
use tresen_scene::{Rect, Size};
use x11rb::connection::Connection as _;
use x11rb::protocol::Event;
use x11rb::protocol::damage::{ConnectionExt as _, ReportLevel};
use x11rb::protocol::xproto::{ConnectionExt as _, ImageFormat};
use x11rb::rust_connection::RustConnection;

use super::picture::{PIXEL_BYTES, looks_different};

/// Eyes on a display. They close when the display goes.
pub struct Eyes(Arc<Mutex<Option<Instant>>>);

impl Eyes {
    /// Looks at all of a display from now on.
    pub fn on(display: u16) -> Result<Self> {
        let (connection, screen) = x11rb::connect(Some(&format!(":{display}")))?;
        let screen = &connection.setup().roots[screen];
        let size = Size::new(i32::from(screen.width_in_pixels), i32::from(screen.height_in_pixels));
        let mut watch = Watch { root: screen.root, connection, known: Known::new(size) };
        watch.connection.damage_query_version(1, 1)?.reply().context("no DAMAGE")?;
        let damage = watch.connection.generate_id()?;
        let level = ReportLevel::RAW_RECTANGLES;
        watch.connection.damage_create(damage, watch.root, level)?.check()?;
        watch.differs(Rect::of_size(size))?;
        let changed = Arc::new(Mutex::new(None));
        let note = changed.clone();
        std::thread::Builder::new().name("eyes".into()).spawn(move || {
            // Ends with the display: then there is no next event.
            while let Ok(true) = watch.next(&note) {}
        })?;
        Ok(Self(changed))
    }

    /// When a pixel last changed, if one did.
    pub fn changed_at(&self) -> Option<Instant> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Watch {
    connection: RustConnection,
    root: u32,
    known: Known,
}

impl Watch {
    /// Waits for the next event and looks. False when it can't any more.
    fn next(&mut self, note: &Mutex<Option<Instant>>) -> Result<bool> {
        let mut event = Some(self.connection.wait_for_event()?);
        // What has come while we looked is looked at in one go.
        let (mut seen, mut drawn) = (Instant::now(), Rect::default());
        while let Some(this) = event {
            if let Event::DamageNotify(notify) = this {
                let area = notify.area;
                let rect = Rect::new(area.x.into(), area.y.into(), area.width.into(), area.height.into());
                (seen, drawn) = (Instant::now(), drawn.union(rect));
            }
            event = self.connection.poll_for_event()?;
        }
        if self.differs(drawn)? {
            *note.lock().unwrap_or_else(PoisonError::into_inner) = Some(seen);
        }
        Ok(true)
    }

    /// Whether this part looks different than before.
    fn differs(&mut self, rect: Rect) -> Result<bool> {
        let rect = rect.intersect(Rect::of_size(self.known.size));
        if rect.w <= 0 || rect.h <= 0 {
            return Ok(false);
        }
        let (x, y, w, h) = (rect.x as i16, rect.y as i16, rect.w as u16, rect.h as u16);
        let image = self.connection.get_image(ImageFormat::Z_PIXMAP, self.root, x, y, w, h, !0)?.reply()?;
        Ok(self.known.update(rect, &image.data))
    }
}

/// What was seen last.
struct Known {
    size: Size,
    pixels: Vec<u8>,
}

impl Known {
    fn new(size: Size) -> Self {
        Self { size, pixels: vec![0; size.w as usize * size.h as usize * PIXEL_BYTES] }
    }

    /// Takes over a part of the picture, and says whether any pixel of it looks different.
    fn update(&mut self, rect: Rect, image: &[u8]) -> bool {
        let row_bytes = rect.w as usize * PIXEL_BYTES;
        let mut differs = false;
        for (row, new) in image.chunks_exact(row_bytes).enumerate() {
            let start = ((rect.y as usize + row) * self.size.w as usize + rect.x as usize) * PIXEL_BYTES;
            let old = &mut self.pixels[start..start + row_bytes];
            if old != new {
                let mut pairs = old.chunks_exact(PIXEL_BYTES).zip(new.chunks_exact(PIXEL_BYTES));
                differs |= pairs.any(|(old, new)| looks_different(old, new));
                old.copy_from_slice(new);
            }
        }
        differs
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves that drawing the same again is no change, and that one pixel is one, wherever it is.
    #[test]
    fn only_what_looks_different_is_a_change() {
        let mut known = Known::new(Size::new(3, 2));
        let rect = Rect::new(1, 1, 2, 1);
        assert!(!known.update(rect, &[0; 8]));
        assert!(known.update(rect, &[0, 0, 0, 0, 0, 200, 0, 0]));
        assert!(!known.update(rect, &[0, 0, 0, 0, 0, 200, 0, 0]));
        assert_eq!(known.pixels[5 * PIXEL_BYTES + 1], 200);
        assert_eq!(known.pixels.iter().filter(|byte| **byte != 0).count(), 1);
    }
}

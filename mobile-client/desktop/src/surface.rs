//! The window's pixels: only what changed is copied and shown.

use std::num::NonZeroU32;
use std::rc::Rc;

use anyhow::{Result, anyhow};
use softbuffer::Surface;
use tresen_scene::{Canvas, Rect, window_pixel};
use winit::event_loop::OwnedDisplayHandle;
use winit::window::Window;

/// Where windows are.
pub type Display = OwnedDisplayHandle;

/// A window and its pixels.
pub struct Shown {
    /// The window.
    pub window: Rc<Window>,
    surface: Surface<Display, Rc<Window>>,
    /// What the surface has not got yet.
    owed: Vec<Rect>,
}

impl Shown {
    /// Pixels for a window.
    ///
    /// # Errors
    /// When the display can't show any.
    pub fn new(display: &softbuffer::Context<Display>, window: Rc<Window>) -> Result<Self> {
        let surface = Surface::new(display, window.clone())
            .map_err(|error| anyhow!("This window can't show pixels: {error}"))?;
        Ok(Self { window, surface, owed: Vec::new() })
    }

    /// These parts of the canvas have changed.
    pub fn owe(&mut self, rects: Vec<Rect>) {
        self.owed.extend(rects);
        self.window.request_redraw();
    }

    /// Brings the window up to date.
    ///
    /// # Errors
    /// When the display fails.
    pub fn present(&mut self, canvas: &Canvas) -> Result<(), softbuffer::SoftBufferError> {
        let size = canvas.size();
        let (Some(width), Some(height)) = (side(size.w), side(size.h)) else { return Ok(()) };
        self.surface.resize(width, height)?;
        let mut buffer = self.surface.buffer_mut()?;
        let everything = [Rect::of_size(size)];
        // An older buffer lacks more than what is owed.
        let rects = if buffer.age() == 1 { self.owed.as_slice() } else { &everything };
        for rect in rects {
            for y in rect.y..rect.bottom() {
                let from = (y * size.w + rect.x) as usize;
                let row = from..from + rect.w as usize;
                let pixels = canvas.pixels()[row.clone()].iter().map(|pixel| window_pixel(*pixel));
                buffer[row].iter_mut().zip(pixels).for_each(|(place, pixel)| *place = pixel);
            }
        }
        let damage: Vec<_> = rects.iter().filter_map(surface_rect).collect();
        self.owed.clear();
        if damage.is_empty() { buffer.present() } else { buffer.present_with_damage(&damage) }
    }
}

fn side(px: i32) -> Option<NonZeroU32> {
    u32::try_from(px).ok().and_then(NonZeroU32::new)
}

fn surface_rect(rect: &Rect) -> Option<softbuffer::Rect> {
    let (x, y) = (u32::try_from(rect.x).ok()?, u32::try_from(rect.y).ok()?);
    Some(softbuffer::Rect { x, y, width: side(rect.w)?, height: side(rect.h)? })
}

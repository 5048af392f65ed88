//! A picture of the screen in a file, for tests and for support.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use tresen_scene::{Canvas, Rect};

/// The screen has to rest for so long before it is written.
const REST_MS: u64 = 100;

/// A file that follows the screen.
pub struct Picture {
    file: PathBuf,
    due_ms: Option<u64>,
}

impl Picture {
    /// Nothing is written yet.
    pub const fn new(file: PathBuf) -> Self {
        Self { file, due_ms: None }
    }

    /// The screen has changed.
    pub fn changed(&mut self, now_ms: u64) {
        self.due_ms = Some(now_ms + REST_MS);
    }

    /// When [`Picture::write_when_due`] is to be called.
    pub const fn due_ms(&self) -> Option<u64> {
        self.due_ms
    }

    /// Writes the picture when the screen has come to rest.
    pub fn write_when_due(&mut self, now_ms: u64, canvas: &Canvas) {
        if self.due_ms.is_some_and(|due| now_ms >= due) {
            self.due_ms = None;
            if let Err(error) = write(&self.file, canvas) {
                tracing::warn!(%error, "the picture can't be written");
            }
        }
    }
}

fn write(file: &Path, canvas: &Canvas) -> Result<()> {
    let size = canvas.size();
    let (_, rgba) = canvas.rgba(Rect::of_size(size));
    let new = file.with_extension("new");
    let mut encoder = png::Encoder::new(fs::File::create(&new)?, size.w as u32, size.h as u32);
    encoder.set_color(png::ColorType::Rgba);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.write_header()?.write_image_data(&rgba)?;
    fs::rename(&new, file).context("it can't be put in its place")
}

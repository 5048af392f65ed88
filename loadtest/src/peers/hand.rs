//! A finger and eyes on an X display.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use tresen_scene::{Point, Size};
use x11rb::connection::Connection as _;
use x11rb::protocol::xproto::{
    BUTTON_PRESS_EVENT, BUTTON_RELEASE_EVENT, ConnectionExt as _, ImageFormat, MOTION_NOTIFY_EVENT, MapState,
};
use x11rb::protocol::xtest::ConnectionExt as _;
use x11rb::rust_connection::RustConnection;

/// A display is there within this time, or never.
const PATIENCE: Duration = Duration::from_secs(15);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(50);
/// The first display that is looked at.
const FIRST_DISPLAY: u16 = 120;
/// The last one.
const LAST_DISPLAY: u16 = 900;

/// What a mouse's wheel is in X.
const WHEEL_UP: u8 = 4;
const WHEEL_DOWN: u8 = 5;

/// A connection to a display.
pub struct Hand {
    connection: RustConnection,
    root: u32,
    /// The window with the picture, and where it begins.
    window: u32,
    origin: Point,
}

/// A display's number that nobody uses, on and after this one.
pub fn free_display(after: u16) -> Result<u16> {
    let free = |number: &u16| {
        let used = [format!("/tmp/.X{number}-lock"), format!("/tmp/.X11-unix/X{number}")];
        !used.iter().any(|file| Path::new(file).exists())
    };
    (FIRST_DISPLAY.max(after)..LAST_DISPLAY).find(free).context("no X display is free")
}

impl Hand {
    /// Waits for the display and takes hold of it.
    pub async fn on(display: u16) -> Result<Self> {
        let limit = Instant::now() + PATIENCE;
        loop {
            match x11rb::connect(Some(&format!(":{display}"))) {
                Ok((connection, screen)) => {
                    let root = connection.setup().roots[screen].root;
                    return Ok(Self { connection, root, window: root, origin: Point::default() });
                }
                Err(error) if Instant::now() > limit => bail!("there is no display :{display}: {error}"),
                Err(_) => tokio::time::sleep(LOOK).await,
            }
        }
    }

    /// Finds the window that shows a picture of this size: what is tapped and looked at from now on is in it.
    pub fn aim(&mut self, size: Size) -> Result<()> {
        let mut found = None;
        for window in self.connection.query_tree(self.root)?.reply()?.children {
            // A window may go while we ask.
            let Ok(place) = self.connection.get_geometry(window)?.reply() else { continue };
            let Ok(looks) = self.connection.get_window_attributes(window)?.reply() else { continue };
            let large = i32::from(place.width) >= size.w && i32::from(place.height) >= size.h;
            if large && looks.map_state == MapState::VIEWABLE {
                let border = place.border_width as i32;
                let origin = Point::new(i32::from(place.x) + border, i32::from(place.y) + border);
                found = Some((window, origin));
            }
        }
        (self.window, self.origin) = found.context("there is no window of the till's size")?;
        Ok(())
    }

    /// Taps: goes there, presses, lets go, all at once.
    pub fn tap(&self, at: Point) -> Result<()> {
        self.press(at, 1, 1)
    }

    /// Turns the wheel; down is positive.
    pub fn wheel(&self, at: Point, lines: i32) -> Result<()> {
        self.press(at, if lines > 0 { WHEEL_DOWN } else { WHEEL_UP }, lines.unsigned_abs())
    }

    fn press(&self, at: Point, button: u8, times: u32) -> Result<()> {
        let (x, y) = ((self.origin.x + at.x) as i16, (self.origin.y + at.y) as i16);
        let fake = |event, detail| self.connection.xtest_fake_input(event, detail, 0, self.root, x, y, 0);
        fake(MOTION_NOTIFY_EVENT, 0)?;
        for _ in 0..times {
            fake(BUTTON_PRESS_EVENT, button)?;
            fake(BUTTON_RELEASE_EVENT, button)?;
        }
        Ok(self.connection.flush()?)
    }

    /// What is shown where the window is: blue, green, red and nothing for each pixel.
    pub fn picture(&self, size: Size) -> Result<Vec<u8>> {
        self.image(self.root, self.origin, size)
    }

    /// What the window holds. Where windows are drawn apart to be put together later, the screen does not have it.
    pub fn content(&self, size: Size) -> Result<Vec<u8>> {
        self.image(self.window, Point::default(), size)
    }

    fn image(&self, of: u32, from: Point, size: Size) -> Result<Vec<u8>> {
        let (x, y, width, height) = (from.x as i16, from.y as i16, size.w as u16, size.h as u16);
        let request = self.connection.get_image(ImageFormat::Z_PIXMAP, of, x, y, width, height, !0)?;
        let image = request.reply()?.data;
        ensure!(image.len() == size.w as usize * size.h as usize * PIXEL_BYTES, "not four bytes a pixel");
        Ok(image)
    }
}

/// The share of pixels that look different, in percent.
pub fn different_percent(one: &[u8], other: &[u8]) -> f64 {
    let pixels = (one.len() / PIXEL_BYTES).max(1);
    let pairs = one.chunks(PIXEL_BYTES).zip(other.chunks(PIXEL_BYTES));
    let different = pairs.filter(|(one, other)| looks_different(one, other)).count();
    different as f64 / pixels as f64 * 100.0
}

/// Whether two pixels look different.
pub fn looks_different(one: &[u8], other: &[u8]) -> bool {
    one.iter().zip(other).take(3).any(|(one, other)| one.abs_diff(*other) > VISIBLE)
}

/// Bytes of a pixel: blue, green, red and nothing.
pub const PIXEL_BYTES: usize = 4;
/// A colour that is off by more than this is another one; less is what lossy pictures do.
const VISIBLE: u8 = 24;

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves that a wrong pixel is noticed, and the noise of a lossy picture is not.
    #[test]
    fn pictures_are_compared_by_what_is_visible() {
        let white = [255_u8; 16];
        let mut other = white;
        other[1] = 250;
        assert_eq!(different_percent(&white, &other), 0.0);
        other[4] = 0;
        assert_eq!(different_percent(&white, &other), 25.0);
        let mut padding = white;
        padding[3] = 0;
        assert_eq!(different_percent(&white, &padding), 0.0);
    }
}

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

use super::picture::PIXEL_BYTES;

/// A display is there within this time, or never.
const PATIENCE: Duration = Duration::from_secs(15);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(50);
/// The first display that is looked at.
const FIRST_DISPLAY: u16 = 120;
/// The last one.
const LAST_DISPLAY: u16 = 900;

/// The button of a tap, and what a mouse's wheel is in X.
const PRESS: u8 = 1;
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

    /// Goes there; what follows is done there.
    pub fn go(&self, at: Point) -> Result<()> {
        let Point { x, y } = self.origin;
        self.fake(MOTION_NOTIFY_EVENT, 0, Point::new(x + at.x, y + at.y))?;
        Ok(self.connection.flush()?)
    }

    /// Taps: presses and lets go, at once.
    pub fn tap(&self) -> Result<()> {
        self.press(PRESS, 1)
    }

    /// Turns the wheel by so many notches; down is positive.
    pub fn wheel(&self, notches: i32) -> Result<()> {
        self.press(if notches > 0 { WHEEL_DOWN } else { WHEEL_UP }, notches.unsigned_abs())
    }

    fn press(&self, button: u8, times: u32) -> Result<()> {
        for _ in 0..times {
            self.fake(BUTTON_PRESS_EVENT, button, Point::default())?;
            self.fake(BUTTON_RELEASE_EVENT, button, Point::default())?;
        }
        Ok(self.connection.flush()?)
    }

    /// Queues an event; only a motion has a place.
    fn fake(&self, event: u8, detail: u8, at: Point) -> Result<()> {
        self.connection.xtest_fake_input(event, detail, 0, self.root, at.x as i16, at.y as i16, 0)?;
        Ok(())
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

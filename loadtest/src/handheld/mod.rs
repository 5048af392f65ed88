//! What is played on the real handheld app.

pub mod script;

use tresen_scene::Point;

/// What a hand does for one step: where the wheel is turned by so many notches (down is positive), if it has to be, and where it taps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Act {
    /// Turns the wheel first.
    pub wheel: Option<(Point, i32)>,
    /// Taps here.
    pub tap: Point,
}

impl From<Point> for Act {
    fn from(tap: Point) -> Self {
        Self { wheel: None, tap }
    }
}

//! What the app is told about the world around it.

use jiff::Timestamp;
use tresen_till::{Language, StationId, Till};

/// The world at the moment of an update or a view.
#[derive(Clone, Copy, Debug)]
pub struct World<'a> {
    /// The till as of the last commit.
    pub till: &'a Till,
    /// The time.
    pub now: Timestamp,
    /// The station that this instance is.
    pub station: StationId,
    /// Its name.
    pub station_name: &'a str,
    /// The device that is attached, for the throttling of PINs.
    pub device: &'a str,
    /// The language of whoever looks.
    pub language: Language,
}

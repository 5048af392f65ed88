//! What the app is told about the world around it.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use tresen_till::{Language, PhotoId, StationId, Till};

use crate::ui::Developing;

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
    /// The pictures of products.
    pub photos: &'a dyn Photos,
}

/// Where the pictures of products are. Asked at every view: it must be quick.
pub trait Photos {
    /// An encoded picture; `None` when it is not there (any more).
    fn photo(&self, id: PhotoId) -> Option<Arc<[u8]>>;

    /// When those are scaled that nobody has scaled yet to the size that a screen needs.
    fn developing(&self) -> Developing {
        Developing::AtOnce
    }
}

/// No pictures at all.
#[derive(Clone, Copy, Debug)]
pub struct NoPhotos;

impl Photos for NoPhotos {
    fn photo(&self, _id: PhotoId) -> Option<Arc<[u8]>> {
        None
    }
}

impl fmt::Debug for dyn Photos + '_ {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Photos")
    }
}

//! Unpacked photos and masks that many clients of one process share: what one of them unpacked the others need not.
//!
//! For a process with hundreds of clients; a device has one, and needs none of this.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tresen_scene::{Mask, ObjectId, Sprite};

use crate::DecodeError;

/// What was unpacked, by the name of its coded bytes. It stays as long as the gallery.
#[derive(Debug, Default)]
pub struct Gallery {
    photos: Shelf<Sprite>,
    masks: Shelf<Mask>,
}

type Shelf<T> = Mutex<HashMap<ObjectId, Arc<T>>>;

impl Gallery {
    /// The photo that was unpacked before, or is by `unpack`.
    pub(crate) fn photo(
        &self,
        name: ObjectId,
        unpack: impl FnOnce() -> Result<Arc<Sprite>, DecodeError>,
    ) -> Result<Arc<Sprite>, DecodeError> {
        found_or(&self.photos, name, unpack)
    }

    /// The same of a mask.
    pub(crate) fn mask(
        &self,
        name: ObjectId,
        unpack: impl FnOnce() -> Result<Arc<Mask>, DecodeError>,
    ) -> Result<Arc<Mask>, DecodeError> {
        found_or(&self.masks, name, unpack)
    }
}

/// A thread that panicked while it held the lock left a whole entry or none.
fn found_or<T>(
    shelf: &Shelf<T>,
    name: ObjectId,
    unpack: impl FnOnce() -> Result<Arc<T>, DecodeError>,
) -> Result<Arc<T>, DecodeError> {
    let shelf = || shelf.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(found) = shelf().get(&name) {
        return Ok(found.clone());
    }
    let unpacked = unpack()?;
    shelf().insert(name, unpacked.clone());
    Ok(unpacked)
}

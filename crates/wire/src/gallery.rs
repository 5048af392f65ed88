//! Unpacked photos that many clients of one process share: what one of them unpacked the others need not.
//!
//! For a process with hundreds of clients; a device has one, and needs none of this.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tresen_scene::{ObjectId, Sprite};

use crate::DecodeError;

/// Photos by the name of their coded bytes. They stay as long as the gallery.
#[derive(Debug, Default)]
pub struct Gallery(Mutex<HashMap<ObjectId, Arc<Sprite>>>);

impl Gallery {
    /// The photo that was unpacked before, or is by `unpack`.
    pub(crate) fn photo(
        &self,
        name: ObjectId,
        unpack: impl FnOnce() -> Result<Arc<Sprite>, DecodeError>,
    ) -> Result<Arc<Sprite>, DecodeError> {
        let photos = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = photos().get(&name) {
            return Ok(found.clone());
        }
        let unpacked = unpack()?;
        photos().insert(name, unpacked.clone());
        Ok(unpacked)
    }
}

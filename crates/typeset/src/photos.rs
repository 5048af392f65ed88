//! Photos at the sizes that screens show them at.
//!
//! Invariant: a photo that is kept, or that anybody still shows, is not scaled again: a screen that is drawn anew finds every photo that it had.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tresen_scene::{ObjectId, Size, Sprite};

use crate::cache::Weighed;
use crate::limits;

/// The name of its bytes, its size, and the radius of its corners.
pub(crate) type Key = (ObjectId, Size, i32);

/// A photo at a size, when it is asked for without being made.
#[derive(Clone, Debug)]
pub enum Scaled {
    /// Here it is.
    Here(Arc<Sprite>),
    /// It can't be read: there will be none.
    Never,
    /// Nobody has scaled it yet.
    NotYet(Wanted),
}

/// A photo that somebody has to scale; equal ones are the same picture at the same size.
#[derive(Clone)]
pub struct Wanted {
    pub(crate) key: Key,
    pub(crate) bytes: Arc<[u8]>,
}

impl PartialEq for Wanted {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl Eq for Wanted {}

impl fmt::Debug for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Wanted({} bytes at {:?})", self.bytes.len(), self.key.1)
    }
}

/// All that were scaled.
pub(crate) struct Photos {
    /// The last used ones; `None` can't be read.
    kept: Weighed<Key, Option<Arc<Sprite>>>,
    /// Those that are shown, kept or not.
    shown: Mutex<HashMap<Key, Weak<Sprite>>>,
}

impl Photos {
    pub(crate) fn new() -> Self {
        Self { kept: Weighed::new(limits::SPRITES, limits::SPRITE_BYTES), shown: Mutex::default() }
    }

    /// One that was scaled, or could not be read; `None`: nobody has tried yet.
    pub(crate) fn find(&self, key: &Key) -> Option<Option<Arc<Sprite>>> {
        if let Some(found) = self.kept.get(key) {
            return Some(found);
        }
        let found = self.shown().get(key)?.upgrade()?;
        self.keep(*key, Some(found.clone()));
        Some(Some(found))
    }

    pub(crate) fn keep(&self, key: Key, sprite: Option<Arc<Sprite>>) {
        if let Some(sprite) = &sprite {
            let mut shown = self.shown();
            if shown.len() >= limits::SHOWN_SPRITES {
                shown.retain(|_, sprite| sprite.strong_count() > 0);
            }
            shown.insert(key, Arc::downgrade(sprite));
        }
        let bytes = sprite.as_deref().map_or(0, weight);
        self.kept.keep(key, sprite, bytes);
    }

    fn shown(&self) -> std::sync::MutexGuard<'_, HashMap<Key, Weak<Sprite>>> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a sprite takes at most: its pixels, and the weights that they were added up from.
pub(crate) fn weight(sprite: &Sprite) -> usize {
    3 * sprite.rgba().len()
}

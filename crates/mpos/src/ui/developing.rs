//! Photos that a screen needs and nobody has scaled yet to the size that it needs them at.

use std::sync::{Arc, Mutex, PoisonError};

use tresen_typeset::Wanted;

/// When they are scaled.
#[derive(Clone, Debug, Default)]
pub enum Developing {
    /// While the screen is drawn, which takes as long as it takes.
    #[default]
    AtOnce,
    /// By whoever looks at what is missing: their places stay empty until then.
    Later(Arc<Missing>),
}

/// What a view left out. It holds no more than a screen shows: [`crate::limits::PHOTOS`] for each view since it was emptied.
#[derive(Debug, Default)]
pub struct Missing(Mutex<Vec<Wanted>>);

impl Missing {
    /// All of it; nothing is missing any more.
    pub fn take(&self) -> Vec<Wanted> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn note(&self, wanted: Wanted) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !all.contains(&wanted) {
            all.push(wanted);
        }
    }
}

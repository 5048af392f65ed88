//! The letters of all screens, by their scales: the same letter is another picture on another screen.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tresen_wire::Alphabet;

/// Scales whose sessions share their letters: those of the devices that a site has, browsers at some zooms among them. Whoever comes with another one has
/// letters of his own.
const SCALES: usize = 16;

/// The alphabets of a server.
#[derive(Debug, Default)]
pub struct Alphabets(Mutex<HashMap<u16, Arc<Alphabet>>>);

impl Alphabets {
    /// Those of screens with so many hundredths of a pixel a dp.
    pub(super) fn of(&self, scale_100: u16) -> Arc<Alphabet> {
        let mut alphabets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !alphabets.contains_key(&scale_100) && alphabets.len() >= SCALES {
            return Arc::default();
        }
        alphabets.entry(scale_100).or_default().clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Promise: screens of one scale share their letters, and the number of scales is bounded.
    #[test]
    fn screens_of_a_scale_share() {
        let alphabets = Alphabets::default();
        let first = alphabets.of(262);
        assert!(Arc::ptr_eq(&first, &alphabets.of(262)));
        assert!(!Arc::ptr_eq(&first, &alphabets.of(100)));
        for scale_100 in 300..400 {
            alphabets.of(scale_100);
        }
        assert_eq!(alphabets.0.lock().unwrap().len(), SCALES);
        assert!(Arc::ptr_eq(&first, &alphabets.of(262)));
        assert!(!Arc::ptr_eq(&alphabets.of(399), &alphabets.of(399)));
    }
}

//! What the pixels of letters are like: guesses that a bit is zero, in 1/256, by the neighbours.

/// That a pixel is not empty.
pub(crate) const EMPTY: [u8; 81] = [128; 81];
/// That a pixel that is not empty is not full.
pub(crate) const FULL: [u8; 81] = [128; 81];
/// Of the four bits of a level, as a tree.
pub(crate) const LEVEL: [[u8; 16]; 9] = [[128; 16]; 9];

//! Which state of the directory something is: states are counted, and two that were made from the same one differ in their hash.
//!
//! A node keeps the revision of its copy in a file beside it, written after it: when the power fails in between, the copy counts as older than it is, and is
//! taken over again.

use std::io;
use std::path::Path;

use crate::data::write_whole;
use crate::directory::Damaged;

/// See the module. The first one has number 1; 0: the node's copy is none of the common directory yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Revision {
    pub(super) number: u64,
    hash: String,
}

impl Revision {
    /// Of this number and content.
    pub(super) fn of(number: u64, json: &[u8]) -> Self {
        Self { number, hash: blake3::hash(json).to_hex()[..16].to_owned() }
    }

    /// From [`Self::to_text`].
    pub(super) fn from_text(text: &str) -> Option<Self> {
        let (number, hash) = text.split_once('-')?;
        Some(Self { number: number.parse().ok()?, hash: hash.to_owned() })
    }

    /// As it stands in Redis and in the file.
    pub(super) fn to_text(&self) -> String {
        format!("{}-{}", self.number, self.hash)
    }

    /// Reads the file; without one, it is 0.
    ///
    /// # Errors
    /// When it can't be read or is damaged.
    pub fn load(path: &Path) -> Result<Self, Damaged> {
        match std::fs::read_to_string(path) {
            Ok(text) => Self::from_text(text.trim())
                .ok_or_else(|| Damaged::new(path, format!("'{}' is no revision", text.trim()))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(Damaged::new(path, error.to_string())),
        }
    }

    /// Writes the file.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn save(&self, path: &Path) -> io::Result<()> {
        write_whole(path, (self.to_text() + "\n").as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Promise: a revision outlives a restart, and a damaged one is not taken for the first.
    #[test]
    fn a_revision_outlives_a_restart() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("directory.revision");
        assert_eq!(Revision::load(&path).expect("none yet"), Revision::default());
        let revision = Revision::of(12, b"{}");
        revision.save(&path).expect("a file");
        assert_eq!(Revision::load(&path).expect("a revision"), revision);
        for wrong in ["", "12", "x-1"] {
            std::fs::write(&path, wrong).expect("a file");
            assert!(Revision::load(&path).is_err(), "{wrong}");
        }
    }
}

//! The data folder of a node.
//!
//! ```text
//! relay.key          the relay's key, the same at each of its nodes; back it up: every box and device pins it
//! directory.json     tenants and edge servers (`directory`)
//! directory.revision which state of it that is, of a relay of several nodes (`common`)
//! revocations.json   who is out for as long as tokens live (`revocations`)
//! admin.door         where the API is, and its password
//! lock               held while a node runs on the folder
//! ```
//!
//! Invariant: one node at a time works on a folder.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;
use tresen_identity::{KeyPair, Secret};
use zeroize::Zeroizing;

use crate::node::StartError;

/// A locked data folder.
pub struct DataFolder {
    path: PathBuf,
    _lock: File,
}

impl DataFolder {
    /// Makes the folder when there is none, and locks it.
    ///
    /// # Errors
    /// When another node works there, or the disk refuses.
    pub fn open(path: &Path) -> Result<Self, StartError> {
        let lock_path = path.join("lock");
        let unusable = |error| StartError::File(lock_path.clone(), error);
        std::fs::create_dir_all(path).map_err(unusable)?;
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(&lock_path);
        let lock = lock.map_err(unusable)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path: path.to_owned(), _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(StartError::Locked(path.to_owned())),
            Err(TryLockError::Error(error)) => Err(unusable(error)),
        }
    }

    /// The path of one of its files.
    #[must_use]
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// The relay's key, made when there is none. All nodes of a relay have the same one.
    ///
    /// # Errors
    /// When it can't be read or written, or is damaged.
    pub fn key(&self) -> Result<KeyPair, StartError> {
        let path = self.file("relay.key");
        let unusable = |error| StartError::File(path.clone(), error);
        match std::fs::read_to_string(&path).map(Zeroizing::new) {
            Ok(text) => {
                let seed = Secret::from_text(text.trim()).ok_or_else(|| {
                    unusable(io::Error::other(
                        "it is damaged: put it back from a backup, every box and device pins it",
                    ))
                })?;
                Ok(KeyPair::from_seed(&seed))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let seed = Secret::new(rand::random());
                let text = Zeroizing::new(seed.to_text() + "\n");
                write_new(&path, text.as_bytes()).map_err(unusable)?;
                Ok(KeyPair::from_seed(&seed))
            }
            Err(error) => Err(unusable(error)),
        }
    }
}

/// Writes a file for its owner's eyes only: a machine that loses power has the old one, or the new one.
///
/// # Errors
/// When the disk refuses.
pub fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let (file, folder) = unnamed(path, bytes)?;
    file.persist(path)?;
    File::open(folder)?.sync_all()
}

fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let (file, folder) = unnamed(path, bytes)?;
    file.persist_noclobber(path)?;
    File::open(folder)?.sync_all()
}

/// Temporary files are for their owner's eyes only, and stay so under their last name.
fn unnamed<'a>(path: &'a Path, bytes: &[u8]) -> io::Result<(NamedTempFile, &'a Path)> {
    let folder = path.parent().ok_or_else(|| io::Error::other("a file lies in a folder"))?;
    let mut file = NamedTempFile::new_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    Ok((file, folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Promise: one node works on a folder, and it keeps its key.
    #[test]
    fn a_folder_has_one_node_and_keeps_its_key() {
        let root = tempfile::tempdir().expect("a folder");
        let path = root.path().join("data");
        let first = DataFolder::open(&path).expect("a folder");
        let name = first.key().expect("a key").fingerprint();
        assert!(matches!(DataFolder::open(&path), Err(StartError::Locked(_))));
        drop(first);
        let again = DataFolder::open(&path).expect("the folder");
        assert_eq!(again.key().expect("the key").fingerprint(), name);
        std::fs::write(path.join("relay.key"), "short").expect("a file");
        assert!(matches!(again.key(), Err(StartError::File(..))));
    }
}

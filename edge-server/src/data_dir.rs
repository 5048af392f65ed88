//! The data folder: who may use it, and where things lie in it.
//!
//! ```text
//! lock           held while a server runs on the folder
//! server.key     the server's private key (32 bytes, base32), readable by its owner only
//! browsers.key   the private key of the certificate that browsers see
//! ledger.db      the database
//! relay          the way through the relay that the server has joined
//! acme.account   the account with the authority that certifies the server's public name
//! acme.key       that certificate, and its key
//! local.door     port and password of the running server, for commands on this machine
//! habits         what is tapped after what; may be deleted
//! spool/         receipts
//! *.before-restore-N   what a restored backup replaced
//! ```

use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use thiserror::Error;
use tresen_identity::{KeyPair, Secret};
use zeroize::Zeroizing;

use crate::files;

/// The file with the account at an authority.
pub const ACME_ACCOUNT: &str = "acme.account";

/// The file with the certificate from there, and its key.
pub const ACME_CERTIFICATE: &str = "acme.key";

/// The opened data folder. While it lives, no other server can open it.
pub struct DataDir {
    path: PathBuf,
    _lock: File,
}

/// Why a data folder can't be used.
#[derive(Debug, Error)]
pub enum DataDirError {
    /// Another process holds it.
    #[error("the data folder {} is in use by another tresen-edge: stop that one, or choose another folder with --data", .0.display())]
    Locked(PathBuf),
    /// It can't be created, read or written.
    #[error("{} can't be used: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A key file is damaged.
    #[error("the key file {} is damaged: put it back from a backup, or remove it to begin with a new key (every device must pair again)", .0.display())]
    Key(PathBuf),
}

impl DataDir {
    /// Creates the folder when it is missing, and locks it.
    ///
    /// # Errors
    /// When another process holds it, or it can't be written.
    pub fn open(path: &Path) -> Result<Self, DataDirError> {
        let io = |path: &Path| {
            let path = path.to_owned();
            move |source| DataDirError::Io { path, source }
        };
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(io(path))?;
        let lock_path = path.join("lock");
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&lock_path)
            .map_err(io(&lock_path))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path: path.to_owned(), _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(DataDirError::Locked(path.to_owned())),
            Err(TryLockError::Error(source)) => Err(DataDirError::Io { path: lock_path, source }),
        }
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The database.
    #[must_use]
    pub fn ledger(&self) -> PathBuf {
        self.path.join("ledger.db")
    }

    /// Receipts.
    #[must_use]
    pub fn spool(&self) -> PathBuf {
        self.path.join("spool")
    }

    /// The server's key pair, made when there is none.
    ///
    /// # Errors
    /// When the file can't be read or written, or is damaged.
    pub fn server_key(&self) -> Result<KeyPair, DataDirError> {
        Ok(KeyPair::from_seed(&self.secret_file("server.key")?))
    }

    /// The seed of the key that browsers see, made when there is none.
    ///
    /// # Errors
    /// As [`Self::server_key`].
    pub fn browsers_key(&self) -> Result<Secret<32>, DataDirError> {
        self.secret_file("browsers.key")
    }

    /// 32 secret bytes in a file of their own, drawn when the file is missing.
    fn secret_file(&self, name: &str) -> Result<Secret<32>, DataDirError> {
        let path = self.path.join(name);
        if path.exists() { read_secret_file(&path) } else { new_secret_file(&path) }
    }

    /// Writes a file that only its owner may read, in place of an older one.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn write_private(&self, name: &str, text: &str) -> Result<(), DataDirError> {
        let path = self.path.join(name);
        let io = |source| DataDirError::Io { path: path.clone(), source };
        files::write_whole_private(&path, text.as_bytes()).map_err(io)
    }
}

/// Reads 32 secret bytes.
///
/// # Errors
/// When the file can't be read, or is damaged.
pub fn read_secret_file(path: &Path) -> Result<Secret<32>, DataDirError> {
    let text =
        std::fs::read_to_string(path).map_err(|source| DataDirError::Io { path: path.to_owned(), source })?;
    Secret::from_text(Zeroizing::new(text).trim()).ok_or_else(|| DataDirError::Key(path.to_owned()))
}

/// Draws 32 secret bytes and writes them into a new file that only its owner may read. A process that is killed meanwhile leaves no
/// half of it.
///
/// # Errors
/// When the file is there already, or can't be written.
pub fn new_secret_file(path: &Path) -> Result<Secret<32>, DataDirError> {
    let io = |source| DataDirError::Io { path: path.to_owned(), source };
    if path.exists() {
        return Err(io(std::io::ErrorKind::AlreadyExists.into()));
    }
    let mut bytes = Zeroizing::new([0; 32]);
    getrandom::fill(bytes.as_mut_slice()).map_err(|error| io(std::io::Error::other(error)))?;
    let secret = Secret::new(*bytes);
    files::write_whole_private(path, Zeroizing::new(secret.to_text()).as_bytes()).map_err(io)?;
    Ok(secret)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_has_one_user_and_keeps_its_key() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("data");
        let first = DataDir::open(&path).unwrap();
        let name = first.server_key().unwrap().fingerprint();
        assert!(matches!(DataDir::open(&path), Err(DataDirError::Locked(_))));
        drop(first);
        let again = DataDir::open(&path).unwrap();
        assert_eq!(again.server_key().unwrap().fingerprint(), name);
        std::fs::write(path.join("server.key"), "short").unwrap();
        assert!(matches!(again.server_key(), Err(DataDirError::Key(_))));
    }
}

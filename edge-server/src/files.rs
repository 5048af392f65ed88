//! Files that are either whole or not there.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// What an unfinished file is called: the name with this at its end.
pub const UNFINISHED: &str = ".tmp";

/// Mode of an ordinary file, before the umask.
const PUBLIC: u32 = 0o666;

/// Mode of a file that only its owner may read.
const PRIVATE: u32 = 0o600;

/// Writes a file so that a reader, and a machine that loses power at any instant, sees the old one, or the new one, never a part.
///
/// # Errors
/// When it can't be written, synced or renamed; an unfinished file may be left behind, see [`UNFINISHED`].
pub fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    write(path, bytes, PUBLIC)?;
    sync_folder(folder_of(path)?)
}

/// Writes one of many files of a folder: nobody ever sees a part of it, but that it is there outlives a loss of power only after
/// [`sync_folder`].
///
/// # Errors
/// As [`write_whole`].
pub fn write_one_of_many(path: &Path, bytes: &[u8]) -> io::Result<()> {
    write(path, bytes, PUBLIC)
}

/// Makes sure that what was written into a folder is still there after a loss of power.
///
/// # Errors
/// When the disk refuses.
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Writes a file as [`write_whole`] does, for its owner's eyes only.
///
/// # Errors
/// As [`write_whole`].
pub fn write_whole_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    write(path, bytes, PRIVATE)?;
    sync_folder(folder_of(path)?)
}

fn folder_of(path: &Path) -> io::Result<&Path> {
    path.parent().ok_or_else(|| io::Error::other("a file lies in a folder"))
}

fn write(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let folder = folder_of(path)?;
    let mut name = path.file_name().ok_or_else(|| io::Error::other("a file has a name"))?.to_owned();
    name.push(UNFINISHED);
    let unfinished = folder.join(name);
    // A new file, so that what is written is never under the mode of one that was left behind.
    match std::fs::remove_file(&unfinished) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let mut file = OpenOptions::new().create_new(true).write(true).mode(mode).open(&unfinished)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    drop(file);
    std::fs::rename(&unfinished, path)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_file_is_replaced_as_a_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("receipt");
        write_whole(&path, b"first, and longer").unwrap();
        write_whole(&path, b"second").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"second");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        assert!(write_whole(&folder.path().join("nowhere/receipt"), b"").is_err());
    }

    #[test]
    fn a_private_file_is_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        // An earlier try left a part that everybody may read.
        std::fs::write(folder.path().join(format!("key{UNFINISHED}")), b"sec").unwrap();
        write_whole_private(&path, b"secret").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"secret");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, PRIVATE);
    }
}

//! Files that are either whole or not there.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

/// What an unfinished file is called: the name with this at its end.
pub const UNFINISHED: &str = ".tmp";

/// Mode of an ordinary file, before the umask.
const PUBLIC: u32 = 0o666;

/// Mode of a file that only its owner may read.
const PRIVATE: u32 = 0o600;

/// What a disk writes whole or not at all.
const SECTOR_BYTES: usize = 512;

/// Writes files of one folder, by their names: nobody ever sees a part of one. That they are there outlives a loss of power only after [`sync_folder`].
///
/// Several go to the disk together, with whatever else waits for it on that file system: as many syncs of their own would each make others wait, those who
/// book most of all. Before Linux 5.8 a disk's error is not told then.
///
/// # Errors
/// When one can't be written, synced or renamed; some of them may be there then, and unfinished ones may be left behind, see [`UNFINISHED`].
pub fn write_together(folder: &Path, files: &[(String, Vec<u8>)]) -> io::Result<()> {
    let unfinished = |name: &str| folder.join(format!("{name}{UNFINISHED}"));
    // Opened before anything is written: what fails from here on is told.
    let all = (files.len() > 1).then(|| File::open(folder)).transpose()?;
    for (name, bytes) in files {
        let mut file = begin(&unfinished(name), PUBLIC)?;
        file.write_all(bytes)?;
        if all.is_none() {
            file.sync_all()?;
        }
    }
    if let Some(all) = all {
        nix::unistd::syncfs(all)?;
    }
    files.iter().try_for_each(|(name, _)| std::fs::rename(unfinished(name), folder.join(name)))
}

/// Notes something in a small file, over what was noted before. It is as long each time, and lies in one sector of the disk, so it is never seen half. A
/// file that is new may be gone after a loss of power.
///
/// # Errors
/// When the disk refuses.
pub fn note<const BYTES: usize>(path: &Path, text: &[u8; BYTES]) -> io::Result<()> {
    const { assert!(BYTES <= SECTOR_BYTES) };
    let file = OpenOptions::new().create(true).write(true).truncate(false).open(path)?;
    if file.metadata()?.len() != BYTES as u64 {
        file.set_len(BYTES as u64)?;
    }
    file.write_all_at(text, 0)?;
    file.sync_data()
}

/// Makes sure that what was written into a folder is still there after a loss of power.
///
/// # Errors
/// When the disk refuses.
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Writes a file, for its owner's eyes only, so that a reader, and a machine that loses power at any instant, sees the old one, or the new one, never a part.
///
/// # Errors
/// When it can't be written, synced or renamed; an unfinished file may be left behind, see [`UNFINISHED`].
pub fn write_whole_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().ok_or_else(|| io::Error::other("a file lies in a folder"))?;
    let mut name = path.file_name().ok_or_else(|| io::Error::other("a file has a name"))?.to_owned();
    name.push(UNFINISHED);
    let unfinished = folder.join(name);
    let mut file = begin(&unfinished, PRIVATE)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    drop(file);
    std::fs::rename(&unfinished, path)?;
    sync_folder(folder)
}

/// A new file, so that what is written is never under the mode of one that was left behind.
fn begin(unfinished: &Path, mode: u32) -> io::Result<File> {
    match std::fs::remove_file(unfinished) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    OpenOptions::new().create_new(true).write(true).mode(mode).open(unfinished)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn files_are_written_together() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("two"), b"an earlier one").unwrap();
        std::fs::write(folder.path().join(format!("two{UNFINISHED}")), b"a part of a longer one").unwrap();
        let files = [("one".to_owned(), b"1".to_vec()), ("two".to_owned(), b"2".to_vec())];
        write_together(folder.path(), &files).unwrap();
        assert_eq!(std::fs::read(folder.path().join("one")).unwrap(), b"1");
        assert_eq!(std::fs::read(folder.path().join("two")).unwrap(), b"2");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
        assert!(write_together(&folder.path().join("nowhere"), &files).is_err());
        let longer = [("one".to_owned(), b"alone, and longer".to_vec())];
        write_together(folder.path(), &longer).unwrap();
        assert_eq!(std::fs::read(folder.path().join("one")).unwrap(), b"alone, and longer");
    }

    /// Promise: a note is written over the one before, in the same file.
    #[test]
    fn a_note_takes_no_new_file() {
        use std::os::unix::fs::MetadataExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("progress");
        std::fs::write(&path, b"something long that somebody else wrote").unwrap();
        note(&path, b"123 ").unwrap();
        let file = std::fs::metadata(&path).unwrap().ino();
        note(&path, b"9   ").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"9   ");
        assert_eq!(std::fs::metadata(&path).unwrap().ino(), file);
    }

    #[test]
    fn a_private_file_is_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        // An earlier try left a part that everybody may read.
        std::fs::write(folder.path().join(format!("key{UNFINISHED}")), b"sec").unwrap();
        write_whole_private(&path, b"an earlier secret").unwrap();
        write_whole_private(&path, b"secret").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"secret");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        assert!(write_whole_private(&folder.path().join("nowhere/key"), b"").is_err());
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, PRIVATE);
    }
}

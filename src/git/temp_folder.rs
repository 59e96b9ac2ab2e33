//! Temporary folders, accessible by this user only, and files in checkouts.

use std::fs::File;
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

const PREFIX: &str = "windlass-git-";

/// A temporary folder that is removed on drop. A lock on it tells other servers that it is in use.
pub struct TempFolder {
    path: PathBuf,
    _lock: File,
}

impl TempFolder {
    /// Creates a folder that only this user can access.
    ///
    /// # Errors
    /// If the folder cannot be created.
    pub fn new() -> Result<Self, String> {
        loop {
            let made = Self::create().map_err(|e| format!("the server cannot create a temporary folder: {e}"))?;
            // Another server that starts may have removed it before it was locked.
            if made.path.exists() {
                return Ok(made);
            }
        }
    }

    fn create() -> std::io::Result<Self> {
        let path = std::env::temp_dir().join(format!("{PREFIX}{}", uuid::Uuid::now_v7()));
        std::fs::DirBuilder::new().mode(0o700).create(&path)?;
        let lock = File::open(&path)?;
        lock.lock()?;
        Ok(Self { path, _lock: lock })
    }

    /// The path of the folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for TempFolder {
    fn drop(&mut self) {
        // A leftover is removed at the next start.
        let _removed = std::fs::remove_dir_all(&self.path);
    }
}

/// Removes the temporary folders of servers that were killed: they may contain sources and keys.
pub fn remove_abandoned() {
    let Ok(entries) = std::fs::read_dir(std::env::temp_dir()) else { return };
    for entry in entries.flatten().filter(|entry| is_ours(&entry.file_name().to_string_lossy())) {
        let abandoned = File::open(entry.path()).is_ok_and(|folder| folder.try_lock().is_ok());
        if abandoned && let Err(error) = std::fs::remove_dir_all(entry.path()) {
            tracing::debug!(%error, folder = %entry.path().display(), "cannot remove an abandoned temporary folder");
        }
    }
}

/// Whether a folder has a name that `TempFolder` gives.
fn is_ours(name: &str) -> bool {
    name.strip_prefix(PREFIX).and_then(|id| uuid::Uuid::try_parse(id).ok()).is_some_and(|id| id.get_version_num() == 7)
}

/// Writes a file into a checkout, readable by this user only. A file or a symbolic link of that name in the repository is replaced.
///
/// # Errors
/// If the file cannot be written, or the repository has a folder of that name.
pub fn write_inside(folder: &Path, name: &str, content: &str) -> std::io::Result<()> {
    let path = folder.join(name);
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?.write_all(content.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::{TempFolder, remove_abandoned, write_inside};

    #[test]
    fn a_link_in_the_repository_is_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let outside = folder.path().join("outside");
        std::fs::write(&outside, "before").unwrap();
        let inside = folder.path().join("inside");
        std::fs::create_dir(&inside).unwrap();
        std::os::unix::fs::symlink(&outside, inside.join("name")).unwrap();
        write_inside(&inside, "name", "after").unwrap();
        assert_eq!(std::fs::read_to_string(&outside).unwrap(), "before");
        assert_eq!(std::fs::read_to_string(inside.join("name")).unwrap(), "after");
        std::fs::create_dir(inside.join("folder")).unwrap();
        assert!(write_inside(&inside, "folder", "after").is_err());
    }

    #[test]
    fn folders_of_killed_servers_are_removed() {
        let used = TempFolder::new().unwrap();
        let abandoned = std::env::temp_dir().join(format!("windlass-git-{}", uuid::Uuid::now_v7()));
        std::fs::create_dir(&abandoned).unwrap();
        let of_others = tempfile::Builder::new().prefix("windlass-git-").tempdir().unwrap();
        remove_abandoned();
        assert!(used.path().exists() && !abandoned.exists());
        assert!(of_others.path().exists(), "only the name begins alike");
    }
}

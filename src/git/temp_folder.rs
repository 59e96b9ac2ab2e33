//! A temporary folder, accessible by this user only.

use std::path::Path;

/// A temporary folder that is removed on drop.
pub struct TempFolder(std::path::PathBuf);

impl TempFolder {
    /// Creates a folder that only this user can access.
    ///
    /// # Errors
    /// If the folder cannot be created.
    pub fn new() -> Result<Self, String> {
        use std::os::unix::fs::DirBuilderExt as _;
        let path = std::env::temp_dir().join(format!("windlass-git-{}", uuid::Uuid::now_v7()));
        let made = std::fs::DirBuilder::new().mode(0o700).create(&path);
        made.map(|()| Self(path)).map_err(|error| format!("the server cannot create a temporary folder: {error}"))
    }

    /// The path of the folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for TempFolder {
    fn drop(&mut self) {
        // A leftover stays in the system's temporary folder.
        let _removed = std::fs::remove_dir_all(&self.0);
    }
}

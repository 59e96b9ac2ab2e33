//! A temporary folder, readable by this user only.

use std::path::Path;

/// A folder that is removed with its value.
pub struct TempFolder(std::path::PathBuf);

impl TempFolder {
    /// Makes one that only this user can open.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn new() -> Result<Self, String> {
        use std::os::unix::fs::DirBuilderExt as _;
        let path = std::env::temp_dir().join(format!("windlass-git-{}", uuid::Uuid::now_v7()));
        let made = std::fs::DirBuilder::new().mode(0o700).create(&path);
        made.map(|()| Self(path)).map_err(|error| format!("the server cannot make a folder: {error}"))
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for TempFolder {
    fn drop(&mut self) {
        // What stays behind is in the folder for temporary files.
        let _removed = std::fs::remove_dir_all(&self.0);
    }
}

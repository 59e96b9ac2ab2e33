//! Creates folders that only the user of the server can enter: they contain sources, values and outputs of runs.

use std::io::{ErrorKind, Result};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;

/// Creates a folder, unless it is there. The folders above it keep the usual mode.
pub(super) fn private_folder(folder: &Path) -> Result<()> {
    if let Some(parent) = folder.parent() {
        std::fs::create_dir_all(parent)?;
    }
    match std::fs::DirBuilder::new().mode(0o700).create(folder) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

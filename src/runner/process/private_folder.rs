//! Creates folders that only the user of the server can enter: they contain sources, values and outputs of runs.

use std::io::{ErrorKind, Result};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;

/// The mode of such a folder.
pub(super) const PRIVATE: u32 = 0o700;

/// Creates a folder, unless it is there. The folders above it keep the usual mode.
pub(super) fn private_folder(folder: &Path) -> Result<()> {
    let create = || match std::fs::DirBuilder::new().mode(PRIVATE).create(folder) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        created => created,
    };
    match (create(), folder.parent()) {
        (Err(error), Some(parent)) if error.kind() == ErrorKind::NotFound => {
            std::fs::create_dir_all(parent)?;
            create()
        }
        (created, _) => created,
    }
}

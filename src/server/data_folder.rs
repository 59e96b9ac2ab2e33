//! The data folder: private, and locked if it holds the database.

use crate::config::Config;
use crate::error::{Error, Result};

/// Creates the data folder. It holds the database and the keys, so only its owner may access it.
pub(super) fn make_private_folder(config: &Config) -> Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&config.data_dir).map_err(|error| {
        Error::internal(format!("cannot create the data folder {}: {error}", config.data_dir.display()))
    })
}

/// Locks an SQLite data folder: a second server would treat the runs of the first as orphaned.
///
/// # Errors
/// When another server holds the lock, or the lock file cannot be created.
pub fn lock_data_folder(config: &Config) -> Result<Option<std::fs::File>> {
    if !config.database_url().starts_with("sqlite") {
        return Ok(None);
    }
    let path = config.data_dir.join("server.lock");
    let file =
        std::fs::File::create(&path).map_err(|e| Error::internal(format!("cannot create {}: {e}", path.display())))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(error) => Err(Error::internal(format!(
            "another server is using the data folder {}: {error}",
            config.data_dir.display()
        ))),
    }
}

//! The data folder: private, and locked where it holds the database.

use crate::config::Config;
use crate::error::{Error, Result};

/// The data folder holds the database and the keys: nobody else may look.
pub(super) fn make_private_folder(config: &Config) -> Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&config.data_dir)
        .map_err(|error| Error::internal(format!("cannot make the data folder {}: {error}", config.data_dir.display())))
}

/// An SQLite database has one server: a second one would take its runs for those of a dead one.
///
/// # Errors
/// When another server holds the lock, or the file cannot be made.
pub fn lock_data_folder(config: &Config) -> Result<Option<std::fs::File>> {
    if !config.database_url().starts_with("sqlite") {
        return Ok(None);
    }
    let path = config.data_dir.join("server.lock");
    let file =
        std::fs::File::create(&path).map_err(|e| Error::internal(format!("cannot make {}: {e}", path.display())))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(error) => {
            Err(Error::internal(format!("another server uses the data folder {}: {error}", config.data_dir.display())))
        }
    }
}

//! The data folder, which is private.

use crate::config::Config;
use crate::error::{Error, Result};

/// Creates the data folder. It holds the database and the keys, so only its owner may access it.
pub(super) fn make_private_folder(config: &Config) -> Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&config.data_dir).map_err(|error| {
        Error::internal(format!("cannot create the data folder {}: {error}", config.data_dir.display()))
    })
}

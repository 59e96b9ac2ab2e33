//! The passphrase of the keys in a backup: from a file or a variable, never from the command line.

use std::path::PathBuf;

use clap::Args;
use windlass::config::{BACKUP_PASSPHRASE, backup_passphrase};
use windlass::error::{Error, Result};
use windlass::secret::Secret;

/// The fewest characters. Whoever has the file can guess as often as they like.
const FEWEST: usize = 12;

#[derive(Args)]
pub(crate) struct Source {
    /// File whose first line is the passphrase of the keys in the backup [default: the variable `WINDLASS_BACKUP_PASSPHRASE`].
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
}

impl Source {
    /// The passphrase, if there is one.
    pub(crate) fn read(&self) -> Result<Option<Secret<String>>> {
        let Some(path) = &self.passphrase_file else { return Ok(backup_passphrase()) };
        let text = std::fs::read_to_string(path).map(Secret::new);
        let text = text.map_err(|error| Error::internal(format!("--passphrase-file: {}: {error}", path.display())))?;
        Ok(Some(Secret::new(text.expose().lines().next().unwrap_or_default().to_owned())))
    }

    /// The passphrase of new keys.
    pub(crate) fn read_new(&self) -> Result<Secret<String>> {
        let missing = || {
            let text = format!("needs a passphrase: set --passphrase-file or the variable {BACKUP_PASSPHRASE}");
            Error::invalid("--with-key", text)
        };
        let passphrase = self.read()?.ok_or_else(missing)?;
        if passphrase.expose().chars().count() < FEWEST {
            return Err(Error::invalid("--with-key", format!("the passphrase must have at least {FEWEST} characters")));
        }
        Ok(passphrase)
    }
}

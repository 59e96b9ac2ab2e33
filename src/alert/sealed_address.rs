//! The part of a receiver that is sealed: its address, and its password, key or token.

use entity::alert_receiver::Model;
use serde::{Deserialize, Serialize};
use zeroize::Zeroize;

use crate::app::App;
use crate::error::{Error, Result};
use crate::secret::place;

const TABLE: &str = "alert_receiver";

/// Not `Debug`: most addresses contain a secret.
#[derive(Clone, Default, Serialize, Deserialize)]
pub struct Address {
    /// Empty for mail, and where the receiver has a default.
    pub url: String,
    pub secret: Option<String>,
}

impl Address {
    /// Reads that of a stored receiver.
    ///
    /// # Errors
    /// When it cannot be decrypted.
    pub fn open(app: &App, row: &Model) -> Result<Self> {
        let Some(sealed) = &row.sealed else { return Ok(Self::default()) };
        let text = app.keys.open_text(&place(TABLE, row.id.0), sealed)?;
        serde_json::from_str(text.expose()).map_err(Error::internal)
    }

    /// Seals it for its row.
    ///
    /// # Errors
    /// When it cannot be encrypted.
    pub fn seal(&self, app: &App, row: &Model) -> Result<Vec<u8>> {
        let mut text = serde_json::to_string(self).map_err(Error::internal)?;
        let sealed = app.keys.seal(&place(TABLE, row.id.0), text.as_bytes());
        text.zeroize();
        sealed
    }
}

impl Drop for Address {
    fn drop(&mut self) {
        self.url.zeroize();
        self.secret.zeroize();
    }
}

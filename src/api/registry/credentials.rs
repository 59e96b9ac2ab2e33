//! Credentials of registries, each sealed for its row.

use std::collections::BTreeMap;

use entity::id::RegistryId;
use entity::registry;

use crate::app::App;
use crate::error::{Error, Result};
use crate::secret::{Secret, place};

pub(super) fn seal(app: &App, id: RegistryId, secrets: &BTreeMap<String, String>) -> Result<Option<Vec<u8>>> {
    if secrets.is_empty() {
        return Ok(None);
    }
    let text = serde_json::to_vec(secrets).map_err(Error::internal)?;
    app.keys.seal(&place("registry", id.0), &text).map(Some)
}

pub(super) fn open(app: &App, row: &registry::Model) -> Result<BTreeMap<String, String>> {
    let Some(sealed) = &row.credentials else { return Ok(BTreeMap::new()) };
    let opened = app.keys.open(&place("registry", row.id.0), sealed)?;
    serde_json::from_slice(opened.expose()).map_err(|_| Error::internal("sealed credentials are not JSON"))
}

/// The secrets in plain text, for sealing only.
pub(super) fn exposed(secrets: &BTreeMap<&'static str, Secret<String>>) -> BTreeMap<String, String> {
    secrets.iter().map(|(key, value)| ((*key).to_owned(), value.expose().clone())).collect()
}

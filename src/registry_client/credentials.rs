//! The login for a stored registry.

use std::collections::BTreeMap;

use entity::registry;
use entity::registry::RegistryKind;

use crate::error::{Error, Result};
use crate::secret::{KeyRing, Secret, place};

/// A login for a registry.
#[derive(Clone, Debug)]
pub struct Login {
    pub username: String,
    pub password: Secret<String>,
}

/// The login for a stored registry. Registries that need a token from their cloud provider have none.
///
/// # Errors
/// When the stored credentials cannot be opened.
pub fn login(keys: &KeyRing, row: &registry::Model) -> Result<Option<Login>> {
    let Some(sealed) = &row.credentials else { return Ok(None) };
    let opened = keys.open(&place("registry", row.id.0), sealed)?;
    let mut secrets: BTreeMap<String, String> =
        serde_json::from_slice(opened.expose()).map_err(|_| Error::internal("sealed credentials are not JSON"))?;
    let login = match row.kind {
        RegistryKind::ScalewayCr => Some("nologin".to_owned()).zip(secrets.remove("scaleway_secret_key")),
        RegistryKind::GcpArtifactRegistry => Some("_json_key".to_owned()).zip(secrets.remove("json_credentials")),
        RegistryKind::Ecr | RegistryKind::AzureCr => None,
        _ => row.config.username.clone().zip(secrets.remove("password")),
    };
    Ok(login.map(|(username, password)| Login { username, password: Secret::new(password) }))
}

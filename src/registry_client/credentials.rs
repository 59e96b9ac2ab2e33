//! The login for a stored registry.

use std::collections::BTreeMap;

use entity::id::OrganizationId;
use entity::registry;
use entity::registry::RegistryKind;

use crate::error::{Error, Result};
use crate::secret::stored_binding::of_registry;
use crate::secret::{Binding, Destination, KeyRing, NotSent, Secret, permits, place};

/// A login for a registry.
#[derive(Clone, Debug)]
pub struct Login {
    pub username: String,
    pub password: Secret<String>,
    binding: Binding,
}

impl Login {
    /// Whether the login, or a token that it was exchanged for, may be sent to a URL. `named_by` is the URL of the registry that
    /// named this one as its token service.
    pub(super) fn may_go(&self, url: &str, named_by: Option<&str>) -> Result<(), NotSent> {
        permits(&self.binding, &Destination { organization: self.binding.organization, url, named_by })
    }
}

/// The login for a stored registry. Registries that need a token from their cloud provider have none.
///
/// # Errors
/// When the stored credentials cannot be opened. The inner error says why the organization may not use the registry.
pub fn login(
    keys: &KeyRing,
    row: &registry::Model,
    organization: OrganizationId,
) -> Result<Result<Option<Login>, NotSent>> {
    let binding = of_registry(row);
    if binding.organization != organization {
        return Ok(Err(NotSent::Organization));
    }
    let Some(sealed) = &row.credentials else { return Ok(Ok(None)) };
    let opened = keys.open(&place("registry", row.id.0), sealed)?;
    let mut secrets: BTreeMap<String, String> =
        serde_json::from_slice(opened.expose()).map_err(|_| Error::internal("sealed credentials are not JSON"))?;
    let login = match row.kind {
        RegistryKind::ScalewayCr => Some("nologin".to_owned()).zip(secrets.remove("scaleway_secret_key")),
        RegistryKind::GcpArtifactRegistry => Some("_json_key".to_owned()).zip(secrets.remove("json_credentials")),
        RegistryKind::Ecr | RegistryKind::AzureCr => None,
        _ => row.config.username.clone().zip(secrets.remove("password")),
    };
    Ok(Ok(login.map(|(username, password)| Login { username, password: Secret::new(password), binding })))
}

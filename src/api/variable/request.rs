//! Requests of the families of variables and secrets. They are not `Debug`: a value may be a secret.

use poem_openapi::Object;
use poem_openapi::types::MaybeUndefined;
use serde::Deserialize;

/// A new variable or secret.
#[derive(Deserialize, Object)]
pub(super) struct EnvironmentVariableRequest {
    pub(super) key: String,
    #[serde(default)]
    #[oai(default)]
    pub(super) value: Option<String>,
    #[serde(default)]
    #[oai(default)]
    pub(super) mount_path: Option<String>,
    #[serde(default)]
    #[oai(default)]
    pub(super) description: Option<String>,
    #[serde(default)]
    #[oai(default)]
    pub(super) enable_interpolation_in_file: Option<bool>,
}

#[derive(Deserialize, Object)]
pub(super) struct EnvironmentVariableEditRequest {
    pub(super) key: String,
    #[serde(default)]
    #[oai(default)]
    pub(super) value: Option<String>,
    #[serde(default)]
    #[oai(default)]
    pub(super) mount_path: Option<String>,
    #[serde(default)]
    #[oai(default)]
    pub(super) description: MaybeUndefined<String>,
    #[serde(default)]
    #[oai(default)]
    pub(super) enable_interpolation_in_file: MaybeUndefined<bool>,
}

#[derive(Deserialize, Object)]
pub(super) struct SecretEditRequest {
    pub(super) key: String,
    #[serde(default)]
    #[oai(default)]
    pub(super) value: Option<String>,
    #[serde(default)]
    #[oai(default)]
    pub(super) description: MaybeUndefined<String>,
    #[serde(default)]
    #[oai(default)]
    pub(super) enable_interpolation_in_file: MaybeUndefined<bool>,
}

impl From<SecretEditRequest> for EnvironmentVariableEditRequest {
    fn from(request: SecretEditRequest) -> Self {
        let SecretEditRequest { key, value, description, enable_interpolation_in_file } = request;
        Self { key, value, mount_path: None, description, enable_interpolation_in_file }
    }
}

/// A new alias.
#[derive(Deserialize, Object)]
pub(super) struct Key {
    pub(super) key: String,
    #[serde(default)]
    #[oai(default)]
    pub(super) description: Option<String>,
    #[serde(default)]
    #[oai(default)]
    pub(super) enable_interpolation_in_file: Option<bool>,
}

/// A new override.
#[derive(Deserialize, Object)]
pub(super) struct Value {
    #[serde(default)]
    #[oai(default)]
    pub(super) value: Option<String>,
    #[serde(default)]
    #[oai(default)]
    pub(super) description: Option<String>,
    #[serde(default)]
    #[oai(default)]
    pub(super) enable_interpolation_in_file: Option<bool>,
}

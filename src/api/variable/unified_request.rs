//! Requests of the unified family. They are not `Debug`: a value may be a secret.

use poem_openapi::types::MaybeUndefined;
use poem_openapi::{Enum, Object};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::scope::APIVariableScopeEnum;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Enum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[oai(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum ServiceTypeForVariableEnum {
    Application,
    Container,
    Job,
    Helm,
    Terraform,
    AgenticWorkflow,
}

#[derive(Deserialize, Object)]
pub(super) struct VariableRequest {
    pub(super) key: String,
    pub(super) value: String,
    #[serde(default)]
    #[oai(default)]
    pub(super) mount_path: Option<String>,
    pub(super) is_secret: bool,
    pub(super) variable_scope: APIVariableScopeEnum,
    pub(super) variable_parent_id: Uuid,
    #[serde(default)]
    #[oai(default)]
    pub(super) description: Option<String>,
    #[serde(default)]
    #[oai(default)]
    pub(super) enable_interpolation_in_file: Option<bool>,
    #[serde(default)]
    #[oai(default)]
    pub(super) secret_manager_access_id: Option<Uuid>,
}

#[derive(Deserialize, Object)]
pub(super) struct VariableEditRequest {
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
    #[serde(default)]
    #[oai(default)]
    pub(super) secret_manager_access_id: Option<Uuid>,
}

#[derive(Deserialize, Object)]
pub(super) struct VariableAliasRequest {
    pub(super) key: String,
    pub(super) alias_scope: APIVariableScopeEnum,
    pub(super) alias_parent_id: Uuid,
    #[serde(default)]
    #[oai(default)]
    pub(super) description: Option<String>,
    #[serde(default)]
    #[oai(default)]
    pub(super) enable_interpolation_in_file: Option<bool>,
}

#[derive(Deserialize, Object)]
pub(super) struct VariableOverrideRequest {
    pub(super) value: String,
    pub(super) override_scope: APIVariableScopeEnum,
    pub(super) override_parent_id: Uuid,
    #[serde(default)]
    #[oai(default)]
    pub(super) description: Option<String>,
    #[serde(default)]
    #[oai(default)]
    pub(super) enable_interpolation_in_file: Option<bool>,
}

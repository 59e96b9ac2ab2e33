//! Responses of the families of variables and of secrets.

use poem_openapi::Object;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::super::wire::Timestamp;
use super::response::{LinkedServiceTypeEnum, VariableResponse};
use super::scope::APIVariableScopeEnum;
use super::target::{APIVariableTypeEnum, SecretTarget, Target};

/// A variable that is not a secret.
#[derive(Debug, Serialize, Deserialize, Object)]
pub(super) struct EnvironmentVariable {
    id: Uuid,
    created_at: Timestamp,
    updated_at: Timestamp,
    key: String,
    value: String,
    mount_path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    enable_interpolation_in_file: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    overridden_variable: Option<Target>,
    #[serde(skip_serializing_if = "Option::is_none")]
    aliased_variable: Option<Target>,
    scope: APIVariableScopeEnum,
    variable_type: APIVariableTypeEnum,
    #[serde(skip_serializing_if = "Option::is_none")]
    service_id: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    service_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    service_type: Option<LinkedServiceTypeEnum>,
    #[serde(skip_serializing_if = "Option::is_none")]
    owned_by: Option<String>,
}

impl From<VariableResponse> for EnvironmentVariable {
    fn from(variable: VariableResponse) -> Self {
        Self {
            id: variable.id,
            created_at: variable.created_at,
            updated_at: variable.updated_at,
            key: variable.key,
            value: variable.value.unwrap_or_default(),
            mount_path: variable.mount_path,
            description: variable.description,
            enable_interpolation_in_file: variable.enable_interpolation_in_file,
            overridden_variable: variable.overridden_variable.map(Target::from),
            aliased_variable: variable.aliased_variable.map(Target::from),
            scope: variable.scope,
            variable_type: variable.variable_type,
            service_id: variable.service_id,
            service_name: variable.service_name,
            service_type: variable.service_type,
            owned_by: variable.owned_by,
        }
    }
}

/// A secret. Its value is never returned.
#[derive(Debug, Serialize, Deserialize, Object)]
pub(super) struct Secret {
    id: Uuid,
    created_at: Timestamp,
    updated_at: Timestamp,
    key: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    enable_interpolation_in_file: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    overridden_secret: Option<SecretTarget>,
    #[serde(skip_serializing_if = "Option::is_none")]
    aliased_secret: Option<SecretTarget>,
    scope: APIVariableScopeEnum,
    variable_type: APIVariableTypeEnum,
    #[serde(skip_serializing_if = "Option::is_none")]
    service_id: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    service_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    service_type: Option<LinkedServiceTypeEnum>,
    #[serde(skip_serializing_if = "Option::is_none")]
    owned_by: Option<String>,
}

impl From<VariableResponse> for Secret {
    fn from(variable: VariableResponse) -> Self {
        Self {
            id: variable.id,
            created_at: variable.created_at,
            updated_at: variable.updated_at,
            key: variable.key,
            description: variable.description,
            enable_interpolation_in_file: variable.enable_interpolation_in_file,
            overridden_secret: variable.overridden_variable.map(SecretTarget::from),
            aliased_secret: variable.aliased_variable.map(SecretTarget::from),
            scope: variable.scope,
            variable_type: variable.variable_type,
            service_id: variable.service_id,
            service_name: variable.service_name,
            service_type: variable.service_type,
            owned_by: variable.owned_by,
        }
    }
}

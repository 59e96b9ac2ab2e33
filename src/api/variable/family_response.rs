//! The bodies of answers of the families of variables and of secrets.

use poem_openapi::Object;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::super::wire::Timestamp;
use super::response::{LinkedServiceTypeEnum, VariableResponse};
use super::scope::APIVariableScopeEnum;
use super::target::{APIVariableTypeEnum, SecretTarget, Target};

/// A variable that is no secret.
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
    fn from(any: VariableResponse) -> Self {
        Self {
            id: any.id,
            created_at: any.created_at,
            updated_at: any.updated_at,
            key: any.key,
            value: any.value.unwrap_or_default(),
            mount_path: any.mount_path,
            description: any.description,
            enable_interpolation_in_file: any.enable_interpolation_in_file,
            overridden_variable: any.overridden_variable.map(Target::from),
            aliased_variable: any.aliased_variable.map(Target::from),
            scope: any.scope,
            variable_type: any.variable_type,
            service_id: any.service_id,
            service_name: any.service_name,
            service_type: any.service_type,
            owned_by: any.owned_by,
        }
    }
}

/// A secret; its value is never answered.
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
    fn from(any: VariableResponse) -> Self {
        Self {
            id: any.id,
            created_at: any.created_at,
            updated_at: any.updated_at,
            key: any.key,
            description: any.description,
            enable_interpolation_in_file: any.enable_interpolation_in_file,
            overridden_secret: any.overridden_variable.map(SecretTarget::from),
            aliased_secret: any.aliased_variable.map(SecretTarget::from),
            scope: any.scope,
            variable_type: any.variable_type,
            service_id: any.service_id,
            service_name: any.service_name,
            service_type: any.service_type,
            owned_by: any.owned_by,
        }
    }
}

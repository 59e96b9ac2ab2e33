//! Responses for both variables and secrets.

use entity::variable::VariableKind;
use poem_openapi::{Enum, Object};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::super::wire::Timestamp;
use super::scope::APIVariableScopeEnum;
use super::target::{APIVariableTypeEnum, AnyTarget};
use crate::engine::variable::ShownVariable;

#[derive(Clone, Copy, Debug, Serialize, Deserialize, Enum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[oai(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum LinkedServiceTypeEnum {
    Job,
}

/// A variable or a secret. The value of a secret is null.
#[derive(Debug, Serialize, Deserialize, Object)]
pub(super) struct VariableResponse {
    pub(super) id: Uuid,
    pub(super) created_at: Timestamp,
    pub(super) updated_at: Timestamp,
    pub(super) key: String,
    pub(super) value: Option<String>,
    pub(super) mount_path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) overridden_variable: Option<AnyTarget>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) aliased_variable: Option<AnyTarget>,
    pub(super) scope: APIVariableScopeEnum,
    pub(super) variable_type: APIVariableTypeEnum,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) service_id: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) service_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) service_type: Option<LinkedServiceTypeEnum>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) owned_by: Option<String>,
    pub(super) is_secret: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) enable_interpolation_in_file: Option<bool>,
    pub(super) secret_manager_access_id: Option<Uuid>,
}

impl From<ShownVariable> for VariableResponse {
    fn from(variable: ShownVariable) -> Self {
        let ShownVariable {
            id,
            created_at,
            updated_at,
            key,
            value,
            mount_path,
            overridden,
            aliased,
            scope,
            kind,
            job,
            is_secret,
            description,
            interpolated,
        } = variable;
        Self {
            id,
            created_at: Timestamp(created_at),
            updated_at: Timestamp(updated_at),
            key,
            value,
            mount_path,
            overridden_variable: overridden.map(AnyTarget::from),
            aliased_variable: aliased.map(AnyTarget::from),
            scope: scope.into(),
            variable_type: kind.into(),
            service_type: job.as_ref().map(|_| LinkedServiceTypeEnum::Job),
            service_id: job.as_ref().map(|(id, _)| id.0),
            service_name: job.map(|(_, name)| name),
            owned_by: (kind == VariableKind::BuiltIn).then(|| "QOVERY".to_owned()),
            is_secret,
            description,
            enable_interpolation_in_file: interpolated,
            secret_manager_access_id: None,
        }
    }
}

impl VariableResponse {
    pub(super) fn is_secret(&self) -> bool {
        self.is_secret
    }
}

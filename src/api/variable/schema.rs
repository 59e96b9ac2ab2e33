//! The bodies of requests and answers about variables, under their official names.

use entity::variable::{Model, VariableKind};
use poem_openapi::types::MaybeUndefined;
use poem_openapi::{Enum, Object};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::super::wire::Timestamp;
use super::Parent;

/// Whose a variable is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Enum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[oai(rename_all = "SCREAMING_SNAKE_CASE")]
pub(in super::super) enum APIVariableScopeEnum {
    Application,
    BuiltIn,
    Environment,
    Project,
    Container,
    Job,
    Helm,
    Terraform,
    AgenticWorkflow,
}

impl APIVariableScopeEnum {
    pub(super) fn of(row: &Model) -> Self {
        match (row.kind, row.job_id, row.environment_id) {
            (VariableKind::BuiltIn, _, _) => Self::BuiltIn,
            (_, Some(_), _) => Self::Job,
            (_, None, Some(_)) => Self::Environment,
            (_, None, None) if row.project_id.is_some() => Self::Project,
            (_, None, None) => Self::BuiltIn,
        }
    }

    /// Narrower scopes are greater; the ones that this server has no services for are none of them.
    pub(super) fn width(self) -> Option<u8> {
        match self {
            Self::BuiltIn => Some(0),
            Self::Project => Some(1),
            Self::Environment => Some(2),
            Self::Job => Some(3),
            Self::Application | Self::Container | Self::Helm | Self::Terraform | Self::AgenticWorkflow => None,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Enum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[oai(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum APIVariableTypeEnum {
    Value,
    Alias,
    Override,
    BuiltIn,
    File,
}

impl From<VariableKind> for APIVariableTypeEnum {
    fn from(kind: VariableKind) -> Self {
        match kind {
            VariableKind::Value => Self::Value,
            VariableKind::Alias => Self::Alias,
            VariableKind::Override => Self::Override,
            VariableKind::BuiltIn => Self::BuiltIn,
            VariableKind::File => Self::File,
        }
    }
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize, Enum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[oai(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum LinkedServiceTypeEnum {
    Job,
}

/// A new variable or secret. Without Debug, as all requests here: the value may be a secret.
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
    fn from(given: SecretEditRequest) -> Self {
        let SecretEditRequest { key, value, description, enable_interpolation_in_file } = given;
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

/// The variable that another one is an alias or an override of.
#[derive(Debug, Serialize, Deserialize, Object)]
#[oai(rename = "EnvironmentVariableAlias")]
pub(super) struct Target {
    id: Uuid,
    key: String,
    value: String,
    mount_path: String,
    scope: APIVariableScopeEnum,
    variable_type: APIVariableTypeEnum,
}

/// The same of a secret, without its value.
#[derive(Debug, Serialize, Deserialize, Object)]
#[oai(rename = "SecretAlias")]
pub(super) struct SecretTarget {
    id: Uuid,
    key: String,
    mount_path: String,
    scope: APIVariableScopeEnum,
    variable_type: APIVariableTypeEnum,
}

/// The same in the unified family, where the value of a secret is null.
#[derive(Debug, Serialize, Deserialize, Object)]
#[oai(rename = "VariableAlias")]
pub(super) struct AnyTarget {
    id: Uuid,
    key: String,
    value: Option<String>,
    mount_path: String,
    scope: APIVariableScopeEnum,
    variable_type: APIVariableTypeEnum,
}

impl From<&Model> for AnyTarget {
    fn from(row: &Model) -> Self {
        Self {
            id: row.id.0,
            key: row.key.clone(),
            value: row.value.clone().or_else(|| row.target_key.clone()),
            mount_path: row.mount_path.clone().unwrap_or_default(),
            scope: APIVariableScopeEnum::of(row),
            variable_type: row.kind.into(),
        }
    }
}

impl From<AnyTarget> for Target {
    fn from(target: AnyTarget) -> Self {
        let AnyTarget { id, key, value, mount_path, scope, variable_type } = target;
        Self { id, key, value: value.unwrap_or_default(), mount_path, scope, variable_type }
    }
}

impl From<AnyTarget> for SecretTarget {
    fn from(target: AnyTarget) -> Self {
        let AnyTarget { id, key, value: _, mount_path, scope, variable_type } = target;
        Self { id, key, mount_path, scope, variable_type }
    }
}

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

/// Any variable; the value of a secret is null.
#[derive(Debug, Serialize, Deserialize, Object)]
pub(super) struct VariableResponse {
    id: Uuid,
    created_at: Timestamp,
    updated_at: Timestamp,
    key: String,
    value: Option<String>,
    mount_path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    overridden_variable: Option<AnyTarget>,
    #[serde(skip_serializing_if = "Option::is_none")]
    aliased_variable: Option<AnyTarget>,
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
    is_secret: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    enable_interpolation_in_file: Option<bool>,
    secret_manager_access_id: Option<Uuid>,
}

impl VariableResponse {
    /// A row among all that its parent sees.
    pub(super) fn new(row: &Model, all: &[Model], parent: &Parent) -> Self {
        let target = all.iter().find(|other| match row.target_id {
            Some(id) => other.id == id,
            None => {
                other.kind == VariableKind::BuiltIn && Some(&other.key) == row.target_key.as_ref().or(Some(&row.key))
            }
        });
        let target = |kind: VariableKind| target.filter(|_| row.kind == kind).map(AnyTarget::from);
        let own = parent.job.as_ref().filter(|job| row.job_id == Some(job.id)).map(|job| (job.id, job.name.clone()));
        // The output of a job names the job, its alias does not.
        let left_by = row.output_of.filter(|_| row.kind == VariableKind::BuiltIn);
        let service = own.or_else(|| left_by.and_then(|id| Some((id, parent.leaving.get(&id)?.clone()))));
        let owned = row.kind == VariableKind::BuiltIn;
        Self {
            id: row.id.0,
            created_at: Timestamp(row.created_at),
            updated_at: Timestamp(row.updated_at),
            key: row.key.clone(),
            // An alias shows what it is of, as the official API does.
            value: row.target_key.clone().filter(|_| !row.is_secret).or_else(|| row.value.clone()),
            mount_path: row.mount_path.clone(),
            overridden_variable: target(VariableKind::Override),
            aliased_variable: target(VariableKind::Alias),
            scope: APIVariableScopeEnum::of(row),
            variable_type: row.kind.into(),
            service_type: service.as_ref().map(|_| LinkedServiceTypeEnum::Job),
            service_id: service.as_ref().map(|(id, _)| id.0),
            service_name: service.map(|(_, name)| name),
            owned_by: owned.then(|| "QOVERY".to_owned()),
            is_secret: row.is_secret,
            description: row.description.clone(),
            enable_interpolation_in_file: row.interpolated,
            secret_manager_access_id: None,
        }
    }
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

impl VariableResponse {
    pub(super) fn is_secret(&self) -> bool {
        self.is_secret
    }
}

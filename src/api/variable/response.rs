//! Responses for both variables and secrets.

use entity::variable::{Model, VariableKind};
use poem_openapi::{Enum, Object};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::super::wire::Timestamp;
use super::parent::Parent;
use super::scope::APIVariableScopeEnum;
use super::target::{APIVariableTypeEnum, AnyTarget};

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

impl VariableResponse {
    /// The response for a row. `all` has all rows visible to its parent.
    pub(super) fn new(row: &Model, all: &[Model], parent: &Parent) -> Self {
        let target = all.iter().find(|other| match row.target_id {
            Some(id) => other.id == id,
            None => {
                other.kind == VariableKind::BuiltIn && Some(&other.key) == row.target_key.as_ref().or(Some(&row.key))
            }
        });
        let target = |kind: VariableKind| target.filter(|_| row.kind == kind).map(AnyTarget::from);
        let own = parent.job.as_ref().filter(|job| row.job_id == Some(job.id)).map(|job| (job.id, job.name.clone()));
        // The output of a job names the job; an alias of the output does not.
        let output_of = row.output_of.filter(|_| row.kind == VariableKind::BuiltIn);
        let service = own.or_else(|| output_of.and_then(|id| Some((id, parent.output_jobs.get(&id)?.clone()))));
        let is_built_in = row.kind == VariableKind::BuiltIn;
        Self {
            id: row.id.0,
            created_at: Timestamp(row.created_at),
            updated_at: Timestamp(row.updated_at),
            key: row.key.clone(),
            // An alias shows the key of its target, as in the official API.
            value: row.target_key.clone().filter(|_| !row.is_secret).or_else(|| row.value.clone()),
            mount_path: row.mount_path.clone(),
            overridden_variable: target(VariableKind::Override),
            aliased_variable: target(VariableKind::Alias),
            scope: APIVariableScopeEnum::of(row),
            variable_type: row.kind.into(),
            service_type: service.as_ref().map(|_| LinkedServiceTypeEnum::Job),
            service_id: service.as_ref().map(|(id, _)| id.0),
            service_name: service.map(|(_, name)| name),
            owned_by: is_built_in.then(|| "QOVERY".to_owned()),
            is_secret: row.is_secret,
            description: row.description.clone(),
            enable_interpolation_in_file: row.interpolated,
            secret_manager_access_id: None,
        }
    }

    pub(super) fn is_secret(&self) -> bool {
        self.is_secret
    }
}

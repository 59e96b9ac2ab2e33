//! A variable or a secret of a project, an environment or a job.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::id::{EnvironmentId, JobId, OrganizationId, ProjectId, VariableId};

/// The kind of a variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, EnumIter, DeriveActiveEnum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum VariableKind {
    /// A value.
    Value,
    /// A value that is mounted as a file.
    File,
    /// Another name for a variable.
    Alias,
    /// Another value for a variable of an outer scope.
    Override,
    /// Created by the server: the output of a job.
    BuiltIn,
}

/// Row of `variable`. Each has exactly one parent, in which the key is unique.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "variable")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: VariableId,
    pub organization_id: OrganizationId,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub project_id: Option<ProjectId>,
    pub environment_id: Option<EnvironmentId>,
    pub job_id: Option<JobId>,
    /// Case-sensitive.
    pub key: String,
    pub kind: VariableKind,
    pub is_secret: bool,
    /// Null for a secret and for an alias.
    pub value: Option<String>,
    /// The value of a secret, sealed for this row.
    pub sealed: Option<Vec<u8>>,
    /// The path of the file in the container.
    pub mount_path: Option<String>,
    pub description: Option<String>,
    /// Whether references in a file are replaced; null if not specified.
    pub interpolated: Option<bool>,
    /// The target of an alias or override; null if the target is a built-in variable, which has no row.
    pub target_id: Option<VariableId>,
    /// The key of the target of an alias.
    pub target_key: Option<String>,
    /// The job whose output this is, or is an alias of; the variable is deleted with the job.
    pub output_of: Option<JobId>,
}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    /// A new variable without a parent, a key or a value, not stored yet.
    pub fn empty(organization_id: OrganizationId, kind: VariableKind, now: DateTimeUtc) -> Self {
        Self {
            id: VariableId::create(),
            organization_id,
            created_at: now,
            updated_at: now,
            project_id: None,
            environment_id: None,
            job_id: None,
            key: String::new(),
            kind,
            is_secret: false,
            value: None,
            sealed: None,
            mount_path: None,
            description: None,
            interpolated: None,
            target_id: None,
            target_key: None,
            output_of: None,
        }
    }
}

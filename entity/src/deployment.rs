//! A deployment: one accepted request on an environment or on some of its jobs.

use sea_orm::entity::prelude::*;

use crate::id::{DeploymentId, EnvironmentId};

/// What was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Action {
    Deploy,
    Stop,
    Delete,
    /// What is deployed is removed; the configuration stays.
    Uninstall,
}

/// How far a deployment, or a job's part in it, has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Progress {
    Queued,
    Running,
    Succeeded,
    Failed,
    Cancelled,
}

impl Progress {
    /// Whether nothing follows.
    #[must_use]
    pub fn is_final(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled)
    }
}

/// What a request was made on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Scope {
    Environment,
    Jobs,
}

/// Which kind of client made a request, by the official names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Origin {
    Api,
    Cli,
    Console,
    TerraformProvider,
}

/// Row of `deployment`; unique by environment and number.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "deployment")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: DeploymentId,
    pub environment_id: EnvironmentId,
    /// Counts the deployments of the environment from 1.
    pub number: i32,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub action: Action,
    pub scope: Scope,
    pub progress: Progress,
    pub triggered_by: String,
    pub origin: Origin,
    pub started_at: Option<DateTimeUtc>,
    pub finished_at: Option<DateTimeUtc>,
    /// Nothing more of it is begun after this.
    pub cancel_requested_at: Option<DateTimeUtc>,
}

impl ActiveModelBehavior for ActiveModel {}

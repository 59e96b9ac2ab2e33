//! A deployment: one accepted request on an environment or on some of its jobs.

use sea_orm::entity::prelude::*;

use crate::id::{DeploymentId, EnvironmentId};

/// The requested action.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Action {
    Deploy,
    Stop,
    Delete,
    /// Removes the deployed objects and keeps the configuration.
    Uninstall,
}

/// The progress of a deployment or of one of its parts.
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
    /// Whether this is a final state.
    #[must_use]
    pub fn is_final(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled)
    }
}

/// The scope of a deployment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Scope {
    Environment,
    Jobs,
}

/// The kind of client that made a request, by its official name.
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
    /// Counts from 1 within the environment.
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
    /// No further parts are started after this.
    pub cancel_requested_at: Option<DateTimeUtc>,
    /// Whether only rows are deleted: no command runs, and objects in clusters are left.
    pub rows_only: bool,
    /// Why it failed, if no part of it shows that.
    pub reason: Option<String>,
}

impl ActiveModelBehavior for ActiveModel {}

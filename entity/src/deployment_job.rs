//! The part of one job in a deployment.

use sea_orm::entity::prelude::*;

use crate::deployment::Progress;
use crate::id::{DeploymentId, JobId, RunId, StageId};
use crate::job_spec::JobSpec;
use crate::run::Event;

/// Row of `deployment_job`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "deployment_job")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub deployment_id: DeploymentId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub job_id: JobId,
    pub progress: Progress,
    /// The event that was requested by name; the schedule then stays unchanged.
    pub forced_event: Option<Event>,
    /// The run that this part waits for.
    pub run_id: Option<RunId>,
    pub started_at: Option<DateTimeUtc>,
    pub finished_at: Option<DateTimeUtc>,
    /// The configuration that is deployed; null until the part has started.
    pub spec: Option<JobSpec>,
    /// The stage of the job when the deployment was requested.
    pub stage_id: Option<StageId>,
    pub stage_name: Option<String>,
    /// Parts of a stage start when those of earlier stages have ended.
    pub stage_position: i32,
    /// The run that builds the image, before the run of the job.
    pub build_run_id: Option<RunId>,
    /// The requested commit.
    pub commit_id: Option<String>,
    #[sea_orm(belongs_to, from = "deployment_id", to = "id")]
    pub deployment: BelongsTo<super::deployment::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}

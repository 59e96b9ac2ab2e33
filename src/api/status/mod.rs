//! The states of jobs and environments, derived from the recorded deployments.

mod official_state;
mod part_runs;
mod part_state;
mod response;
mod snapshot;
mod step_metrics;

pub(super) use self::official_state::{EventOriginEnum, StageStatusEnum, StateEnum};
pub(super) use self::part_runs::{doing, run_ids};
pub(super) use self::part_state::{details, execution_id, of_deployment, of_part};
pub(super) use self::response::{
    EnvironmentStatus, EnvironmentStatuses, EnvironmentStatusesWithStages, Status, StatusDetails,
};

use entity::id::EnvironmentId;
use entity::{deployment, environment, job};
use sea_orm::DatabaseConnection;
use uuid::Uuid;

use self::official_state::ServiceDeploymentStatusEnum;
use self::part_runs::PartRuns;
use self::response::{DeploymentStageWithServicesStatuses, ServiceActionStatusEnum, ServiceSubActionEnum, Stage};
use self::snapshot::{EnvironmentSnapshot, JobSnapshot};
use crate::api::wire::Timestamp;
use crate::engine::shown::PartPhase;
use crate::error::Result;
use crate::store;

/// The state of one job.
pub(in crate::api) async fn of_job(db: &DatabaseConnection, row: &job::Model) -> Result<Status> {
    let part = store::deployment::newest_part_by_job(db, row.id).await?;
    let runs = match &part {
        Some((part, _)) => PartRuns::read(db, part).await?,
        None => PartRuns::default(),
    };
    let newest = store::deployment::newest_by_environment(db, row.environment_id).await?;
    let requests = match &part {
        Some((part, _)) if !part.progress.is_final() => store::deployment::count_open_by_job(db, row.id).await?,
        _ => 0,
    };
    let job = JobSnapshot { job: row, part: part.as_ref(), runs, newest: newest.as_ref() };
    Ok(job.status(i32::try_from(requests).unwrap_or(i32::MAX)))
}

/// The state of an environment.
pub(in crate::api) async fn of_environment(db: &DatabaseConnection, id: EnvironmentId) -> Result<EnvironmentStatus> {
    Ok(EnvironmentSnapshot::read(db, id).await?.environment())
}

/// The state of an environment and of its jobs.
pub(in crate::api) async fn of_all(db: &DatabaseConnection, row: &environment::Model) -> Result<EnvironmentStatuses> {
    let snapshot = EnvironmentSnapshot::read(db, row.id).await?;
    let jobs = snapshot.jobs().map(|job| job.status_among()).collect();
    Ok(EnvironmentStatuses {
        environment: snapshot.environment(),
        applications: Vec::new(),
        containers: Vec::new(),
        jobs,
        databases: Vec::new(),
        helms: Vec::new(),
        terraforms: Vec::new(),
    })
}

/// The state of an environment and of its jobs, stage by stage.
pub(in crate::api) async fn with_stages(
    db: &DatabaseConnection,
    row: &environment::Model,
) -> Result<EnvironmentStatusesWithStages> {
    let snapshot = EnvironmentSnapshot::read(db, row.id).await?;
    let places = store::stage::places(db, row.id).await?;
    let mut stages = Vec::new();
    for stage in store::stage::list(db, row.id).await? {
        let inside = |job: &JobSnapshot<'_>| places.get(&job.job.id).is_some_and(|place| place.stage_id == stage.id);
        let job: Vec<_> = snapshot.jobs().filter(inside).collect();
        let newest = snapshot.newest.as_ref().map(|deployment| deployment.id);
        let parts = job.iter().filter_map(|job| job.part).filter(|(_, deployment)| Some(deployment.id) == newest);
        let progress: Vec<_> = parts.map(|(part, _)| part.progress).collect();
        stages.push(DeploymentStageWithServicesStatuses {
            applications: Vec::new(),
            containers: Vec::new(),
            jobs: job.iter().map(JobSnapshot::status_among).collect(),
            databases: Vec::new(),
            helms: Vec::new(),
            terraforms: Vec::new(),
            stage: Stage {
                id: stage.id.0,
                name: stage.name,
                description: stage.description,
                status: StageStatusEnum::of(&progress),
            },
        });
    }
    Ok(EnvironmentStatusesWithStages { environment: snapshot.environment(), stages })
}

/// The response to a request that deploys nothing.
pub(in crate::api) fn of_nothing(id: Uuid) -> Status {
    Status {
        id,
        state: StateEnum::Ready,
        service_deployment_status: ServiceDeploymentStatusEnum::UpToDate,
        last_deployment_date: None,
        is_part_last_deployment: false,
        steps: None,
        execution_id: None,
        status_details: details(None, PartPhase::Idle),
        deployment_request_id: None,
        deployment_requests_count: 0,
    }
}

/// The response to a request on a whole environment. The official API returns it in the format of a job's state.
pub(in crate::api) async fn of_request(db: &DatabaseConnection, row: &deployment::Model) -> Result<Status> {
    let requests = store::deployment::count_open_by_environment(db, row.environment_id).await?;
    Ok(Status {
        id: row.environment_id.0,
        state: of_deployment(row),
        service_deployment_status: ServiceDeploymentStatusEnum::OutOfDate,
        last_deployment_date: Some(Timestamp(row.created_at)),
        is_part_last_deployment: true,
        steps: None,
        execution_id: Some(execution_id(row)),
        status_details: StatusDetails {
            action: row.action.into(),
            status: ServiceActionStatusEnum::Queued,
            sub_action: ServiceSubActionEnum::None,
        },
        deployment_request_id: Some(row.id.0),
        deployment_requests_count: i32::try_from(requests).unwrap_or(i32::MAX),
    })
}

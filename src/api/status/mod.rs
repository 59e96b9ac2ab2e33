//! The states of jobs and environments, derived from the recorded deployments.

mod job_summaries;
mod last_run;
mod official_state;
mod part_state;
mod response;
mod status_pieces;
mod status_response;
mod step_metrics;

pub(super) use self::job_summaries::JobSummaryApi;
pub(super) use self::official_state::{EventOriginEnum, StageStatusEnum, StateEnum};
pub(super) use self::part_state::{details, execution_id, of_deployment, of_part};
pub(super) use self::response::{
    EnvironmentStatus, EnvironmentStatuses, EnvironmentStatusesWithStages, Status, StatusDetails,
};
pub(super) use self::status_pieces::{of_all, of_jobs, with_stages};

use entity::id::EnvironmentId;
use entity::{deployment, environment, job};
use sea_orm::DatabaseConnection;
use uuid::Uuid;

use self::official_state::ServiceDeploymentStatusEnum;
use self::response::{ServiceActionStatusEnum, ServiceSubActionEnum};
use self::status_response::{environment_status, status};
use crate::api::wire::Timestamp;
use crate::engine::shown::PartPhase;
use crate::engine::state::{Configuration, EnvironmentSnapshot, JobSnapshot, PartRuns, needs_part_before};
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
    let last_run = store::run::last_of_job(db, row.id).await?;
    let requests = match &part {
        Some((part, _)) if !part.progress.is_final() => store::deployment::count_open_by_job(db, row.id).await?,
        _ => 0,
    };
    let configuration = Configuration::of_row(row);
    let before = match &part {
        Some((part, _)) if needs_part_before(part, configuration) => {
            store::deployment::newest_unforced_parts(db, &[row.id]).await?.remove(&row.id)
        }
        _ => None,
    };
    let (part, before, newest) = (part.as_ref(), before.as_ref(), newest.as_ref());
    let job = JobSnapshot { id: row.id, configuration, part, before, runs, last_run, newest };
    Ok(status(&job, i32::try_from(requests).unwrap_or(i32::MAX)))
}

/// The state of an environment.
pub(in crate::api) async fn of_environment(db: &DatabaseConnection, id: EnvironmentId) -> Result<EnvironmentStatus> {
    let snapshot = store::snapshot(db, async |tx| EnvironmentSnapshot::read(tx, id, |_, _| ()).await).await?;
    Ok(environment_status(&snapshot, id))
}

/// The states of several environments at one moment, in their order.
pub(in crate::api) async fn of_environments(
    db: &DatabaseConnection,
    rows: &[environment::Model],
) -> Result<Vec<EnvironmentStatus>> {
    store::snapshot(db, async |tx| {
        let mut all = Vec::with_capacity(rows.len());
        for row in rows {
            all.push(environment_status(&EnvironmentSnapshot::read(tx, row.id, |_, _| ()).await?, row.id));
        }
        Ok(all)
    })
    .await
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
        last_run: None,
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
        last_run: None,
    })
}

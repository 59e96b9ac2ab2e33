//! The states of jobs and environments as responses.

use entity::deployment::Progress;
use entity::id::EnvironmentId;

use super::last_run::LastRun;
use super::part_state::{details, execution_id};
use super::response::{EnvironmentStatus, Status};
use super::step_metrics::metrics;
use crate::api::wire::Timestamp;
use crate::engine::state::{EnvironmentSnapshot, JobSnapshot};

/// The status in a list, where open requests are not counted per job.
pub(super) fn status_among(of: &JobSnapshot<'_>) -> Status {
    status(of, i32::from(of.part.is_some_and(|(part, _)| !part.progress.is_final())))
}

/// The status of a job with this number of open requests.
pub(super) fn status(of: &JobSnapshot<'_>, requests: i32) -> Status {
    let deployment = of.part.map(|(_, deployment)| deployment);
    let queued = deployment.filter(|deployment| deployment.progress == Progress::Queued);
    Status {
        id: of.id.0,
        state: of.shown().into(),
        service_deployment_status: of.freshness().into(),
        last_deployment_date: deployment
            .map(|deployment| Timestamp(deployment.started_at.unwrap_or(deployment.created_at))),
        is_part_last_deployment: of.is_part_of_newest(),
        steps: of.part.map(|(part, deployment)| metrics(part, deployment, &of.runs)),
        execution_id: deployment.map(execution_id),
        status_details: details(of.part.map(|(part, deployment)| (part, deployment)), of.doing()),
        deployment_request_id: queued.map(|deployment| deployment.id.0),
        deployment_requests_count: requests,
        last_run: of.last_run.clone().map(LastRun::from),
    }
}

/// The status of an environment.
pub(super) fn environment_status(of: &EnvironmentSnapshot, id: EnvironmentId) -> EnvironmentStatus {
    let newest = of.newest.as_ref();
    EnvironmentStatus {
        id: id.0,
        state: of.environment().into(),
        last_deployment_date: newest
            .map(|deployment| Timestamp(deployment.started_at.unwrap_or(deployment.created_at))),
        last_deployment_state: of.last().into(),
        last_deployment_id: newest.map(execution_id),
        total_deployment_duration_in_seconds: newest
            .and_then(|deployment| Some((deployment.finished_at? - deployment.started_at?).num_seconds())),
        origin: newest.map(|deployment| deployment.origin.into()),
        triggered_by: newest.map(|deployment| deployment.triggered_by.clone()),
        deployment_status: of.freshness().into(),
        deployment_request_id: newest
            .filter(|deployment| deployment.progress == Progress::Queued)
            .map(|deployment| deployment.id.0),
    }
}

//! The queue of an environment: appends a request to it, or merges it into the last one.

use chrono::{DateTime, Utc};
use entity::deployment::{Action, Progress, Scope};
use entity::id::{DeploymentId, EnvironmentId, JobId};
use entity::run::Event;
use entity::{deployment, deployment_job};
use sea_orm::DatabaseTransaction;

use crate::engine::requester::Requester;
use crate::error::Result;
use crate::store;

pub(super) fn new(
    environment_id: EnvironmentId,
    action: Action,
    scope: Scope,
    by: &Requester,
    now: DateTime<Utc>,
) -> deployment::Model {
    deployment::Model {
        id: DeploymentId::create(),
        environment_id,
        number: 0,
        created_at: now,
        updated_at: now,
        action,
        scope,
        progress: Progress::Queued,
        triggered_by: by.name.clone(),
        origin: by.origin,
        started_at: None,
        finished_at: None,
        cancel_requested_at: None,
        rows_only: false,
        reason: None,
    }
}

/// One job of a request.
pub(super) struct RequestedJob {
    pub(super) job: JobId,
    pub(super) forced: Option<Event>,
    pub(super) commit: Option<String>,
}

impl RequestedJob {
    pub(super) fn plain(job: JobId) -> Self {
        Self { job, forced: None, commit: None }
    }
}

/// Appends a request to the queue of its environment, which the caller has locked. If the last request in the queue is of the
/// same kind, was made by the same person and has not started, the two are merged (as in the official API).
pub(super) async fn enqueue(
    tx: &DatabaseTransaction,
    row: deployment::Model,
    wanted: Vec<RequestedJob>,
) -> Result<deployment::Model> {
    let Some((last, known)) = mergeable(tx, &row, &wanted).await? else {
        let parts = parts(tx, &row, wanted).await?;
        return Ok(store::deployment::create(tx, row, parts).await?);
    };
    let mut added = Vec::new();
    for one in wanted {
        match known.iter().find(|part| part.job_id == one.job) {
            Some(part) if one.commit.is_some() => store::deployment::set_commit(tx, part, one.commit).await?,
            Some(_) => {}
            None => added.push(one),
        }
    }
    let added = parts(tx, &last, added).await?;
    store::deployment::add_parts(tx, added).await?;
    Ok(last)
}

async fn mergeable(
    tx: &DatabaseTransaction,
    row: &deployment::Model,
    wanted: &[RequestedJob],
) -> Result<Option<(deployment::Model, Vec<deployment_job::Model>)>> {
    let last = store::deployment::list_open(tx, row.environment_id).await?.pop();
    let alike = |last: &deployment::Model| {
        last.progress == Progress::Queued
            && last.action == row.action
            && last.scope == row.scope
            && last.rows_only == row.rows_only
            && last.triggered_by == row.triggered_by
    };
    let Some(last) = last.filter(alike) else { return Ok(None) };
    let parts = store::deployment::list_parts(tx, last.id).await?;
    let differs =
        |one: &RequestedJob| parts.iter().any(|part| part.job_id == one.job && part.forced_event != one.forced);
    Ok(if wanted.iter().any(differs) { None } else { Some((last, parts)) })
}

/// The parts of jobs, each in its current stage.
async fn parts(
    tx: &DatabaseTransaction,
    of: &deployment::Model,
    wanted: Vec<RequestedJob>,
) -> Result<Vec<deployment_job::Model>> {
    let stages = store::stage::list(tx, of.environment_id).await?;
    let places = store::stage::places(tx, of.environment_id).await?;
    let part = |RequestedJob { job: job_id, forced: forced_event, commit: commit_id }: RequestedJob| {
        let place = places.get(&job_id);
        let stage = place.and_then(|place| stages.iter().find(|stage| stage.id == place.stage_id));
        deployment_job::Model {
            deployment_id: of.id,
            job_id,
            progress: Progress::Queued,
            forced_event,
            run_id: None,
            started_at: None,
            finished_at: None,
            spec: None,
            stage_id: stage.map(|stage| stage.id),
            stage_name: stage.map(|stage| stage.name.clone()),
            stage_position: stage.map_or(0, |stage| stage.position),
            build_run_id: None,
            commit_id,
        }
    };
    Ok(wanted.into_iter().map(part).collect())
}

//! Deploy, stop and delete: each stores what is wanted in one transaction and wakes the engine, which does it.

use chrono::{DateTime, Utc};
use entity::deployment::{Action, Origin, Progress, Scope};
use entity::id::{DeploymentId, EnvironmentId, JobId};
use entity::run::Event;
use entity::{deployment, deployment_job, environment, job};
use sea_orm::DatabaseTransaction;

use super::state;
use crate::app::App;
use crate::error::{Error, Result};
use crate::store;

/// Who asks, for the history.
#[derive(Clone, Debug)]
pub struct Requester {
    pub name: String,
    pub origin: Origin,
}

/// Whether something is gone at once or will be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deletion {
    /// Nothing of it was ever deployed.
    Immediate,
    /// The engine removes what is deployed first.
    Requested,
}

/// Whether a deletion removes what is deployed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removal {
    Complete,
    RowsOnly,
}

/// Asks for `action` on one job; `forced` runs the command of that event and nothing else.
///
/// # Errors
/// `Conflict` while the job or its environment is being deleted, and when a job to stop is stopped.
pub async fn request_job(
    app: &App,
    by: Requester,
    job: &job::Model,
    action: Action,
    forced: Option<Event>,
) -> Result<deployment::Model> {
    let now = app.clock.now();
    let row = store::write(&app.db, async |tx| {
        let environment = lock(tx, job.environment_id).await?;
        refuse_while_deleted(tx, environment.id).await?;
        refuse_repetition(tx, job.id, action).await?;
        let row = new(environment.id, action, Scope::Jobs, by, now);
        let part = part(&row, job.id, forced);
        Ok::<_, Error>(store::deployment::create(tx, row, vec![part]).await?)
    })
    .await?;
    app.wake.now();
    Ok(row)
}

/// Asks for `action` on all jobs of an environment.
///
/// # Errors
/// `Conflict` while the environment is being deleted.
pub async fn request_environment(
    app: &App,
    by: Requester,
    id: EnvironmentId,
    action: Action,
) -> Result<deployment::Model> {
    let now = app.clock.now();
    let row = store::write(&app.db, async |tx| {
        let environment = lock(tx, id).await?;
        refuse_while_deleted(tx, environment.id).await?;
        let row = new(id, action, Scope::Environment, by, now);
        let parts = all_jobs(tx, id).await?.into_iter().map(|job| part(&row, job, None)).collect();
        Ok::<_, Error>(store::deployment::create(tx, row, parts).await?)
    })
    .await?;
    app.wake.now();
    Ok(row)
}

/// Deletes a job: at once when nothing of it was ever deployed or only rows are to go, otherwise by the engine.
///
/// # Errors
/// `Conflict` while the job or its environment is being deleted.
pub async fn delete_job(app: &App, by: Requester, job: &job::Model, removal: Removal) -> Result<Deletion> {
    let now = app.clock.now();
    let deletion = store::write(&app.db, async |tx| {
        let environment = lock(tx, job.environment_id).await?;
        let deployed = store::deployment::newest_part_by_job(tx, job.id).await?.is_some();
        if removal == Removal::RowsOnly || !deployed {
            store::job::delete(tx, job.id).await?;
            return Ok::<_, Error>(Deletion::Immediate);
        }
        refuse_while_deleted(tx, environment.id).await?;
        refuse_repetition(tx, job.id, Action::Delete).await?;
        let row = new(environment.id, Action::Delete, Scope::Jobs, by, now);
        let part = part(&row, job.id, None);
        store::deployment::create(tx, row, vec![part]).await?;
        Ok(Deletion::Requested)
    })
    .await?;
    app.wake.now();
    Ok(deletion)
}

/// Deletes an environment: at once when nothing in it was ever deployed or only rows are to go, otherwise by the
/// engine, after its jobs.
///
/// # Errors
/// `Conflict` while it is being deleted.
pub async fn delete_environment(app: &App, by: Requester, id: EnvironmentId, removal: Removal) -> Result<Deletion> {
    let now = app.clock.now();
    let deletion = store::write(&app.db, async |tx| {
        let environment = lock(tx, id).await?;
        let deployed = store::deployment::newest_by_environment(tx, id).await?.is_some();
        if removal == Removal::RowsOnly || !deployed {
            store::environment::delete(tx, id).await?;
            return Ok::<_, Error>(Deletion::Immediate);
        }
        refuse_while_deleted(tx, environment.id).await?;
        let row = new(id, Action::Delete, Scope::Environment, by, now);
        let parts = all_jobs(tx, id).await?.into_iter().map(|job| part(&row, job, None)).collect();
        store::deployment::create(tx, row, parts).await?;
        Ok(Deletion::Requested)
    })
    .await?;
    app.wake.now();
    Ok(deletion)
}

/// Refuses to add to an environment that is being deleted; call it in the transaction that adds.
///
/// # Errors
/// `Conflict` while it is being deleted, `NotFound` when it is gone.
pub async fn lock_for_addition(tx: &DatabaseTransaction, id: EnvironmentId) -> Result<()> {
    lock(tx, id).await?;
    refuse_while_deleted(tx, id).await
}

async fn lock(tx: &DatabaseTransaction, id: EnvironmentId) -> Result<environment::Model> {
    store::environment::lock(tx, id).await?.ok_or(Error::NotFound("environment"))
}

async fn refuse_while_deleted(tx: &DatabaseTransaction, id: EnvironmentId) -> Result<()> {
    let newest = store::deployment::newest_by_environment(tx, id).await?;
    let deleting = newest
        .is_some_and(|row| row.scope == Scope::Environment && row.action == Action::Delete && !row.progress.is_final());
    if deleting { Err(Error::Conflict("the environment is being deleted".into())) } else { Ok(()) }
}

async fn refuse_repetition(tx: &DatabaseTransaction, id: JobId, action: Action) -> Result<()> {
    let Some((part, of)) = store::deployment::newest_part_by_job(tx, id).await? else { return Ok(()) };
    let last = state::effective_action(of.action, part.forced_event);
    match (last, part.progress) {
        (Action::Delete, Progress::Queued | Progress::Running) if part.forced_event.is_none() => {
            Err(Error::Conflict("the job is being deleted".into()))
        }
        (Action::Stop, Progress::Succeeded | Progress::Queued | Progress::Running)
            if action == Action::Stop && part.forced_event.is_none() =>
        {
            Err(Error::Conflict("the job is already stopped, or being stopped".into()))
        }
        _ => Ok(()),
    }
}

async fn all_jobs(tx: &DatabaseTransaction, id: EnvironmentId) -> Result<Vec<JobId>> {
    let mut jobs: Vec<JobId> = Vec::new();
    loop {
        let page = store::job::list_by_environment(tx, id, jobs.last().copied(), store::PAGE).await?;
        if page.is_empty() {
            return Ok(jobs);
        }
        jobs.extend(page.into_iter().map(|job| job.id));
    }
}

fn new(
    environment_id: EnvironmentId,
    action: Action,
    scope: Scope,
    by: Requester,
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
        triggered_by: by.name,
        origin: by.origin,
        started_at: None,
        finished_at: None,
    }
}

fn part(of: &deployment::Model, job_id: JobId, forced_event: Option<Event>) -> deployment_job::Model {
    deployment_job::Model {
        deployment_id: of.id,
        job_id,
        progress: Progress::Queued,
        forced_event,
        run_id: None,
        started_at: None,
        finished_at: None,
    }
}

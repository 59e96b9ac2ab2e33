//! Deploy, stop, uninstall, delete and cancel: each stores what is wanted in one transaction, with the event that
//! tells of it, and wakes the engine, which does it.

use chrono::{DateTime, Utc};
use entity::deployment::{Action, Progress, Scope};
use entity::id::{DeploymentId, EnvironmentId, JobId};
use entity::run::Event;
use entity::webhook::WebhookEvent;
use entity::{deployment, deployment_job, environment, job};
use sea_orm::DatabaseTransaction;

use super::announce::{self, Announcement};
use super::requester::Requester;
use super::shown;
use crate::app::App;
use crate::error::{Error, Result};
use crate::store;
use crate::store::job::JobEdit;

/// A job that something is asked of.
#[derive(Clone, Debug)]
pub struct Target {
    pub job: job::Model,
    /// Run the command of this event, and nothing else.
    pub forced: Option<Event>,
    /// Another version to be deployed becomes the configured one.
    pub edit: Option<JobEdit>,
    /// The commit to build; without it the one that is deployed, or the newest.
    pub commit: Option<String>,
}

impl From<job::Model> for Target {
    fn from(job: job::Model) -> Self {
        Self { job, forced: None, edit: None, commit: None }
    }
}

/// Whether a deletion removes what is deployed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removal {
    Complete,
    RowsOnly,
}

/// Whether runs that have begun are interrupted by a cancellation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Runs {
    GoOn,
    Interrupted,
}

/// Asks for `action` on some jobs of an environment, in one deployment.
///
/// # Errors
/// `Conflict` while one of them or the environment is being deleted, and when all jobs to stop are stopped.
pub async fn request_jobs(
    app: &App,
    by: &Requester,
    environment: EnvironmentId,
    targets: Vec<Target>,
    action: Action,
) -> Result<deployment::Model> {
    let now = app.clock.now();
    let row = store::write(&app.db, async |tx| {
        let environment = lock(tx, environment).await?;
        refuse_while_deleted(tx, environment.id).await?;
        let targets = able(tx, targets, action).await?;
        for target in &targets {
            if let Some(edit) = &target.edit {
                store::job::update(tx, target.job.id, edit.clone()).await?;
            }
        }
        let wanted = targets
            .iter()
            .map(|target| Wanted { job: target.job.id, forced: target.forced, commit: target.commit.clone() })
            .collect();
        let row = enqueue(tx, new(environment.id, action, Scope::Jobs, by, now), wanted).await?;
        for Target { job, forced, .. } in &targets {
            let told = Announcement::job(announce::requested(action, *forced, Scope::Jobs), &environment, job);
            announce::event(tx, told, by, now).await?;
        }
        Ok::<_, Error>(row)
    })
    .await?;
    app.wake.now();
    Ok(row)
}

/// Asks for `action` on all jobs of an environment; skipped ones take part only in what removes them.
///
/// # Errors
/// `Conflict` while the environment is being deleted.
pub async fn request_environment(
    app: &App,
    by: &Requester,
    id: EnvironmentId,
    action: Action,
) -> Result<deployment::Model> {
    let now = app.clock.now();
    let row = store::write(&app.db, async |tx| request_environment_in(tx, by, id, action, now).await).await?;
    app.wake.now();
    Ok(row)
}

/// `request_environment` inside a transaction of the caller.
///
/// # Errors
/// `Conflict` while the environment is being deleted.
pub async fn request_environment_in(
    tx: &DatabaseTransaction,
    by: &Requester,
    id: EnvironmentId,
    action: Action,
    now: DateTime<Utc>,
) -> Result<deployment::Model> {
    let environment = lock(tx, id).await?;
    refuse_while_deleted(tx, environment.id).await?;
    let row = new(id, action, Scope::Environment, by, now);
    let removes = matches!(action, Action::Delete | Action::Uninstall);
    let places = store::stage::places(tx, id).await?;
    let jobs = all_jobs(tx, id).await?.into_iter();
    let jobs = jobs.filter(|job| removes || places.get(job).is_none_or(|place| !place.is_skipped));
    let row = enqueue(tx, row, jobs.map(Wanted::plain).collect()).await?;
    let told = Announcement::environment(announce::requested(action, None, Scope::Environment), &environment);
    announce::event(tx, told, by, now).await?;
    Ok(row)
}

/// Deletes jobs: at once what was never deployed, or when only rows are to go; the rest by the engine.
///
/// # Errors
/// `Conflict` while one of them or the environment is being deleted.
pub async fn delete_jobs(
    app: &App,
    by: &Requester,
    environment: EnvironmentId,
    jobs: Vec<job::Model>,
    removal: Removal,
) -> Result<()> {
    let now = app.clock.now();
    store::write(&app.db, async |tx| {
        let environment = lock(tx, environment).await?;
        let mut deployed = Vec::new();
        for job in jobs {
            let known = store::deployment::newest_part_by_job(tx, job.id).await?.is_some();
            if removal == Removal::RowsOnly || !known {
                store::job::delete(tx, job.id).await?;
                announce::event(tx, Announcement::job("DELETE", &environment, &job), by, now).await?;
            } else {
                deployed.push(Target::from(job));
            }
        }
        if deployed.is_empty() {
            return Ok::<_, Error>(());
        }
        refuse_while_deleted(tx, environment.id).await?;
        let deployed = able(tx, deployed, Action::Delete).await?;
        let row = new(environment.id, Action::Delete, Scope::Jobs, by, now);
        enqueue(tx, row, deployed.iter().map(|target| Wanted::plain(target.job.id)).collect()).await?;
        for Target { job, .. } in &deployed {
            announce::event(tx, Announcement::job("DELETE_QUEUED", &environment, job), by, now).await?;
        }
        Ok(())
    })
    .await?;
    app.wake.now();
    Ok(())
}

/// Deletes an environment: at once when nothing in it was ever deployed or only rows are to go, otherwise by the
/// engine, after its jobs.
///
/// # Errors
/// `Conflict` while it is being deleted.
pub async fn delete_environment(app: &App, by: &Requester, id: EnvironmentId, removal: Removal) -> Result<()> {
    let now = app.clock.now();
    store::write(&app.db, async |tx| {
        let environment = lock(tx, id).await?;
        let deployed = store::deployment::newest_by_environment(tx, id).await?.is_some();
        if removal == Removal::RowsOnly || !deployed {
            announce::event(tx, Announcement::environment("DELETE", &environment), by, now).await?;
            store::environment::delete(tx, id).await?;
            return Ok::<_, Error>(());
        }
        request_environment_in(tx, by, id, Action::Delete, now).await.map(|_| ())
    })
    .await?;
    app.wake.now();
    Ok(())
}

/// Cancels what is queued or under way in an environment.
///
/// # Errors
/// `Conflict` when there is nothing, or nothing that was not asked for before.
pub async fn cancel_environment(app: &App, by: &Requester, id: EnvironmentId, runs: Runs) -> Result<()> {
    let now = app.clock.now();
    store::write(&app.db, async |tx| {
        let environment = lock(tx, id).await?;
        let mut changed = false;
        for row in store::deployment::list_open(tx, id).await? {
            if row.progress == Progress::Queued {
                cancel_queued(tx, &row, now).await?;
                changed = true;
                continue;
            }
            changed |= store::deployment::request_cancel(tx, row.id, now).await?;
            if runs == Runs::Interrupted {
                changed |= store::run::cancel::request_cancel_of_deployment(tx, row.id, now).await? > 0;
            }
        }
        if !changed {
            return Err(Error::Conflict("there is no deployment to cancel, or it is being cancelled".into()));
        }
        announce::event(tx, Announcement::environment("TRIGGER_CANCEL", &environment), by, now).await
    })
    .await?;
    app.wake.now();
    Ok(())
}

/// Cancels one queued deployment.
///
/// # Errors
/// `Conflict` when it is no longer queued.
pub async fn cancel_request(app: &App, by: &Requester, row: &deployment::Model) -> Result<()> {
    let now = app.clock.now();
    store::write(&app.db, async |tx| {
        let environment = lock(tx, row.environment_id).await?;
        let row = store::row::by_id::<deployment::Model>(tx, row.id).await?;
        let row = row.filter(|row| row.progress == Progress::Queued);
        let row = row.ok_or_else(|| Error::Conflict("the deployment has left the queue".into()))?;
        cancel_queued(tx, &row, now).await?;
        announce::event(tx, Announcement::environment("TRIGGER_CANCEL", &environment), by, now).await
    })
    .await?;
    app.wake.now();
    Ok(())
}

async fn cancel_queued(tx: &DatabaseTransaction, row: &deployment::Model, now: DateTime<Utc>) -> Result<()> {
    store::deployment::advance(tx, row.id, Progress::Queued, Progress::Cancelled, now).await?;
    for part in store::deployment::list_parts(tx, row.id).await? {
        store::deployment::advance_part(tx, &part, Progress::Cancelled, None, now).await?;
    }
    announce::webhooks(tx, row, WebhookEvent::DeploymentCancelled, now).await
}

/// Refuses to add to an environment that is being deleted; call it in the transaction that adds.
///
/// # Errors
/// `Conflict` while it is being deleted, `NotFound` when it is gone.
pub async fn lock_for_addition(tx: &DatabaseTransaction, id: EnvironmentId) -> Result<environment::Model> {
    let environment = lock(tx, id).await?;
    refuse_while_deleted(tx, id).await?;
    Ok(environment)
}

/// Refuses to start something of a job that is being deleted.
pub(super) async fn refuse_while_job_is_deleted(tx: &DatabaseTransaction, job: &job::Model) -> Result<()> {
    able(tx, vec![Target::from(job.clone())], Action::Deploy).await.map(|_| ())
}

async fn lock(tx: &DatabaseTransaction, id: EnvironmentId) -> Result<environment::Model> {
    store::environment::lock(tx, id).await?.ok_or(Error::NotFound("environment"))
}

async fn refuse_while_deleted(tx: &DatabaseTransaction, id: EnvironmentId) -> Result<()> {
    let deleting = store::deployment::list_open(tx, id)
        .await?
        .iter()
        .any(|row| row.scope == Scope::Environment && row.action == Action::Delete);
    if deleting { Err(Error::Conflict("the environment is being deleted".into())) } else { Ok(()) }
}

/// Those of the jobs that the action makes sense for.
async fn able(tx: &DatabaseTransaction, targets: Vec<Target>, action: Action) -> Result<Vec<Target>> {
    let mut able = Vec::with_capacity(targets.len());
    for target in targets {
        let Some((part, of)) = store::deployment::newest_part_by_job(tx, target.job.id).await? else {
            able.push(target);
            continue;
        };
        let last = shown::effective_action(of.action, part.forced_event);
        match (last, part.progress) {
            (Action::Delete, Progress::Queued | Progress::Running) if part.forced_event.is_none() => {
                return Err(Error::Conflict(format!("the job {} is being deleted", target.job.name)));
            }
            (Action::Stop, Progress::Succeeded | Progress::Running)
                if action == Action::Stop && part.forced_event.is_none() => {}
            _ => able.push(target),
        }
    }
    if able.is_empty() {
        return Err(Error::Conflict("the job is already stopped, or being stopped".into()));
    }
    Ok(able)
}

async fn all_jobs(tx: &DatabaseTransaction, id: EnvironmentId) -> Result<Vec<JobId>> {
    let (mut jobs, mut after): (Vec<JobId>, _) = (Vec::new(), None);
    loop {
        let page = store::job::list_by_environment(tx, id, after, store::PAGE).await?;
        if page.is_empty() {
            return Ok(jobs);
        }
        after = page.last().map(|job| (job.created_at, job.id));
        jobs.extend(page.into_iter().map(|job| job.id));
    }
}

fn new(
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
    }
}

/// What is wanted of one job.
struct Wanted {
    job: JobId,
    forced: Option<Event>,
    commit: Option<String>,
}

impl Wanted {
    fn plain(job: JobId) -> Self {
        Self { job, forced: None, commit: None }
    }
}

/// Puts a request at the end of the queue of its environment, which the caller has locked. Where the last one in it is
/// of the same kind and by the same person, and has not begun, the two become one (rule of the official API).
async fn enqueue(tx: &DatabaseTransaction, row: deployment::Model, wanted: Vec<Wanted>) -> Result<deployment::Model> {
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
    wanted: &[Wanted],
) -> Result<Option<(deployment::Model, Vec<deployment_job::Model>)>> {
    let last = store::deployment::list_open(tx, row.environment_id).await?.pop();
    let alike = |last: &deployment::Model| {
        last.progress == Progress::Queued
            && last.action == row.action
            && last.scope == row.scope
            && last.triggered_by == row.triggered_by
    };
    let Some(last) = last.filter(alike) else { return Ok(None) };
    let parts = store::deployment::list_parts(tx, last.id).await?;
    let differs = |one: &Wanted| parts.iter().any(|part| part.job_id == one.job && part.forced_event != one.forced);
    Ok(if wanted.iter().any(differs) { None } else { Some((last, parts)) })
}

/// The parts of jobs, each in the stage that it has now.
async fn parts(
    tx: &DatabaseTransaction,
    of: &deployment::Model,
    wanted: Vec<Wanted>,
) -> Result<Vec<deployment_job::Model>> {
    let stages = store::stage::list(tx, of.environment_id).await?;
    let places = store::stage::places(tx, of.environment_id).await?;
    let part = |Wanted { job: job_id, forced: forced_event, commit: commit_id }: Wanted| {
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

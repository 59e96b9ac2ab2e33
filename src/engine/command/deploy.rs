//! Requests deployments of jobs and environments.

use chrono::{DateTime, Utc};
use entity::deployment::{Action, Scope};
use entity::id::{EnvironmentId, JobId};
use entity::job_spec::JobSpec;
use entity::{deployment, environment};
use sea_orm::DatabaseTransaction;

use super::guard::{able, lock, refuse_while_deleted, remaining};
use super::job_target::JobTarget;
use super::queue::{RequestedJob, enqueue, new};
use crate::app::App;
use crate::engine::announce::{self, Announcement};
use crate::engine::requester::Requester;
use crate::error::{Error, Result};
use crate::store;
use crate::store::job::LockedJob;

/// Requests `action` on some jobs of an environment, in one deployment.
///
/// # Errors
/// `Conflict` while one of them or the environment is being deleted, or if all jobs to stop are already stopped.
pub async fn request_jobs(
    app: &App,
    by: &Requester,
    environment: EnvironmentId,
    targets: Vec<JobTarget>,
    action: Action,
) -> Result<deployment::Model> {
    let now = app.clock.now();
    let row =
        store::write(&app.db, async |tx| request_jobs_in(tx, by, environment, (targets, action), now).await).await?;
    app.wake.now();
    Ok(row)
}

/// `request_jobs` inside the caller's transaction. Without image tags, it changes nothing if it ends with a `Conflict` or `NotFound`.
///
/// # Errors
/// The same.
async fn request_jobs_in(
    tx: &DatabaseTransaction,
    by: &Requester,
    environment: EnvironmentId,
    (targets, action): (Vec<JobTarget>, Action),
    now: DateTime<Utc>,
) -> Result<deployment::Model> {
    let environment = lock(tx, environment).await?;
    refuse_while_deleted(tx, environment.id).await?;
    let targets = able(tx, targets, action).await?;
    let queued = queue_jobs(tx, by, &environment, (targets, action), now).await?;
    queued.ok_or_else(|| Error::Conflict("the jobs were given another image in the meantime".into()))
}

/// Deploys jobs of an environment that the server has selected, in one deployment. What is being deleted or gone is left out; the
/// result is none if nothing remains.
///
/// # Errors
/// Database errors.
pub async fn deploy_selected(
    app: &App,
    by: &Requester,
    environment: EnvironmentId,
    targets: Vec<JobTarget>,
) -> Result<Option<deployment::Model>> {
    let now = app.clock.now();
    let row = store::write(&app.db, async |tx| deploy_selected_in(tx, by, environment, targets, now).await).await?;
    app.wake.now();
    Ok(row)
}

/// `deploy_selected` inside the caller's transaction.
///
/// # Errors
/// The same.
pub async fn deploy_selected_in(
    tx: &DatabaseTransaction,
    by: &Requester,
    environment: EnvironmentId,
    targets: Vec<JobTarget>,
    now: DateTime<Utc>,
) -> Result<Option<deployment::Model>> {
    let Some(environment) = store::environment::lock(tx, environment).await? else { return Ok(None) };
    if store::deployment::is_environment_being_deleted(tx, environment.id).await? {
        return Ok(None);
    }
    let targets = remaining(tx, targets).await?;
    queue_jobs(tx, by, &environment, (targets, Action::Deploy), now).await
}

/// Queues a deployment of some jobs of an environment, which the caller has locked; none if no job remains.
async fn queue_jobs(
    tx: &DatabaseTransaction,
    by: &Requester,
    environment: &environment::Model,
    (targets, action): (Vec<JobTarget>, Action),
    now: DateTime<Utc>,
) -> Result<Option<deployment::Model>> {
    let (targets, edits) = tagged(tx, targets).await?;
    if targets.is_empty() {
        return Ok(None);
    }
    for (job, spec) in edits {
        job.edit(tx, (job.row().name.clone(), spec), now).await?;
    }
    let wanted = targets
        .iter()
        .map(|target| RequestedJob { job: target.job.id, forced: target.forced, commit: target.commit.clone() })
        .collect();
    let row = enqueue(tx, new(environment.id, action, Scope::Jobs, by, now), wanted).await?;
    for JobTarget { job, forced, .. } in &targets {
        let announcement = Announcement::job(announce::requested(action, *forced, Scope::Jobs), environment, job);
        announce::event(tx, announcement, by, now).await?;
    }
    Ok(Some(row))
}

/// The targets, and the configurations that get another tag. Nothing else of them changes, because the tag is put into what is stored
/// now. Jobs that the requester has not named themselves are left out if they no longer have the image.
async fn tagged(
    tx: &DatabaseTransaction,
    targets: Vec<JobTarget>,
) -> Result<(Vec<JobTarget>, Vec<(LockedJob, JobSpec)>)> {
    let (mut kept, mut edits) = (Vec::with_capacity(targets.len()), Vec::new());
    for target in targets {
        if let Some(tag) = &target.tag {
            let job = store::job::lock(tx, target.job.id).await?.ok_or(Error::NotFound("job"))?;
            if !tag.concerns(&job.row().spec) {
                continue;
            }
            let spec = tag.put(&job.row().spec)?;
            edits.extend(spec.map(|spec| (job, spec)));
        }
        kept.push(target);
    }
    Ok((kept, edits))
}

/// Requests `action` on all jobs of an environment. Skipped jobs take part only in removals.
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

/// `request_environment` inside the caller's transaction.
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
    queue_environment(tx, by, &environment, new(id, action, Scope::Environment, by, now), now).await
}

/// Queues a deployment of a whole environment, which the caller has locked.
pub(super) async fn queue_environment(
    tx: &DatabaseTransaction,
    by: &Requester,
    environment: &environment::Model,
    row: deployment::Model,
    now: DateTime<Utc>,
) -> Result<deployment::Model> {
    let (id, action) = (environment.id, row.action);
    let removes = matches!(action, Action::Delete | Action::Uninstall);
    let places = store::stage::places(tx, id).await?;
    let jobs = all_jobs(tx, id).await?.into_iter();
    let jobs = jobs.filter(|job| removes || places.get(job).is_none_or(|place| !place.is_skipped));
    let row = enqueue(tx, row, jobs.map(RequestedJob::plain).collect()).await?;
    let announcement = Announcement::environment(announce::requested(action, None, Scope::Environment), environment);
    announce::event(tx, announcement, by, now).await?;
    Ok(row)
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

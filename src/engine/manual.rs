//! Manual runs and the cancellation of runs: each request is stored in one transaction and wakes the engine.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use entity::id::RunId;
use entity::job;
use entity::job_spec::JobType;
use entity::run;
use entity::run::{Event, Trigger};
use entity::run_spec::RunSpec;
use sea_orm::DatabaseTransaction;

use super::advanced_settings::Settings;
use super::announce::{self, Announcement};
use super::command;
use super::deployment::run_spec;
use super::job_check;
use super::requester::Requester;
use crate::app::App;
use crate::error::{Error, Result};
use crate::secret;
use crate::store;

/// The settings of the job that one run overrides.
#[derive(Clone, Default)]
pub struct RunOverrides {
    pub entrypoint: Option<String>,
    pub arguments: Option<Vec<String>>,
    /// Variables that take precedence over variables of the same name.
    pub environment: BTreeMap<String, String>,
    /// The same, but their values are masked in the log.
    pub secret_environment: BTreeMap<String, String>,
    pub image_tag: Option<String>,
    /// 0 means no limit.
    pub timeout_seconds: Option<i32>,
}

/// Queues a run of a job. If a run with the same idempotency key already exists, that run is returned.
///
/// # Errors
/// `Invalid` for an image tag if the job is built from a Dockerfile; `Conflict` while the job or its environment is being
/// deleted, or if the image of the job was never built.
pub async fn run(
    app: &App,
    by: &Requester,
    job: &job::Model,
    event: Event,
    overrides: RunOverrides,
    key: Option<String>,
) -> Result<run::Model> {
    let now = app.clock.now();
    let spec = job.deployed.as_ref().unwrap_or(&job.spec);
    let RunOverrides { entrypoint, arguments, mut environment, mut secret_environment, image_tag, timeout_seconds } =
        overrides;
    let mut run = run_spec(spec, job.built.as_ref(), event)
        .ok_or_else(|| Error::invalid("event", "the job has no command for this event"))?;
    let from_git = spec.source.is_built();
    if from_git && image_tag.is_some() {
        return Err(Error::invalid("image_tag", "the job is built from a Dockerfile and has no image tag"));
    }
    if image_tag.is_some() && run.image_name.as_ref().is_some_and(|name| name.contains('@')) {
        return Err(Error::invalid("image_tag", "cannot be set: the image name of the job has a digest"));
    }
    if from_git && run.built_image.is_none() {
        return Err(Error::Conflict("the image of the job was never built; deploy the job to build it".into()));
    }
    run.entrypoint = entrypoint.or(run.entrypoint);
    run.arguments = arguments.unwrap_or(run.arguments);
    run.image_tag = image_tag.or(run.image_tag);
    run.max_duration_seconds = timeout_seconds.unwrap_or(run.max_duration_seconds);
    run.secret_additions = secret_environment.keys().cloned().collect();
    environment.append(&mut secret_environment);
    let counts = Settings(&spec.settings).is_on("cronjob.manual_runs_count") && event == Event::Cron;
    let row = run::Model { counts_for_schedule: counts.then_some(true), ..run::Model::queued(job.id, event, run, now) };
    let additions = if environment.is_empty() {
        None
    } else {
        let text = serde_json::to_vec(&environment).map_err(Error::internal)?;
        Some(app.keys.seal(&secret::place("run_additions", row.id.0), &text)?)
    };
    queue(app, by, job, run::Model { additions, idempotency_key: key, ..row }).await
}

/// Queues a run with the same specification and the same additional variables as an earlier one.
///
/// # Errors
/// `Conflict` for a build or the change of a schedule in a cluster, which only deployments start, and while the job or its environment
/// is being deleted.
pub async fn rerun(
    app: &App,
    by: &Requester,
    job: &job::Model,
    of: &run::Model,
    key: Option<String>,
) -> Result<run::Model> {
    if job.job_type == JobType::Check {
        return Err(Error::Conflict(
            "the job runs elsewhere, and is only watched here; repeat it where it runs".into(),
        ));
    }
    match of.event {
        Event::Cron | Event::Start | Event::Stop | Event::Delete => {}
        Event::Build | Event::Apply | Event::Workspace => {
            return Err(Error::Conflict("the run is a step of a deployment; deploy the job to repeat it".into()));
        }
    }
    let row = run::Model {
        counts_for_schedule: of.counts_for_schedule,
        ..run::Model::queued(job.id, of.event, of.spec.clone(), app.clock.now())
    };
    let additions = match &of.additions {
        None => None,
        Some(sealed) => {
            let opened = app.keys.open(&secret::place("run_additions", of.id.0), sealed)?;
            Some(app.keys.seal(&secret::place("run_additions", row.id.0), opened.expose())?)
        }
    };
    queue(app, by, job, run::Model { additions, idempotency_key: key, ..row }).await
}

/// Stores a manual run, unless its job has a run with the same idempotency key, which is returned.
async fn queue(app: &App, by: &Requester, job: &job::Model, row: run::Model) -> Result<run::Model> {
    let (now, key) = (row.created_at, row.idempotency_key.clone());
    // A deadline is for times of a schedule.
    let spec = RunSpec { starting_deadline_seconds: None, ..row.spec };
    let row = run::Model { trigger: Trigger::Manual, spec, ..row };
    let stored = store::write(&app.db, async |tx| {
        // Requests with the same key are stored one after the other, and all others beside each other.
        let environment = match &key {
            Some(_) => command::lock_for_addition(tx, job.environment_id).await?,
            None => command::share_for_addition(tx, job.environment_id).await?,
        };
        if let Some(key) = &key
            && let Some(known) = store::run::by_idempotency_key(tx, job.id, key).await?
        {
            return Ok::<_, Error>(known);
        }
        command::refuse_while_job_is_deleted(tx, job).await?;
        let stored = store::run::create_one(tx, row).await?;
        announce::event(tx, Announcement::job("TRIGGER_FORCE_RUN", &environment, job), by, now).await?;
        Ok(stored)
    })
    .await?;
    app.wake.runs();
    Ok(stored)
}

/// Requests the cancellation of a run.
///
/// # Errors
/// `Conflict` if the run has ended.
pub async fn cancel(app: &App, by: &Requester, job: &job::Model, row: &run::Model) -> Result<run::Model> {
    let now = app.clock.now();
    let row = store::write(&app.db, async |tx| {
        let (asked, row) = match job.job_type {
            JobType::Check => (true, job_check::cancel(app, tx, job.id, row.id, now).await?),
            JobType::Cron | JobType::Lifecycle => request_cancel(tx, row.id, now).await?,
        };
        if asked && let Some(environment) = store::environment::by_id(tx, job.environment_id).await? {
            announce::event(tx, Announcement::job("TRIGGER_CANCEL", &environment, job), by, now).await?;
        }
        Ok::<_, Error>(row)
    })
    .await?;
    app.wake.runs();
    Ok(row)
}

/// Requests the cancellation of a run, which the engine cancels. Returns whether it had not been requested before.
async fn request_cancel(tx: &DatabaseTransaction, id: RunId, now: DateTime<Utc>) -> Result<(bool, run::Model)> {
    let asked = store::run::cancel::request_cancel(tx, id, now).await?;
    let row = store::run::by_id(tx, id).await?.ok_or(Error::NotFound("run"))?;
    if row.state.is_final() {
        return Err(Error::Conflict("the run has ended".into()));
    }
    Ok((asked, row))
}

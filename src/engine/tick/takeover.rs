//! The pass that takes schedules over from Kubernetes, which can neither pause them nor skip a time.
//!
//! It queues a run that removes the CronJob. When that run has ended, every Job that the CronJob started is recorded, and the server
//! schedules the job from then on. The next deployment gives the schedule back.

use chrono::{DateTime, TimeDelta, Utc};
use entity::cluster::ClusterKind;
use entity::id::JobId;
use entity::job;
use entity::job_spec::JobSpec;
use entity::run::{self, Event, Trigger};
use sea_orm::{ConnectionTrait, DatabaseTransaction};

use crate::app::App;
use crate::engine::cron::{Keeper, Timing, keeper};
use crate::engine::deployment::run_spec;
use crate::engine::tick::pass::{BATCH, Wish, report, succeeded};
use crate::error::{Error, Result};
use crate::liveness::passes::Pass;
use crate::store;

const PASS: Pass = Pass::Takeovers;

/// How long after a failed removal the next one is tried.
const PAUSE: TimeDelta = TimeDelta::seconds(30);

/// Queues the removal of the CronJobs of schedules that are paused or skip a time.
pub(super) async fn run_once(app: &App, now: DateTime<Utc>) -> Result<bool> {
    let mut queued = 0;
    let paused = app.setbacks.paused(PASS, now);
    for job in store::schedule_hold::jobs_with_cron_job(&app.db, paused, now - PAUSE, BATCH).await? {
        let removed = store::write(&app.db, async |tx| {
            // Of several servers, one queues the removal.
            store::environment::lock(tx, job.environment_id).await?;
            let rows: Vec<run::Model> = removal(tx, &job, now).await?.into_iter().collect();
            Ok::<_, Error>(store::run::create(tx, rows).await?)
        });
        match removed.await {
            Ok(rows) => {
                queued += rows;
                succeeded(app, PASS, job.id);
            }
            Err(error @ Error::Unavailable { .. }) => return Err(error),
            Err(error) => {
                report(app, (PASS, "job"), job.id, &error, Wish::Process, now);
            }
        }
    }
    if queued > 0 {
        app.wake.now();
    }
    Ok(false)
}

async fn removal(tx: &DatabaseTransaction, job: &job::Model, now: DateTime<Utc>) -> Result<Option<run::Model>> {
    let newest = store::run::newest_of_event(tx, job.id, Event::Apply).await?;
    if newest.is_some_and(|run| !run.state.is_final() || run.updated_at + PAUSE > now) {
        return Ok(None);
    }
    let spec = job.deployed.as_ref().and_then(|spec| run_spec(spec, job.built.as_ref(), Event::Cron));
    let run = |spec| run::Model { trigger: Trigger::Manual, ..run::Model::queued(job.id, Event::Apply, spec, now) };
    Ok(spec.map(run))
}

/// Whether Kubernetes is to schedule a job with this deployed configuration: a CronJob supports it, and nothing holds it back.
pub(super) async fn belongs_to_kubernetes(
    db: &impl ConnectionTrait,
    job: JobId,
    kind: ClusterKind,
    deployed: Option<&JobSpec>,
) -> Result<bool> {
    let supported = deployed.and_then(|spec| keeper(kind, spec)) == Some(Keeper::Kubernetes);
    Ok(supported && !store::schedule_hold::exists(db, job).await?)
}

/// Schedules a job whose CronJob is gone: from the newest time that the CronJob has run, or from when its removal was requested.
pub(super) async fn schedule_by_server(tx: &DatabaseTransaction, job: JobId, removal: &run::Model) -> Result<()> {
    let Some(job) = store::job::by_id(tx, job).await? else { return Ok(()) };
    let timing = job.deployed.as_ref().and_then(|spec| Timing::of(job.id, spec).ok().flatten());
    let Some(timing) = timing else { return Ok(()) };
    if store::job_schedule::of_job(tx, job.id).await?.is_some() {
        return Ok(());
    }
    let ran = store::run::newest_scheduled_time(tx, job.id).await?;
    let since = ran.map_or(removal.created_at, |ran| ran.max(removal.created_at));
    store::job_schedule::set(tx, job.id, timing.next(since)).await?;
    Ok(())
}

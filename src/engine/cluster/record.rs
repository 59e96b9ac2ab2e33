//! The pass that records the runs that CronJobs started, each exactly once.

use chrono::{DateTime, Utc};
use entity::id::ClusterId;
use entity::job;
use entity::job::AppliedSchedule;
use entity::run::{self, Event, NO_SLOTS, RunState, RunnerKind, Trigger};

use crate::app::App;
use crate::engine::deployment::run_spec;
use crate::engine::tick::job::step::masks;
use crate::engine::tick::pass::{Wish, report, succeeded};
use crate::engine::tick::run::lease::renew_if_late;
use crate::engine::tick::run::masks::{Masks, UNKNOWN_MASKS};
use crate::error::{CannotOpen, Error, Result};
use crate::liveness::passes::Pass;
use crate::runner::kubernetes::ScheduledJob;
use crate::runner::kubernetes::cluster_place::place;
use crate::store;

/// How many Jobs one transaction records.
const BATCH: usize = 500;

const PASS: Pass = Pass::ClusterRuns;

/// Records the Jobs that CronJobs started: each exactly once, by the first server that sees it. A failing cluster, or a failing
/// Job, does not affect the others.
pub(in crate::engine) async fn run_once(app: &App, now: DateTime<Utc>) -> Result<bool> {
    let mut more = false;
    for (id, runner) in app.runners.clusters.all() {
        let mut found = runner.scheduled();
        found.retain(|started| !app.setbacks.is_paused(PASS, &started.uid, now));
        more |= found.len() > BATCH;
        found.truncate(BATCH);
        if found.is_empty() {
            continue;
        }
        let recorded = match record_of(app, id, &found, now).await {
            Ok(()) => found,
            Err(error @ Error::Unavailable { .. }) => return Err(error),
            Err(_) => one_by_one(app, id, found, now).await,
        };
        runner.note_recorded(recorded.into_iter().map(|job| job.uid));
        app.wake.here();
    }
    Ok(more)
}

/// Records Jobs of which one cannot be recorded. Returns the others.
async fn one_by_one(app: &App, id: ClusterId, found: Vec<ScheduledJob>, now: DateTime<Utc>) -> Vec<ScheduledJob> {
    let mut recorded = Vec::with_capacity(found.len());
    for started in found {
        match record_of(app, id, std::slice::from_ref(&started), now).await {
            Ok(()) => {
                succeeded(app, PASS, &started.uid);
                recorded.push(started);
            }
            Err(error) => {
                report(app, (PASS, "Job"), &started.uid, &error, Wish::Process, now);
            }
        }
    }
    recorded
}

async fn record_of(app: &App, id: ClusterId, found: &[ScheduledJob], now: DateTime<Utc>) -> Result<()> {
    let ids = found.iter().map(|job| job.job).collect();
    // A cluster can only start jobs that are deployed to it; labels that say otherwise are ignored.
    let jobs = store::cluster_objects::jobs_on(&app.db, id, ids).await?;
    let mut rows = Vec::with_capacity(found.len());
    for started in found {
        if let Some(job) = jobs.iter().find(|job| job.id == started.job) {
            rows.extend(row_of(app, id, started, job, now).await?);
        }
    }
    renew_if_late(app).await?;
    app.visits.visit(rows.iter().map(|row| row.id));
    let stored = store::write(&app.db, async |tx| store::run::create(tx, rows).await.map_err(Error::from)).await?;
    if stored > 0 {
        for started in found {
            app.metrics.time_recorded(now - started.scheduled_for);
        }
    }
    Ok(())
}

async fn row_of(
    app: &App,
    id: ClusterId,
    started: &ScheduledJob,
    job: &job::Model,
    now: DateTime<Utc>,
) -> Result<Option<run::Model>> {
    let spec = job.deployed.as_ref().unwrap_or(&job.spec);
    let Some(spec) = run_spec(spec, job.built.as_ref(), Event::Cron) else { return Ok(None) };
    let row = run::Model {
        state: RunState::Running,
        trigger: Trigger::Schedule,
        scheduled_for: Some(started.scheduled_for),
        runner: Some(RunnerKind::Kubernetes),
        place: Some(place(id)),
        step: Some(started.handle.clone()),
        start_asked_at: Some(now),
        lease_owner: Some(app.instance),
        // Kubernetes started it, whatever slots this server has.
        slots: NO_SLOTS,
        ..run::Model::queued(job.id, Event::Cron, spec, now)
    };
    let masks = match masks(app, &row, job).await {
        Ok(texts) => Masks::new(texts).sealed(app, &row)?,
        // The run is recorded all the same; its log is omitted, because nothing can be masked in it.
        Err(Error::Internal(source)) if source.is::<CannotOpen>() => Some(UNKNOWN_MASKS.to_vec()),
        Err(error) => return Err(error),
    };
    Ok(Some(run::Model { masks, ..row }))
}

/// The applied CronJob, from the output of the step that applied it.
pub(in crate::engine) fn applied(step: &str, content: &[u8]) -> Option<AppliedSchedule> {
    let (namespace, rest) = step.split_once('/')?;
    let (name, _) = rest.split_once('=')?;
    let crate::runner::kubernetes::CronJobVersion { uid, generation, secret } = serde_json::from_slice(content).ok()?;
    Some(AppliedSchedule { namespace: namespace.to_owned(), name: name.to_owned(), uid, generation, secret })
}

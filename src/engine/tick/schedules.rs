//! The pass that turns times of schedules into runs: one row per time, stored together with the next time.

use chrono::{DateTime, Utc};
use entity::id::{JobId, RunId};
use entity::job;
use entity::job::Schedule;
use entity::run;
use entity::run::{Event, RunState, Trigger};

use super::BATCH;
use crate::app::App;
use crate::engine::deployment::run_spec;
use crate::engine::schedule;
use crate::error::{Error, Result};
use crate::store;

/// What is due of one job.
struct Due {
    job: JobId,
    /// The time that was stored as the next one.
    planned: DateTime<Utc>,
    next: Option<DateTime<Utc>>,
    run: Option<run::Model>,
}

pub(super) async fn schedule(app: &App, now: DateTime<Utc>) -> Result<bool> {
    store::write(&app.db, async |tx| {
        let jobs = store::job::due(tx, now, BATCH).await?;
        if jobs.is_empty() {
            return Ok::<_, Error>(false);
        }
        let more = jobs.len() as u64 == BATCH;
        let ids = jobs.iter().map(|job| job.id).collect();
        let busy = store::run::jobs_with_open_schedule(tx, ids).await?;
        let mut runs = Vec::new();
        for due in jobs.iter().filter_map(|job| due(job, now)) {
            if !store::job::advance_schedule(tx, due.job, due.planned, due.next).await? {
                continue;
            }
            if busy.contains(&due.job) {
                tracing::info!(job = %due.job, planned = %due.planned, "a time is left out: the run before is not over");
            } else {
                runs.extend(due.run);
            }
        }
        store::run::create(tx, runs).await?;
        Ok(more)
    })
    .await
}

/// The run of the newest time that has come, and the time after now. Older times that were missed are left out.
fn due(job: &job::Model, now: DateTime<Utc>) -> Option<Due> {
    let planned = job.next_run_at?;
    let spec = job.deployed.as_ref()?;
    let Schedule::Cron { scheduled_at, timezone, .. } = &spec.schedule else {
        return Some(Due { job: job.id, planned, next: None, run: None });
    };
    let parsed = scheduled_at.parse::<schedule::Schedule>().ok().zip(schedule::parse_timezone(timezone).ok());
    let Some((expression, zone)) = parsed else {
        tracing::error!(job = %job.id, "the deployed schedule cannot be read; it is switched off");
        return Some(Due { job: job.id, planned, next: None, run: None });
    };
    let scheduled_for = expression.newest(planned, now, zone).unwrap_or(planned);
    let run = run_spec(spec, Event::Cron).map(|spec| run::Model {
        trigger: Trigger::Schedule,
        scheduled_for: Some(scheduled_for),
        ..new_run(job.id, Event::Cron, spec, now)
    });
    Some(Due { job: job.id, planned, next: expression.next(now, zone), run })
}

/// A queued run of a job, started by force.
pub(super) fn new_run(job: JobId, event: Event, spec: run::RunSpec, now: DateTime<Utc>) -> run::Model {
    run::Model {
        id: RunId::create(),
        number: 0,
        job_id: Some(job),
        deployment_id: None,
        created_at: now,
        updated_at: now,
        trigger: Trigger::Force,
        event,
        scheduled_for: None,
        state: RunState::Queued,
        attempt: 1,
        spec,
        runner: None,
        not_before: now,
        started_at: None,
        attempt_started_at: None,
        finished_at: None,
        cancel_requested_at: None,
        exit_code: None,
        reason: None,
        lease_owner: None,
        lease_until: None,
        attempt_lines: 0,
        total_lines: 0,
    }
}

//! The forecast of the jobs that a caller sees: loads them, their holds and their history, and hands them to `forecast`.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use entity::cluster::ClusterKind;
use entity::id::JobId;
use entity::run::SERVER_SLOTS;
use uuid::Uuid;

use super::calendar::Calendars;
use super::calendars_of_jobs::calendars_of_jobs;
use super::cron::{Holds, Policy, Timing};
use super::forecast::{Forecast, ForecastJob, forecast};
use super::run_lengths::RunLengths;
use crate::app::App;
use crate::error::{Error, Result};
use crate::store;
use crate::store::overview::{PlannedJob, Sight};

/// The most jobs of a forecast.
const MOST_JOBS: u64 = 20_000;
/// How many runs are read at most: of a few jobs the newest 100 each, of many fewer each.
const MOST_RUNS: usize = 200_000;
/// How many jobs are looked up together.
const TOGETHER: usize = 1000;

/// What the schedules of these jobs will do in the coming `hours`.
///
/// # Errors
/// A database error.
pub async fn outlook_of_jobs(app: &App, sight: &Sight, hours: i64) -> Result<Forecast> {
    let now = app.clock.now();
    let until = now + TimeDelta::hours(hours);
    let rows = store::overview::planned_jobs(&app.db, sight, MOST_JOBS).await?;
    let mut slots: BTreeMap<Uuid, usize> = BTreeMap::new();
    let servers = store::server_lease::count_live(&app.db, now).await?.max(1);
    let capacity = usize::try_from(u64::from(app.config.max_runs).saturating_mul(servers)).unwrap_or(usize::MAX);
    let mut jobs: Vec<ForecastJob> = Vec::with_capacity(rows.len());
    let specs: Vec<_> = rows.iter().map(|row| (row.id, &row.spec)).collect();
    let mut calendars = calendars_of_jobs(&app.db, &specs).await?;
    for row in rows {
        let calendars = calendars.remove(&row.id).unwrap_or_default();
        if let Some(job) = job_of(row, calendars) {
            if let Some(id) = job.slots {
                slots.insert(id, capacity);
            }
            jobs.push(job);
        }
    }
    add_holds(app, &mut jobs, until).await?;
    add_lengths(app, &mut jobs).await?;
    // Up to a second of computing, which must not delay other requests.
    let forecast = tokio::task::spawn_blocking(move || forecast(&jobs, &slots, (now, until)));
    forecast.await.map_err(Error::internal)
}

/// None if the job has no times: its schedule is suspended, was never planned, or is invalid.
fn job_of(row: PlannedJob, calendars: Calendars) -> Option<ForecastJob> {
    let policy = Policy::of(&row.spec);
    let timing = Timing::of(row.id, &row.spec).ok().flatten().filter(|_| !policy.suspended)?;
    let slots = match (row.next_run_at, row.kind) {
        (Some(_), ClusterKind::Local) => Some(SERVER_SLOTS),
        (Some(_), ClusterKind::Kubernetes | ClusterKind::Agent) => Some(row.cluster_id.0),
        (None, _) if row.is_applied => None,
        (None, _) => return None,
    };
    let limit = u64::try_from(row.spec.max_duration_seconds).ok().filter(|seconds| *seconds > 0);
    Some(ForecastJob {
        id: row.id,
        name: row.name,
        timing,
        concurrency: policy.concurrency,
        holds: Holds { calendars, ..Holds::default() },
        lengths: None,
        limit: limit.map(|seconds| seconds.saturating_mul(1000)),
        slots,
    })
}

async fn add_holds(app: &App, jobs: &mut [ForecastJob], until: DateTime<Utc>) -> Result<()> {
    if !store::schedule_hold::any(&app.db).await? {
        return Ok(());
    }
    for jobs in jobs.chunks_mut(TOGETHER) {
        let ids: Vec<JobId> = jobs.iter().map(|job| job.id).collect();
        let (pauses, skips) = store::schedule_hold::list_due(&app.db, &ids, until).await?;
        for job in jobs {
            job.holds.pause = pauses.iter().find(|pause| pause.job_id == job.id).cloned();
            job.holds.skips = skips.iter().filter(|skip| skip.job_id == job.id).cloned().collect();
        }
    }
    Ok(())
}

async fn add_lengths(app: &App, jobs: &mut [ForecastJob]) -> Result<()> {
    let ids: Vec<JobId> = jobs.iter().map(|job| job.id).collect();
    let each = u32::try_from((MOST_RUNS / ids.len().max(1)).clamp(5, 100)).unwrap_or(5);
    let durations = store::overview::success_durations(&app.db, &ids, each).await?;
    for job in jobs {
        job.lengths = durations.get(&job.id).and_then(|durations| RunLengths::of(durations));
    }
    Ok(())
}

//! The pass that plans schedules again after the clock went back, or with other time zone rules.
//!
//! Times that were planned while the clock was ahead would otherwise be waited for. The newest time that any server has seen is
//! stored, so that a jump is noticed after a restart and by other servers, too. So are the rules that times were planned by.

use chrono::{DateTime, TimeDelta, Utc};
use entity::id::JobId;
use sea_orm::DatabaseTransaction;
use windlass_schedule::time_zone;

use crate::app::App;
use crate::engine::cron::{self, Timing};
use crate::engine::deployment_rule;
use crate::engine::tick::pass::{BATCH, Wish, report, succeeded};
use crate::engine::workspace::next_time;
use crate::error::{Error, Result};
use crate::liveness::passes::Pass;
use crate::store;
use crate::store::job_schedule::DueJob;

/// By how much the clocks of servers may differ. In a shorter span than a minute, at most one time of a schedule has passed, and
/// it has been handled.
const TOLERANCE: TimeDelta = TimeDelta::seconds(30);

const PASS: Pass = Pass::ClockJumps;

/// Stores how far time has progressed, or plans the next schedules again if the clock went back.
pub(super) async fn run_once(app: &App, now: DateTime<Utc>) -> Result<bool> {
    if app.clock_watch.is_well(now) {
        return Ok(false);
    }
    let zones = time_zone::database();
    let newest = store::clock_mark::newest(&app.db).await?;
    let went_back = newest.filter(|newest| now + TOLERANCE < *newest);
    let known = !app.clock_watch.is_new() || store::clock_mark::zones(&app.db).await? == Some(zones.fingerprint());
    if went_back.is_none() && known {
        store::write_one(&app.db, async |db| store::clock_mark::raise(&db, now).await).await?;
        app.clock_watch.note_stored(now);
        return Ok(false);
    }
    let after = app.clock_watch.replanned().map(JobId);
    if let (Some(newest), None) = (went_back, after) {
        let seconds = (newest - now).num_seconds();
        tracing::warn!(%now, seconds, "the clock went back; planning all schedules again");
    }
    let last = match replan_some(app, now, after, BATCH).await {
        Err(error @ Error::Unavailable { .. }) => return Err(error),
        // One of them cannot be planned; the others can.
        Err(_) => replan_one_by_one(app, now, after).await?,
        Ok(last) => last,
    };
    if last.is_none() {
        store::write(&app.db, async |tx| {
            replan_workspaces(tx, now).await?;
            replan_rules(tx, now).await?;
            store::run::release_from_future(tx, now).await?;
            store::clock_mark::set(tx, now, zones.fingerprint()).await?;
            Ok::<_, Error>(())
        })
        .await?;
    }
    match last {
        Some(job) => app.clock_watch.note_replanned(job.0),
        None => app.clock_watch.note_stored(now),
    }
    Ok(last.is_some())
}

/// Plans the next jobs after `after` again; returns the last one if there may be more.
async fn replan_some(app: &App, now: DateTime<Utc>, after: Option<JobId>, limit: u64) -> Result<Option<JobId>> {
    store::write(&app.db, async |tx| {
        let jobs = store::job_schedule::planned_after(tx, now, after, limit).await?;
        let last = jobs.last().map(|job| job.id).filter(|_| jobs.len() as u64 == limit);
        replan(tx, jobs, now).await?;
        Ok(last)
    })
    .await
}

async fn replan_one_by_one(app: &App, now: DateTime<Utc>, mut after: Option<JobId>) -> Result<Option<JobId>> {
    let jobs = store::job_schedule::list_planned_after(&app.db, now, after, BATCH).await?;
    for job in &jobs {
        match replan_some(app, now, after, 1).await {
            Ok(_) => succeeded(app, PASS, job),
            Err(error) => {
                report(app, (PASS, "job"), job, &error, Wish::Process, now);
            }
        }
        after = Some(*job);
    }
    Ok(jobs.last().copied().filter(|_| jobs.len() as u64 == BATCH))
}

/// Moves schedules to the first time after now, and forgets what was recorded about times that are in the future again.
async fn replan(tx: &DatabaseTransaction, jobs: Vec<DueJob>, now: DateTime<Utc>) -> Result<()> {
    store::run::skipped::forget_after(tx, jobs.iter().map(|job| job.id).collect(), now).await?;
    let mut steps = Vec::new();
    for DueJob { id, planned, deployed, built: _ } in jobs {
        let timing = deployed.and_then(|spec| Timing::of(id, &spec).ok().flatten());
        let next = timing.and_then(|timing| timing.next(now)).filter(|next| *next != planned);
        steps.extend(next.map(|next| (id, planned, Some(next))));
    }
    store::job_schedule::advance(tx, &steps).await?;
    Ok(())
}

async fn replan_workspaces(tx: &DatabaseTransaction, now: DateTime<Utc>) -> Result<()> {
    let mut after = None;
    loop {
        let rows = store::workspace::schedules_planned_after(tx, now, after, BATCH).await?;
        after = rows.last().map(|row| row.id);
        for mut row in rows {
            let next = next_time(&row.cron, now).ok().flatten().filter(|_| row.enabled);
            if next.is_some() && next != row.next_run_at {
                row.next_run_at = next;
                store::row::update(tx, row).await?;
            }
        }
        if after.is_none() {
            return Ok(());
        }
    }
}

async fn replan_rules(tx: &DatabaseTransaction, now: DateTime<Utc>) -> Result<()> {
    let mut after = None;
    loop {
        let rows = store::deployment_rule::planned_after(tx, now, after, BATCH).await?;
        after = rows.last().map(|row| row.environment_id);
        for row in rows {
            if let Ok(zone) = cron::parse_timezone(&row.timezone) {
                store::deployment_rule::advance(tx, &row, deployment_rule::next(&row, zone, now)).await?;
            }
        }
        if after.is_none() {
            return Ok(());
        }
    }
}

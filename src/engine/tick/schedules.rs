//! The pass over schedules: every time that is due becomes a run, or a skipped time with its reason, stored in one transaction
//! with the next time.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use entity::id::{JobId, RunId};
use entity::run::Event;
use entity::skipped_time::{self, SkipReason};
use sea_orm::{ActiveEnum as _, DatabaseTransaction};

use super::pass::{BATCH as BATCH_BY_ONE, Wish, report, succeeded};
use crate::app::App;
use crate::engine::calendars_of_jobs::calendars_of_jobs;
use crate::engine::cron::{DueTimes, Hold, Holds, Policy, TimeDecision, Timing};
use crate::engine::deployment::run_spec;
use crate::engine::news::times_skipped;
use crate::error::{Error, Result};
use crate::liveness::passes::Pass;
use crate::store;
use crate::store::job_schedule::{DueJob, DueOf, ScheduleAdvance};
use crate::store::run::scheduled::ScheduledRun;

/// How many schedules one transaction settles: large transactions touch fewer database pages when many schedules are due at once, but
/// all other writers of an SQLite database wait for them.
const BATCH: u64 = 500;

/// The rows to store for the due times.
#[derive(Default)]
struct SettledTimes {
    steps: Vec<ScheduleAdvance>,
    runs: Vec<ScheduledRun>,
    /// The scheduled times of the stored runs.
    taken: Vec<DateTime<Utc>>,
    skipped: Vec<skipped_time::Model>,
    /// The jobs whose older runs are cancelled.
    replaced: Vec<JobId>,
}

const PASS: Pass = Pass::Schedules;

/// Settles all due times of deployed schedules.
pub(super) async fn run_once(app: &App, now: DateTime<Utc>) -> Result<bool> {
    let paused = app.setbacks.paused(PASS, now);
    // Most of the time nothing is due, which one query tells without a transaction.
    if store::job_schedule::next_due(&app.db, paused.clone()).await?.is_none_or(|due| due > now) {
        return Ok(false);
    }
    let paused = DueOf::AllBut(paused);
    match settle_some(app, paused.clone(), BATCH, now).await {
        Ok(jobs) => return Ok(jobs == BATCH),
        Err(error @ Error::Unavailable { .. }) => return Err(error),
        Err(_) => {}
    }
    // One of them cannot be settled; the others can. A schedule has no end; it is tried again after the longest pause.
    let due = store::job_schedule::due_jobs(&app.db, paused, now, BATCH_BY_ONE).await?;
    let more = due.len() as u64 == BATCH_BY_ONE;
    for job in due {
        if let Err(error) = settle_some(app, DueOf::Job(job), 1, now).await {
            report(app, (PASS, "job"), job, &error, Wish::Process, now);
        }
    }
    Ok(more)
}

/// Settles due schedules in one transaction, and returns their number.
async fn settle_some(app: &App, of: DueOf, limit: u64, now: DateTime<Utc>) -> Result<u64> {
    let (jobs, settled) = store::write(&app.db, async |tx| {
        let jobs = store::job_schedule::due(tx, of, now, limit).await?;
        let count = jobs.len() as u64;
        let settled = store(app, tx, jobs, now).await?;
        Ok::<_, Error>((count, settled))
    })
    .await?;
    for (job, ..) in &settled.steps {
        succeeded(app, PASS, job);
    }
    report_settled(app, &settled, now);
    Ok(jobs)
}

/// Settles the due times of one job, before its deployed configuration is replaced or removed.
pub(in crate::engine) async fn settle(
    app: &App,
    tx: &DatabaseTransaction,
    job: JobId,
    now: DateTime<Utc>,
) -> Result<()> {
    let jobs = store::job_schedule::due(tx, DueOf::Job(job), now, 1).await?;
    store(app, tx, jobs, now).await.map(|_| ())
}

async fn store(app: &App, tx: &DatabaseTransaction, jobs: Vec<DueJob>, now: DateTime<Utc>) -> Result<SettledTimes> {
    if jobs.is_empty() {
        return Ok(SettledTimes::default());
    }
    let ids: Vec<JobId> = jobs.iter().map(|job| job.id).collect();
    let open = store::run::count_open_of_schedules(tx, ids.clone()).await?;
    let mut holds = holds(tx, &ids, now).await?;
    let held = !holds.is_empty();
    let specs: Vec<_> = jobs.iter().filter_map(|job| Some((job.id, job.deployed.as_ref()?))).collect();
    for (job, calendars) in calendars_of_jobs(tx, &specs).await? {
        holds.entry(job).or_default().calendars = calendars;
    }
    let mut settled = SettledTimes::default();
    for job in jobs {
        let open = open.get(&job.id).copied().unwrap_or(0);
        let holds = holds.remove(&job.id).unwrap_or_default();
        settled.add(job, &holds, open, now);
    }
    let moved: std::collections::HashSet<JobId> =
        store::job_schedule::advance(tx, &settled.steps).await?.into_iter().collect();
    if moved.len() < settled.steps.len() {
        // Another server settled some of them first.
        settled.runs.retain(|run| moved.contains(&run.job_id));
        settled.skipped.retain(|row| moved.contains(&row.job_id));
        settled.replaced.retain(|job| moved.contains(job));
    }
    store::run::cancel::request_cancel_of_schedules(tx, std::mem::take(&mut settled.replaced), now).await?;
    settled.taken = settled.runs.iter().map(|run| run.scheduled_for).collect();
    store::run::scheduled::create(tx, &std::mem::take(&mut settled.runs), now).await?;
    store::run::skipped::create(tx, settled.skipped.clone()).await?;
    times_skipped(app, tx, &settled.skipped, now).await?;
    if held {
        store::schedule_hold::forget_past(tx, ids, now).await?;
    }
    Ok(settled)
}

/// What holds schedules back, by job.
async fn holds(tx: &DatabaseTransaction, jobs: &[JobId], now: DateTime<Utc>) -> Result<HashMap<JobId, Holds>> {
    let mut holds: HashMap<JobId, Holds> = HashMap::new();
    if !store::schedule_hold::any(tx).await? {
        return Ok(holds);
    }
    let (pauses, skips) = store::schedule_hold::list_due(tx, jobs, now).await?;
    for pause in pauses {
        let job = pause.job_id;
        holds.entry(job).or_default().pause = Some(pause);
    }
    for skip in skips {
        holds.entry(skip.job_id).or_default().skips.push(skip);
    }
    Ok(holds)
}

/// Counts and logs the stored rows, and wakes the loop that starts runs.
fn report_settled(app: &App, settled: &SettledTimes, now: DateTime<Utc>) {
    for at in &settled.taken {
        app.metrics.time_recorded(now - *at);
    }
    for row in &settled.skipped {
        app.metrics.time_skipped(row.reason);
        let reason = row.reason.to_value();
        tracing::info!(job = %row.job_id, scheduled_for = %row.scheduled_for, through = %row.through, reason, "time skipped");
    }
    if !settled.taken.is_empty() {
        app.wake.runs();
    }
}

impl SettledTimes {
    fn add(&mut self, job: DueJob, holds: &Holds, open: usize, now: DateTime<Utc>) {
        let DueJob { id, planned, deployed, built } = job;
        let timing = match deployed.as_ref().map(|spec| Timing::of(id, spec)) {
            Some(Ok(Some(timing))) => timing,
            None | Some(Ok(None)) => return self.steps.push((id, planned, None)),
            Some(Err(refused)) => {
                tracing::error!(job = %id, refused = refused.0, "deployed schedule cannot be parsed; disabled until the next deployment");
                return self.steps.push((id, planned, None));
            }
        };
        let Some(spec) = deployed else { return };
        let DueTimes { older, times, next } = timing.due(&Policy::of(&spec), holds, planned, now, open);
        self.steps.push((id, planned, next));
        let row = |scheduled_for, through, reason| skipped_time::Model {
            job_id: id,
            scheduled_for,
            through,
            reason,
            recorded_at: now,
            requested_by: match holds.of(scheduled_for) {
                Some(Hold::Skip(skip)) if reason == SkipReason::Paused && scheduled_for == through => {
                    Some(skip.requested_by.clone())
                }
                _ => None,
            },
            detail: match holds.of(scheduled_for) {
                Some(Hold::Calendar(why)) if reason == SkipReason::Calendar && scheduled_for == through => Some(why),
                _ => None,
            },
        };
        self.skipped.extend(older.map(|(first, last, reason)| row(first, last, reason)));
        for (at, fate) in times {
            match fate {
                TimeDecision::Skip(reason) => self.skipped.push(row(at, at, reason)),
                TimeDecision::Run { in_turn, replaces } => {
                    if replaces {
                        self.replaced.push(id);
                    }
                    let run = run_spec(&spec, built.as_ref(), Event::Cron).map(|spec| ScheduledRun {
                        id: RunId::create(),
                        job_id: id,
                        scheduled_for: at,
                        spec,
                        in_turn,
                    });
                    self.runs.extend(run);
                }
            }
        }
    }
}

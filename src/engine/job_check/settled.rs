//! What is decided about checks without a ping: that one is missing, and that a started run has not ended in time.

use chrono::{DateTime, Utc};
use entity::id::{JobId, RunId};
use entity::run::RunState;
use entity::{job, job_check, run, skipped_time};
use sea_orm::DatabaseTransaction;

use crate::app::App;
use crate::engine::cron::{Expectation, Holds, Missing};
use crate::engine::ended_run::{expiry, follow_up};
use crate::engine::news::times_skipped;
use crate::error::{Error, Result};
use crate::store;
use crate::store::run::{Advanced, Expected};

/// What was decided, for metrics and logs.
#[derive(Clone, Debug, Default)]
pub(in crate::engine) struct Settled {
    pub(super) skipped: Vec<skipped_time::Model>,
    pub(super) ended: Vec<run::Model>,
}

impl Settled {
    pub(in crate::engine) fn add(&mut self, more: Self) {
        self.skipped.extend(more.skipped);
        self.ended.extend(more.ended);
    }

    /// Counts and logs what was decided.
    pub(in crate::engine) fn report(&self, app: &App) {
        for row in &self.skipped {
            app.metrics.time_skipped(row.reason);
            tracing::info!(job = %row.job_id, scheduled_for = %row.scheduled_for, through = %row.through, "no ping arrived");
        }
        for run in &self.ended {
            let job = run.job_id.map(tracing::field::display);
            tracing::info!(run = %run.id, job, reason = run.reason.as_deref(), "run of a check ended");
            app.metrics.run_ended(run.job_id, run.state, run.trigger);
        }
        if !self.ended.is_empty() {
            app.wake.run_ended();
        }
    }
}

/// What a check expects; an error if its stored schedule cannot be read.
pub(super) fn expectation(job: &job::Model) -> Result<Expectation> {
    let unreadable = |text: String| Error::internal(format!("cannot parse a stored schedule: {text}"));
    let found = Expectation::of(job.id, &job.spec).map_err(|refused| unreadable(refused.0))?;
    found.ok_or_else(|| unreadable("the schedule of a job that is no check".into()))
}

/// How a run of a check ends.
pub(super) struct RunEnd {
    pub(super) state: RunState,
    pub(super) exit_code: Option<i32>,
    pub(super) reason: Option<String>,
}

/// Ends a started run, and stores what follows from that.
pub(super) async fn end(
    app: &App,
    tx: &DatabaseTransaction,
    run: run::Model,
    RunEnd { state, exit_code, reason }: RunEnd,
    now: DateTime<Utc>,
) -> Result<run::Model> {
    let run = run::Model { state, exit_code, reason, updated_at: now, finished_at: Some(now), ..run };
    let run = run::Model { expires_at: expiry(&run), ..run };
    let expected = Expected { state: RunState::Running, owner: None };
    let Advanced::Yes(follows) = store::run::advance(tx, expected, run.clone()).await? else {
        return Err(Error::Conflict("the run has ended".into()));
    };
    follow_up(app, tx, (&run, follows), now).await?;
    Ok(run)
}

/// Ends a started run whose end no ping has reported. One that still does is a run of its own under its name.
async fn end_unreported(
    app: &App,
    tx: &DatabaseTransaction,
    run: run::Model,
    how: RunEnd,
    now: DateTime<Utc>,
) -> Result<run::Model> {
    let run = end(app, tx, run, how, now).await?;
    if run.idempotency_key.is_some() {
        store::run::pinged::release_name(tx, run.id).await?;
    }
    Ok(run)
}

/// Decides about everything that is due. Lock the check first, and store it afterwards.
pub(super) async fn decide(
    app: &App,
    tx: &DatabaseTransaction,
    check: &mut job_check::Model,
    expectation: &Expectation,
    now: DateTime<Utc>,
) -> Result<Settled> {
    let mut settled = Settled::default();
    if let Some(expected) = check.expected_for
        && expectation.due(expected).is_some_and(|due| due <= now)
    {
        let (pause, skips) = store::schedule_hold::of_job(tx, check.job_id).await?;
        let holds = Holds { pause, skips, ..Holds::default() };
        let missing = expectation.missing(expected, &holds, now);
        settled.skipped = record(app, tx, check, missing, &holds, now).await?;
    }
    for run in store::run::pinged::list_open(tx, check.job_id).await? {
        let limit = expectation.limit;
        if run.started_at.and_then(|at| at.checked_add_signed(limit)).is_some_and(|until| until <= now) {
            let reason = format!("no end was reported within {} s of the start", limit.num_seconds());
            let end_of = RunEnd { state: RunState::Failed, exit_code: None, reason: Some(reason) };
            settled.ended.push(end_unreported(app, tx, run, end_of, now).await?);
        }
    }
    Ok(settled)
}

/// Stores the rows of missing pings, and what is expected next.
async fn record(
    app: &App,
    tx: &DatabaseTransaction,
    check: &mut job_check::Model,
    Missing { rows, next }: Missing,
    holds: &Holds,
    now: DateTime<Utc>,
) -> Result<Vec<skipped_time::Model>> {
    check.expected_for = next;
    store::run::skipped::create(tx, rows.clone()).await?;
    times_skipped(app, tx, &rows, now).await?;
    if !holds.is_empty() {
        let past = next.map_or(now, |next| next.min(now));
        store::schedule_hold::forget_past(tx, vec![check.job_id], past).await?;
    }
    Ok(rows)
}

/// Stores a check, with the next time at which something is to be decided about it.
pub(super) async fn keep(
    tx: &DatabaseTransaction,
    check: &mut job_check::Model,
    expectation: &Expectation,
) -> Result<()> {
    let open = store::run::pinged::list_open(tx, check.job_id).await?;
    let limits = open.iter().filter_map(|run| run.started_at?.checked_add_signed(expectation.limit));
    check.due_at = check.expected_for.and_then(|expected| expectation.due(expected)).into_iter().chain(limits).min();
    Ok(store::job_check::set_expected(tx, check).await?)
}

/// Decides about those of some checks that are due. Returns their number.
pub(in crate::engine) async fn settle_due(app: &App, ids: &[JobId], now: DateTime<Utc>) -> Result<usize> {
    let (count, settled) = store::write(&app.db, async |tx| {
        let due = store::job_check::lock_due(tx, ids, now).await?;
        let (count, mut all) = (due.len(), Settled::default());
        for (job, mut check) in due {
            let expectation = expectation(&job)?;
            all.add(decide(app, tx, &mut check, &expectation, now).await?);
            keep(tx, &mut check, &expectation).await?;
        }
        Ok::<_, Error>((count, all))
    })
    .await?;
    settled.report(app);
    Ok(count)
}

/// Decides about what is due before something is changed: the past belongs to the state before the change.
pub(in crate::engine) async fn settle(
    app: &App,
    tx: &DatabaseTransaction,
    id: JobId,
    now: DateTime<Utc>,
) -> Result<()> {
    let Some((job, mut check)) = store::job_check::lock(tx, id).await? else { return Err(Error::NotFound("check")) };
    let expectation = expectation(&job)?;
    decide(app, tx, &mut check, &expectation, now).await?;
    keep(tx, &mut check, &expectation).await
}

/// Decides about the times until now that are held back, before what holds them back ends: their grace may not be over yet.
pub(in crate::engine) async fn release(
    app: &App,
    tx: &DatabaseTransaction,
    id: JobId,
    now: DateTime<Utc>,
) -> Result<()> {
    let Some((job, mut check)) = store::job_check::lock(tx, id).await? else { return Err(Error::NotFound("check")) };
    let expectation = expectation(&job)?;
    let (pause, skips) = store::schedule_hold::of_job(tx, id).await?;
    let holds = Holds { pause, skips, ..Holds::default() };
    if let Some(expected) = check.expected_for
        && expected <= now
        && holds.of(expected).is_some()
    {
        let until = if holds.paused(expected).is_some() && holds.paused(now).is_some() { now } else { expected };
        let missing = expectation.skipped(expected, until, &holds, now);
        record(app, tx, &mut check, missing, &Holds::default(), now).await?;
    }
    keep(tx, &mut check, &expectation).await
}

/// Ends a started run by request. What runs elsewhere is not stopped by that.
pub(in crate::engine) async fn cancel(
    app: &App,
    tx: &DatabaseTransaction,
    id: JobId,
    run: RunId,
    now: DateTime<Utc>,
) -> Result<run::Model> {
    let Some((job, mut check)) = store::job_check::lock(tx, id).await? else { return Err(Error::NotFound("run")) };
    let run = store::run::by_id(tx, run).await?.ok_or(Error::NotFound("run"))?;
    let reason = Some("cancelled by request; what runs elsewhere is not stopped".to_owned());
    let how = RunEnd { state: RunState::Cancelled, exit_code: None, reason };
    let run = end_unreported(app, tx, run, how, now).await?;
    keep(tx, &mut check, &expectation(&job)?).await?;
    Ok(run)
}

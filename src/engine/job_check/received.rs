//! A ping: begins or ends a run of its check, and says what is expected next, in one transaction.

use chrono::{DateTime, TimeDelta, Utc};
use entity::id::JobId;
use entity::run::{Event, NO_SLOTS, RunState, Trigger};
use entity::run_spec::RunSpec;
use entity::{job, job_check, run};
use sea_orm::DatabaseTransaction;

use super::log_text::logged;
use super::ping_text::{Ping, Signal};
use super::settled::{RunEnd, Settled, decide, end, expectation, keep};
use crate::app::App;
use crate::engine::cron::Expectation;
use crate::engine::ended_run::{expiry, follow_up};
use crate::error::{Error, Result};
use crate::store;
use crate::store::run::Follows;
use crate::store::run::pinged::MOST_OPEN;

/// How long an end that is reported again under the same name is the same one.
const REPEATED: TimeDelta = TimeDelta::hours(1);

/// What became of a ping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    Accepted,
    /// The key is not, or no longer, that of the check.
    UnknownKey,
    /// There is no run whose log the text could be added to.
    NoRun,
    /// Too many runs have started and not ended.
    TooManyOpen,
}

/// Accepts a ping of the check with this key.
///
/// # Errors
/// Database errors.
pub async fn receive(app: &App, (job, key_hash): (JobId, &str), ping: &Ping) -> Result<Answer> {
    let now = app.clock.now();
    let (answer, settled) = store::write(&app.db, async |tx| accept(app, tx, (job, key_hash), ping, now).await).await?;
    settled.report(app);
    Ok(answer)
}

async fn accept(
    app: &App,
    tx: &DatabaseTransaction,
    (job, key_hash): (JobId, &str),
    ping: &Ping,
    now: DateTime<Utc>,
) -> Result<(Answer, Settled)> {
    let found = store::job_check::lock(tx, job).await?.filter(|(_, check)| check.key_hash == key_hash);
    let Some((job, mut check)) = found else { return Ok((Answer::UnknownKey, Settled::default())) };
    let expectation = expectation(&job)?;
    // What is due was missing before the ping came.
    let mut settled = decide(app, tx, &mut check, &expectation, now).await?;
    let report =
        Report { app, tx, job: &job, expectation: &expectation, counted: counted(tx, &check, now).await?, now };
    let is_repeated = ping.signal.end().is_some() && report.was_reported(ping).await?;
    let answer = match (ping.signal, ping.signal.end()) {
        _ if is_repeated => Answer::Accepted,
        (_, Some((succeeded, exit_code, reason))) => {
            let state = if succeeded { RunState::Succeeded } else { RunState::Failed };
            settled.ended.push(report.end(ping, RunEnd { state, exit_code, reason }).await?);
            Answer::Accepted
        }
        (Signal::Start, _) => report.start(ping).await?,
        _ => report.log(ping).await?,
    };
    if answer == Answer::Accepted && ping.signal != Signal::Log && !is_repeated {
        check.expected_for = expectation.after_ping(check.expected_for, now);
        check.pinged_at = Some(now);
    }
    keep(tx, &mut check, &expectation).await?;
    Ok((answer, settled))
}

/// The expected time that a ping reports about, unless a run did before.
async fn counted(
    tx: &DatabaseTransaction,
    check: &job_check::Model,
    now: DateTime<Utc>,
) -> Result<Option<DateTime<Utc>>> {
    let Some(time) = Expectation::counts_for(check.expected_for, now) else { return Ok(None) };
    let taken = store::run::list_scheduled_times(tx, check.job_id, vec![time]).await?;
    Ok(taken.is_empty().then_some(time))
}

/// A ping is being stored.
struct Report<'a> {
    app: &'a App,
    tx: &'a DatabaseTransaction,
    job: &'a job::Model,
    expectation: &'a Expectation,
    /// The time of the schedule that the ping reports about.
    counted: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
}

impl Report<'_> {
    /// The open run that a ping is about: the one with its name, or the newest one without a name.
    async fn open_run(&self, ping: &Ping) -> Result<Option<run::Model>> {
        let name = ping.name.map(|name| name.to_string());
        let open = store::run::pinged::list_open(self.tx, self.job.id).await?;
        Ok(open.into_iter().rfind(|run| run.idempotency_key == name))
    }

    /// The run that has the name of a ping: one that is open, or the last one that pings have ended.
    async fn named_run(&self, ping: &Ping) -> Result<Option<run::Model>> {
        let Some(name) = ping.name else { return Ok(None) };
        Ok(store::run::by_idempotency_key(self.tx, self.job.id, &name.to_string()).await?)
    }

    /// Whether the end of the run with the name of a ping was reported not long ago: whoever gets no answer repeats a ping.
    async fn was_reported(&self, ping: &Ping) -> Result<bool> {
        let ended = self.named_run(ping).await?.and_then(|run| run.finished_at);
        Ok(ended.is_some_and(|at| self.now.signed_duration_since(at) < REPEATED))
    }

    /// The name of a ping for a new run, which one that has ended no longer needs.
    async fn name_for_new(&self, ping: &Ping) -> Result<Option<String>> {
        if let Some(ended) = self.named_run(ping).await? {
            store::run::pinged::release_name(self.tx, ended.id).await?;
        }
        Ok(ping.name.map(|name| name.to_string()))
    }

    /// Begins a run. A start that is repeated under the same name begins no other one.
    async fn start(&self, ping: &Ping) -> Result<Answer> {
        if ping.name.is_some()
            && let Some(run) = self.open_run(ping).await?
        {
            self.append(run, ping).await?;
            return Ok(Answer::Accepted);
        }
        if store::run::pinged::list_open(self.tx, self.job.id).await?.len() >= MOST_OPEN {
            return Ok(Answer::TooManyOpen);
        }
        let run = run::Model {
            state: RunState::Running,
            started_at: Some(self.now),
            attempt_started_at: Some(self.now),
            idempotency_key: self.name_for_new(ping).await?,
            ..self.new_run()
        };
        self.create(run, ping).await?;
        Ok(Answer::Accepted)
    }

    /// Ends the open run; if there is none, the ping is a run of its own.
    async fn end(&self, ping: &Ping, how: RunEnd) -> Result<run::Model> {
        let Some(mut run) = self.open_run(ping).await? else { return self.ended(ping, how).await };
        if let (None, Some(time)) = (run.scheduled_for, self.counted) {
            store::run::pinged::count_for(self.tx, run.id, time).await?;
            (run.trigger, run.scheduled_for) = (Trigger::Schedule, Some(time));
        }
        let (run, chunks) = logged(run, &ping.lines, self.now);
        let run = end(self.app, self.tx, run, how, self.now).await?;
        store::log_chunk::append(self.tx, chunks).await?;
        Ok(run)
    }

    async fn ended(&self, ping: &Ping, RunEnd { state, exit_code, reason }: RunEnd) -> Result<run::Model> {
        let idempotency_key = self.name_for_new(ping).await?;
        let run =
            run::Model { state, exit_code, reason, finished_at: Some(self.now), idempotency_key, ..self.new_run() };
        let run = run::Model { expires_at: expiry(&run), ..run };
        let run = self.create(run, ping).await?;
        follow_up(self.app, self.tx, (&run, Follows { is_watched: true, is_beyond: true }), self.now).await?;
        Ok(run)
    }

    /// Adds a text to the open run, or else to the newest one.
    async fn log(&self, ping: &Ping) -> Result<Answer> {
        let mut run = self.open_run(ping).await?;
        if run.is_none() && ping.name.is_none() {
            run = store::run::list_by_job(self.tx, self.job.id, None, 1).await?.pop();
        }
        let Some(run) = run else { return Ok(Answer::NoRun) };
        self.append(run, ping).await?;
        Ok(Answer::Accepted)
    }

    fn new_run(&self) -> run::Model {
        let limit = i32::try_from(self.expectation.limit.num_seconds()).unwrap_or(0);
        let spec = RunSpec { max_duration_seconds: limit, no_image: true, ..RunSpec::default() };
        run::Model {
            trigger: if self.counted.is_some() { Trigger::Schedule } else { Trigger::Manual },
            scheduled_for: self.counted,
            // Nothing claims it, and it takes no slot.
            slots: NO_SLOTS,
            ..run::Model::queued(self.job.id, Event::Cron, spec, self.now)
        }
    }

    async fn create(&self, run: run::Model, ping: &Ping) -> Result<run::Model> {
        let (run, chunks) = logged(run, &ping.lines, self.now);
        let run = store::run::create_one(self.tx, run).await?;
        store::log_chunk::append(self.tx, chunks).await?;
        Ok(run)
    }

    async fn append(&self, run: run::Model, ping: &Ping) -> Result<()> {
        let (run, chunks) = logged(run, &ping.lines, self.now);
        store::run::pinged::note_log(self.tx, &run).await?;
        store::log_chunk::append(self.tx, chunks).await.map_err(Error::from)
    }
}

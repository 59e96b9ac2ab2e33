//! Tells rules of alerts and webhooks how runs of jobs ended, which take too long, and which times of schedules were missed.

use chrono::{DateTime, TimeDelta, Utc};
use entity::id::{JobId, RunId};
use entity::run::{Event, RunState};
use entity::skipped_time;
use entity::webhook::OwnEvent;
use entity::{run, webhook};
use sea_orm::{ActiveEnum as _, DatabaseTransaction};
use serde_json::{Map, json};

use super::news_outbox::publish;
use super::news_payload::{News, names, of_run, run_reason, time};
use crate::app::App;
use crate::engine::skip_words::skipped_words;
use crate::error::Result;
use crate::store;
use crate::store::run::Follows;
use crate::store::webhook_news::NewsPlace;

/// The most jobs of a query.
const JOBS: usize = 500;

/// Hears that runs have ended, and of each whether webhooks may want to know.
pub async fn runs_ended(
    app: &App,
    tx: &DatabaseTransaction,
    ended: &[(&run::Model, Follows)],
    now: DateTime<Utc>,
) -> Result<()> {
    let success = |run: &run::Model| {
        let counts = run.state == RunState::Succeeded && matches!(run.event, Event::Cron | Event::Start);
        run.job_id.filter(|_| counts).map(|job| (job, run.finished_at.unwrap_or(now)))
    };
    let successes: Vec<_> = ended.iter().filter_map(|(run, _)| success(run)).collect();
    store::alert::note_successes(tx, &successes).await?;
    for (run, follows) in ended {
        let Some(job) = run.job_id else { continue };
        if run.state == RunState::Failed {
            store::alert::note_run_failed(tx, run.id, now).await?;
        }
        if follows.is_watched {
            tell_end(app, tx, (job, run), now).await?;
        }
    }
    Ok(())
}

/// Hears that a run was given up. The rest of its row may not be readable, which must not prevent its end.
pub async fn run_given_up(
    app: &App,
    tx: &DatabaseTransaction,
    (id, state): (RunId, RunState),
    now: DateTime<Utc>,
) -> Result<()> {
    if state == RunState::Failed {
        store::alert::note_run_failed(tx, id, now).await?;
    }
    match store::run::by_id(tx, id).await {
        Ok(Some(run)) => match run.job_id {
            Some(job) => tell_end(app, tx, (job, &run), now).await,
            None => Ok(()),
        },
        Ok(None) => Ok(()),
        Err(error) => {
            tracing::error!(run = %id, ?error, "run that was given up cannot be read; no webhook is told");
            Ok(())
        }
    }
}

async fn tell_end(
    app: &App,
    tx: &DatabaseTransaction,
    (job, run): (JobId, &run::Model),
    now: DateTime<Utc>,
) -> Result<()> {
    let hooks = store::webhook_news::list_interested_in_jobs(tx, &[job]).await?;
    if hooks.is_empty() {
        return Ok(());
    }
    let Some(place) = store::webhook_news::job_places(tx, &[job]).await?.pop() else { return Ok(()) };
    let asked = |event| hooks.iter().any(|hook| names(hook, event));
    let ended = |event| of_run(event, run, run_reason(run));
    let mut all = Vec::new();
    if run.state == RunState::Failed {
        all.push(ended(OwnEvent::RunFailed));
    }
    // A build that succeeds is no recovery.
    if run.state == RunState::Succeeded && run.event.is_execution() {
        all.push(ended(OwnEvent::RunSucceeded));
        let before = match asked(OwnEvent::RunRecovered) {
            true => store::webhook_news::outcome_before(tx, job, run.number).await?,
            false => None,
        };
        if before == Some(RunState::Failed) {
            all.push(ended(OwnEvent::RunRecovered));
        }
    }
    for news in &all {
        publish(app, tx, &hooks, (&place, news), now).await?;
    }
    if run.state == RunState::Succeeded && asked(OwnEvent::ScheduleRecovered) {
        tell_recovery(app, tx, &hooks, (&place, job, run), now).await?;
    }
    if run.started_at.is_some() && asked(OwnEvent::RunTooLongEnded) {
        let cause = too_long_cause(run.id);
        let ids: Vec<_> = hooks.iter().map(|hook| hook.id).collect();
        let told = store::webhook_news::list_told(tx, &ids, std::slice::from_ref(&cause)).await?;
        let heard: Vec<webhook::Model> =
            hooks.iter().filter(|hook| told.contains(&(hook.id, cause.clone()))).cloned().collect();
        publish(app, tx, &heard, (&place, &ended(OwnEvent::RunTooLongEnded)), now).await?;
    }
    Ok(())
}

/// Tells that a scheduled run succeeded after a missed time: once for each, to those that were there when it was missed. What runs
/// elsewhere has recovered with any success: a ping that comes late, or early in a period, belongs to no time.
async fn tell_recovery(
    app: &App,
    tx: &DatabaseTransaction,
    hooks: &[webhook::Model],
    (place, job, run): (&NewsPlace, JobId, &run::Model),
    now: DateTime<Utc>,
) -> Result<()> {
    let until = match run.scheduled_for {
        Some(time) => time,
        None if store::job_check::by_job(tx, job).await?.is_some() => run.finished_at.unwrap_or(now),
        None => return Ok(()),
    };
    let Some(missed) = store::webhook_news::missed_before(tx, job, until).await? else { return Ok(()) };
    // What was told longer ago may be forgotten.
    let remembered = now - TimeDelta::days(app.config.webhook_delivery_days.into());
    if missed.recorded_at <= remembered {
        return Ok(());
    }
    let were_there: Vec<webhook::Model> =
        hooks.iter().filter(|hook| hook.created_at <= missed.recorded_at).cloned().collect();
    let event = OwnEvent::ScheduleRecovered;
    let news = News {
        cause: format!("{} {job} {}", event.to_value(), time(missed.scheduled_for)),
        ..of_run(event, run, Some(format!("the time {} was missed", missed.through.format("%Y-%m-%d %H:%M:%S UTC"))))
    };
    publish(app, tx, &were_there, (place, &news), now).await
}

/// Hears that times of schedules were skipped.
pub async fn times_skipped(
    app: &App,
    tx: &DatabaseTransaction,
    skipped: &[skipped_time::Model],
    now: DateTime<Utc>,
) -> Result<()> {
    store::alert::note_skipped(tx, skipped, now).await?;
    let missed: Vec<&skipped_time::Model> = skipped.iter().filter(|row| !row.reason.is_wanted()).collect();
    let mut jobs: Vec<JobId> = missed.iter().map(|row| row.job_id).collect();
    jobs.sort_unstable();
    jobs.dedup();
    for jobs in jobs.chunks(JOBS) {
        let mut hooks = store::webhook_news::list_interested_in_jobs(tx, jobs).await?;
        hooks.retain(|hook| names(hook, OwnEvent::TimeMissed));
        if hooks.is_empty() {
            continue;
        }
        for place in store::webhook_news::job_places(tx, jobs).await? {
            let of_place = |row: &&&skipped_time::Model| place.job.as_ref().is_some_and(|(id, _)| *id == row.job_id);
            for row in missed.iter().filter(of_place) {
                publish(app, tx, &hooks, (&place, &of_time(row)), now).await?;
            }
        }
    }
    Ok(())
}

/// What is told about a missed time.
fn of_time(row: &skipped_time::Model) -> News {
    let event = OwnEvent::TimeMissed;
    let mut facts = Map::new();
    facts.insert("scheduled_for".into(), json!(time(row.scheduled_for)));
    facts.insert("through".into(), json!(time(row.through)));
    facts.insert("skip_reason".into(), json!(row.reason.to_value()));
    News {
        event,
        cause: format!("{} {} {}", event.to_value(), row.job_id, time(row.scheduled_for)),
        reason: Some(skipped_words(row.reason, row.through)),
        path: format!("job/{}", row.job_id),
        facts,
    }
}

/// How deliveries name that a run takes too long.
#[must_use]
pub fn too_long_cause(run: RunId) -> String {
    format!("{} {run}", OwnEvent::RunTooLong.to_value())
}

/// Hears that runs take too long, each with a reason. Those that have ended in the meantime are not told.
pub async fn runs_take_too_long(
    app: &App,
    tx: &DatabaseTransaction,
    hooks: &[webhook::Model],
    found: &[(RunId, String)],
    now: DateTime<Utc>,
) -> Result<()> {
    let runs = store::webhook_news::lock_running(tx, found.iter().map(|(id, _)| *id).collect()).await?;
    let jobs: Vec<JobId> = runs.iter().filter_map(|run| run.job_id).collect();
    let places = store::webhook_news::job_places(tx, &jobs).await?;
    for run in &runs {
        let is_its_job = |place: &&NewsPlace| place.job.as_ref().map(|(id, _)| *id) == run.job_id;
        let Some(place) = places.iter().find(is_its_job) else { continue };
        let reason = found.iter().find(|(id, _)| *id == run.id).map(|(_, reason)| reason.clone());
        publish(app, tx, hooks, (place, &of_run(OwnEvent::RunTooLong, run, reason)), now).await?;
    }
    Ok(())
}

//! Applies an event to a run and stores all of its effects in one transaction: the last lines of the run, its outputs, the image
//! it built, and the expiry of older runs.

use chrono::{DateTime, Utc};
use entity::job::AppliedSchedule;
use entity::run::{Event, RunState};
use entity::run_spec::BuiltImage;
use entity::variable::VariableKind;
use entity::{job, log_chunk, run, skipped_time, variable};
use sea_orm::{ActiveEnum as _, DatabaseTransaction};

use super::log_copy::with_lines;
use super::masks::{Masks, masked_reason};
use super::settle;
use crate::app::App;
use crate::engine::ended_run::expiry;
use crate::engine::masking::Followed;
use crate::engine::news::times_skipped;
use crate::engine::outputs::{self, Output};
use crate::engine::run::{RunEvent, next_state};
use crate::engine::tick::takeover::schedule_by_server;
use crate::engine::tick::workspace::ended::ended;
use crate::engine::tick::workspace::step_result::StepResult;
use crate::error::{Error, Result};
use crate::runner;
use crate::secret;
use crate::store;
use crate::store::run::{Expected, RunEnding};

/// The results of a run, stored together with an event.
#[derive(Default)]
pub(in crate::engine::tick) struct RunEnd {
    pub(in crate::engine::tick) lines: Vec<runner::Line>,
    /// The outputs of a LIFECYCLE job.
    pub(in crate::engine::tick) outputs: Vec<Output>,
    pub(in crate::engine::tick) built: Option<BuiltImage>,
    /// The result of a workspace step.
    pub(in crate::engine::tick) left: Option<StepResult>,
    /// The CronJob that was applied; none if it was removed.
    pub(in crate::engine::tick) applied: Option<AppliedSchedule>,
    /// The time of a schedule that is given up with the run.
    pub(in crate::engine::tick) missed: Option<skipped_time::Model>,
}

/// Applies an event to a run; false if another server changed the run first.
pub(in crate::engine::tick) async fn change(
    app: &App,
    run: run::Model,
    event: RunEvent,
    now: DateTime<Utc>,
    end: RunEnd,
) -> Result<bool> {
    let from = run.state;
    let to = next_state(from, event)
        .ok_or_else(|| Error::internal(format!("{event:?} cannot happen to a run that is {from:?}")))?;
    let expected = Expected { state: from, owner: run.lease_owner };
    let RunEnd { lines, outputs, built, left, applied, missed } = end;
    let (mut run, pieces) = with_lines(app, run, lines, Followed::ByNothing);
    run.state = to;
    run.updated_at = now;
    run.finished_at = to.is_final().then(|| run.finished_at.unwrap_or(now));
    run.expires_at = expiry(&run);
    (run.lease_owner, run.lease_until) = (None, None);
    if event == RunEvent::Retried {
        run.attempt_lines = 0;
        // Any server may start the next attempt.
        run.place = None;
        run.step = None;
        (run.start_asked_at, run.attempt_started_at) = (None, None);
        (run.stopping_at, run.stop_asked_at, run.end_seen_at) = (None, None, None);
    }
    run.built = built.or(run.built);
    // A builder repeats the instruction that failed, with the values of its arguments; a cluster repeats what a container wrote.
    run.reason = run.reason.take().map(|reason| masked_reason(app, &run, reason));
    let outputs = without_secrets(app, &run, outputs);
    let is_alone = missed.is_none() && !leaves_more(&run, &outputs);
    let changed = if to.is_final() && from == RunState::Running && is_alone {
        settle::end(app, RunEnding { owner: expected.owner, row: run.clone(), chunks: pieces }).await?
    } else {
        change_one(app, (&run, expected), (pieces, outputs), (left, applied, missed.as_ref()), now).await?
    };
    if from == RunState::Running {
        // It has ended, waits for its next attempt, or another server has it.
        app.visits.gone(run.id);
    }
    if changed && to.is_final() {
        log_end(&run);
        if let Some(time) = &missed {
            app.metrics.time_skipped(time.reason);
        }
    }
    if to.is_final() {
        let job = run.job_id.filter(|_| run.event.is_execution());
        app.metrics.run_ended(job, to, run.trigger);
        // A deployment or a queued run may be waiting for it.
        if is_awaited(&run) { app.wake.now() } else { app.wake.run_ended() }
    }
    Ok(changed)
}

/// Whether more than the run and its log changes when it ends.
fn leaves_more(run: &run::Model, outputs: &[Output]) -> bool {
    !outputs.is_empty() || matches!(run.event, Event::Workspace | Event::Apply)
}

/// Applies a change that may have all kinds of results.
async fn change_one(
    app: &App,
    (run, expected): (&run::Model, Expected),
    (pieces, outputs): (Vec<log_chunk::Model>, Vec<Output>),
    (left, applied, missed): (Option<StepResult>, Option<AppliedSchedule>, Option<&skipped_time::Model>),
    now: DateTime<Utc>,
) -> Result<bool> {
    store::write(&app.db, async |tx| {
        // Lock order: environment, workspace job, run.
        let target = if outputs.is_empty() { None } else { locked_job(tx, run).await? };
        if run.event == Event::Workspace {
            store::workspace::lock_job_of_run(tx, run.id).await?;
        }
        if !settle::advance(app, tx, (run, expected), pieces).await? {
            return Ok::<_, Error>(false);
        }
        if run.state.is_final() {
            if run.event == Event::Workspace {
                ended(app, tx, run, left, now).await?;
            }
            if let Some(time) = missed {
                store::run::skipped::create(tx, vec![time.clone()]).await?;
                times_skipped(app, tx, std::slice::from_ref(time), now).await?;
            }
            if let (Event::Apply, RunState::Succeeded, Some(job)) = (run.event, run.state, run.job_id) {
                let removed = applied.is_none();
                store::cluster_objects::set_applied(tx, job, applied).await?;
                if removed {
                    schedule_by_server(tx, job, run).await?;
                }
            }
        }
        if let Some(job) = target {
            store_outputs(app, tx, &job, outputs, now).await?;
        }
        Ok(true)
    })
    .await
}

/// Whether a deployment, a workspace job or a schedule goes on when a run has ended.
fn is_awaited(run: &run::Model) -> bool {
    run.deployment_id.is_some() || matches!(run.event, Event::Workspace | Event::Apply)
}

/// Logs the end of a run.
fn log_end(run: &run::Model) {
    let job = run.job_id.map(tracing::field::display);
    let seconds = run.started_at.zip(run.finished_at).map(|(start, end)| (end - start).as_seconds_f64());
    let (state, reason) = (run.state.to_value(), run.reason.as_deref());
    tracing::info!(run = %run.id, job, state, exit_code = run.exit_code, seconds, reason, "run ended");
}

/// The job of a run, with its environment locked.
async fn locked_job(tx: &DatabaseTransaction, run: &run::Model) -> Result<Option<job::Model>> {
    let Some(id) = run.job_id else { return Ok(None) };
    let Some(job) = store::job::by_id(tx, id).await? else { return Ok(None) };
    store::environment::lock(tx, job.environment_id).await?;
    Ok(Some(job))
}

/// The outputs, of which those that contain a secret of the run are secrets themselves. All of them are if that is unknown.
fn without_secrets(app: &App, run: &run::Model, mut outputs: Vec<Output>) -> Vec<Output> {
    let masks = if outputs.is_empty() { Ok(None) } else { Masks::of(app, run) };
    match masks {
        Ok(None) => {}
        Ok(Some(masks)) => {
            let masker = masks.masker();
            for output in &mut outputs {
                output.is_secret |= masker.is_in(&output.value);
                output.description = masker.mask(&output.description).into_owned();
            }
        }
        Err(_) => {
            for output in &mut outputs {
                output.is_secret = true;
                output.description.clear();
            }
        }
    }
    outputs
}

/// Stores outputs as variables: a built-in one and an alias for each. Those of an earlier run are updated in place.
async fn store_outputs(
    app: &App,
    tx: &DatabaseTransaction,
    job: &job::Model,
    outputs: Vec<Output>,
    now: DateTime<Utc>,
) -> Result<()> {
    let known = store::variable::list_of_environment(tx, job.environment_id).await?;
    let mut changed = false;
    for output in outputs {
        let key = outputs::key(job.id.0, &output.name);
        let row = known.iter().find(|row| row.key == key).cloned();
        let (target, new_value) = store_value(app, tx, job, row, (key, &output), now).await?;
        changed |= new_value;
        // An alias never replaces an existing variable.
        if !known.iter().any(|row| row.key == output.name) {
            let alias = variable::Model {
                key: output.name,
                is_secret: output.is_secret,
                target_id: Some(target.id),
                target_key: Some(target.key),
                ..output_of(job, VariableKind::Alias, now)
            };
            store::row::create(tx, alias).await?;
        }
    }
    if changed {
        store::variable::touch_others(tx, job.environment_id, job.id, now).await?;
    }
    Ok(())
}

/// Stores the built-in variable of an output, and returns whether its value changed.
async fn store_value(
    app: &App,
    tx: &DatabaseTransaction,
    job: &job::Model,
    row: Option<variable::Model>,
    (key, output): (String, &Output),
    now: DateTime<Utc>,
) -> Result<(variable::Model, bool)> {
    let old = match &row {
        Some(row) => match &row.sealed {
            Some(sealed) => Some(app.keys.open_text(&secret::place("variable", row.id.0), sealed)?.expose().clone()),
            None => row.value.clone(),
        },
        None => None,
    };
    let is_new = row.is_none();
    let row = row.unwrap_or_else(|| variable::Model { key, ..output_of(job, VariableKind::BuiltIn, now) });
    let sealed = if output.is_secret {
        Some(app.keys.seal(&secret::place("variable", row.id.0), output.value.as_bytes())?)
    } else {
        None
    };
    let row = variable::Model {
        updated_at: now,
        is_secret: output.is_secret,
        value: (!output.is_secret).then(|| output.value.clone()),
        sealed,
        description: Some(output.description.clone()),
        ..row
    };
    let changed = old.as_ref() != Some(&output.value);
    if is_new {
        store::row::create(tx, row.clone()).await?;
    } else {
        store::row::update(tx, row.clone()).await?;
    }
    Ok((row, changed))
}

fn output_of(job: &job::Model, kind: VariableKind, now: DateTime<Utc>) -> variable::Model {
    variable::Model {
        environment_id: Some(job.environment_id),
        output_of: Some(job.id),
        ..variable::Model::empty(job.organization_id, kind, now)
    }
}

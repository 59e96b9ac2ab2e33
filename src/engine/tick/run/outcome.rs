//! What an event makes of a run, stored together with all that follows from it: its last lines, its outputs, what it
//! built, and which older runs need not be kept.

use chrono::{DateTime, TimeDelta, Utc};
use entity::job::AppliedSchedule;
use entity::run::{Event, RunState};
use entity::run_spec::{BuiltImage, Retention};
use entity::variable::VariableKind;
use entity::{job, run, variable};
use sea_orm::DatabaseTransaction;

use super::log_copy::with_lines;
use crate::app::App;
use crate::engine::outputs::{self, Output};
use crate::engine::run::decide::{self, RunEvent};
use crate::engine::tick::workspace::ended::ended;
use crate::engine::tick::workspace::left::StepResult;
use crate::error::{Error, Result};
use crate::runner;
use crate::secret;
use crate::store;
use crate::store::run::Expected;

/// What comes with an event.
#[derive(Default)]
pub(in crate::engine::tick) struct RunEnd {
    pub(in crate::engine::tick) lines: Vec<runner::Line>,
    /// What the job left for others; null when it left nothing that could be taken.
    pub(in crate::engine::tick) outputs: Vec<Output>,
    pub(in crate::engine::tick) built: Option<BuiltImage>,
    /// What a step of a workspace left.
    pub(in crate::engine::tick) left: Option<StepResult>,
    /// How a schedule was given to its cluster, or none where it was taken from it.
    pub(in crate::engine::tick) applied: Option<AppliedSchedule>,
}

/// Stores what an event makes of a run; false when somebody else has done something to it.
pub(in crate::engine::tick) async fn change(
    app: &App,
    run: run::Model,
    event: RunEvent,
    now: DateTime<Utc>,
    end: RunEnd,
) -> Result<bool> {
    let from = run.state;
    let to = decide::next(from, event)
        .ok_or_else(|| Error::internal(format!("{event:?} cannot happen to a run that is {from:?}")))?;
    let expected = Expected { state: from, owner: run.lease_owner };
    let RunEnd { lines, outputs, built, left, applied } = end;
    let (mut run, pieces) = with_lines(app, run, lines)?;
    run.state = to;
    run.updated_at = now;
    run.finished_at = to.is_final().then(|| run.finished_at.unwrap_or(now));
    run.expires_at = expiry(&run);
    (run.lease_owner, run.lease_until) = (None, None);
    if event == RunEvent::Retried {
        run.attempt_lines = 0;
        // The next attempt may be started by any server.
        run.place = None;
        run.step = None;
    }
    run.built = built.or(run.built);
    let changed = store::write(&app.db, async |tx| {
        // Environments are locked before runs, here as everywhere.
        let target = if outputs.is_empty() { None } else { lock(tx, &run).await? };
        // So are jobs of workspaces.
        if run.event == Event::Workspace {
            store::workspace::lock_job_of_run(tx, run.id).await?;
        }
        if !store::run::advance(tx, expected, run.clone()).await? {
            return Ok::<_, Error>(false);
        }
        store::log_chunk::append(tx, pieces).await?;
        if to.is_final() {
            make_room(tx, &run, now).await?;
            if run.event == Event::Workspace {
                ended(app, tx, &run, left, now).await?;
            }
            if let (Event::Apply, RunState::Succeeded, Some(job)) = (run.event, run.state, run.job_id) {
                store::cluster_objects::set_applied(tx, job, applied).await?;
            }
        }
        if let Some(job) = target {
            take(app, tx, &job, outputs, now).await?;
        }
        Ok(true)
    })
    .await?;
    if to.is_final() {
        app.metrics.run_ended(to, run.trigger);
        // A deployment may wait for it, or another run for its turn.
        app.wake.now();
    }
    Ok(changed)
}

/// When a run that has ended may be deleted for its age.
fn expiry(run: &run::Model) -> Option<DateTime<Utc>> {
    if run.event == Event::Workspace {
        // It goes with its job.
        return None;
    }
    let Retention { succeeded_days, failed_days, .. } = run.spec.keep;
    let days = if run.state == RunState::Succeeded { succeeded_days } else { failed_days };
    run.finished_at?.checked_add_signed(TimeDelta::days(days.into()))
}

/// Lets older runs of the job go, where more have ended than are kept.
async fn make_room(tx: &DatabaseTransaction, run: &run::Model, now: DateTime<Utc>) -> Result<()> {
    let Some(job) = run.job_id else { return Ok(()) };
    let Retention { succeeded, failed, .. } = run.spec.keep;
    let (states, kept): (&[RunState], i32) = match run.state {
        RunState::Succeeded => (&[RunState::Succeeded], succeeded),
        RunState::Failed | RunState::Cancelled => (&[RunState::Failed, RunState::Cancelled], failed),
        RunState::Queued | RunState::Running => return Ok(()),
    };
    let kept = u64::try_from(kept).unwrap_or(1);
    store::run::retention::expire_beyond(tx, job, states, kept, now).await.map_err(Error::from)
}

/// The job of a run, with its environment locked.
async fn lock(tx: &DatabaseTransaction, run: &run::Model) -> Result<Option<job::Model>> {
    let Some(id) = run.job_id else { return Ok(None) };
    let Some(job) = store::job::by_id(tx, id).await? else { return Ok(None) };
    store::environment::lock(tx, job.environment_id).await?;
    Ok(Some(job))
}

/// Makes variables of outputs: a built-in one and its alias for each; those of an earlier run are changed in place.
async fn take(
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
        // A name that somebody else has taken stays theirs.
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

/// Stores the built-in variable of an output; with it, whether there is something new for those who see it.
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

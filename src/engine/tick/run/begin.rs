//! Hands a claimed run to its runner.

use chrono::{DateTime, TimeDelta, Utc};
use entity::run;
use entity::run::{Event, RunnerKind};

use super::log_copy::sealed;
use super::outcome::{RunEnd, change};
use crate::app::App;
use crate::engine::run::decide::RunEvent;
use crate::engine::tick::job::step::step;
use crate::engine::tick::prepared::Prepared;
use crate::engine::tick::workspace::step as workspace_step;
use crate::error::{Error, Result};
use crate::runner::patience::{patient, quiet};
use crate::runner::{Runner, Target, Unavailable};
use crate::store;
use crate::store::run::Handover;

#[tracing::instrument(name = "start a run", skip_all, fields(run = %run.id, attempt = run.attempt))]
pub(super) async fn begin(
    app: &App,
    runner: &dyn Runner,
    kind: Target,
    run: run::Model,
    now: DateTime<Utc>,
) -> Result<()> {
    if let Some(late) = too_late(&run, now) {
        let ended = run::Model { reason: Some(late), ..run };
        return change(app, ended, RunEvent::Cancelled, now, RunEnd::default()).await.map(|_| ());
    }
    let prepared = match run.event {
        Event::Workspace => workspace_step::step(app, &run, kind).await?,
        Event::Cron | Event::Start | Event::Stop | Event::Delete | Event::Build | Event::Apply => {
            step(app, &run, kind, now).await?
        }
    };
    let Prepared { step: spec, masks } = match prepared {
        Ok(prepared) => prepared,
        Err(impossible) => {
            let ended = run::Model { reason: Some(impossible.0), ..run };
            return change(app, ended, RunEvent::Failed, now, RunEnd::default()).await.map(|_| ());
        }
    };
    let place = match patient(runner.place()).await {
        Ok(place) => place,
        Err(Unavailable(reason)) => {
            tracing::warn!(run = %run.id, reason, "the engine does not answer; the run is started later");
            return Ok(());
        }
    };
    let column = match kind {
        Target::Docker => RunnerKind::Docker,
        Target::Process => RunnerKind::Process,
        Target::Kubernetes(_) => RunnerKind::Kubernetes,
    };
    let step = matches!(kind, Target::Kubernetes(_)).then(|| spec.name.clone());
    let to = Handover { runner: column, place, masks: sealed(app, &run, &masks)?, step };
    // Before the start, so that a server that takes over asks the same engine; and only while it is ours.
    if store::run::hand_over(&app.db, run.id, run.lease_owner, to).await? {
        if run.event == Event::Workspace {
            store::write(&app.db, async |tx| {
                store::workspace::mark_running(tx, run.id, now).await.map_err(Error::from)
            })
            .await?;
        }
        quiet(&spec.name, patient(runner.start(&spec)).await);
        app.wake.here();
    }
    Ok(())
}

/// Why a time of a schedule is not started any more.
fn too_late(run: &run::Model, now: DateTime<Utc>) -> Option<String> {
    let deadline = TimeDelta::seconds(run.spec.starting_deadline_seconds?.into());
    let late = run.attempt == 1 && run.place.is_none() && run.scheduled_for? + deadline < now;
    late.then(|| format!("it found no place to run in the {} seconds of its starting deadline", deadline.num_seconds()))
}

//! Hands a claimed run to its runner.

use chrono::{DateTime, Utc};
use entity::run;
use entity::run::{Event, RunnerKind};
use sea_orm::ActiveEnum as _;

use super::masks::Masks;
use super::observed::{Observation, Unstored};
use super::outcome::{RunEnd, change};
use super::settle;
use crate::app::App;
use crate::engine::run::{QueuedEnd, RunEvent, WaitsFor, is_too_late, missed_time};
use crate::engine::tick::job::step::step;
use crate::engine::tick::prepared::Prepared;
use crate::engine::tick::workspace::step as workspace_step;
use crate::engine::variables::check_environment;
use crate::error::{Error, Result};
use crate::runner::time_limit::{log_failure, with_time_limit};
use crate::runner::{Target, Unavailable};
use crate::store;
use crate::store::run::{HandOverRequest, Handover};

/// Starts a run, unless its starting deadline has passed or it cannot be executed.
#[tracing::instrument(
    name = "run.start", skip_all, fields(run = %seen.unstored.run.id, attempt = seen.unstored.run.attempt)
)]
pub(super) async fn begin(app: &App, seen: Observation<'_>, now: DateTime<Utc>) -> Result<()> {
    let Observation { runner, kind, subject, unstored: Unstored { run, .. }, .. } = seen;
    if is_too_late(&run, now) {
        let why = QueuedEnd::TooLate(WaitsFor::Runner);
        let end = RunEnd { missed: missed_time(&run, now), ..RunEnd::default() };
        let ended = run::Model { reason: Some(why.reason(&run)), ..run };
        return change(app, ended, why.event(), now, end).await.map(|_| ());
    }
    let prepared = match run.event {
        Event::Workspace => workspace_step::step(app, &run, kind).await?,
        Event::Cron | Event::Start | Event::Stop | Event::Delete | Event::Build | Event::Apply => {
            step(app, &run, (kind, subject), now).await?
        }
    };
    let Prepared { step: spec, masks } = match prepared {
        Ok(prepared) => prepared,
        Err(impossible) => {
            let ended = run::Model { reason: Some(impossible.0), ..run };
            return change(app, ended, RunEvent::Failed, now, RunEnd::default()).await.map(|_| ());
        }
    };
    if let Err(reason) =
        check_environment(spec.environment.iter().map(|(key, value)| (key.as_str(), value.expose().as_str())))
    {
        let ended = run::Model { reason: Some(reason), ..run };
        return change(app, ended, RunEvent::Failed, now, RunEnd::default()).await.map(|_| ());
    }
    let place = match with_time_limit(runner.place()).await {
        Ok(place) => place,
        Err(Unavailable(reason)) => {
            tracing::warn!(run = %run.id, reason, "runner did not answer; will retry the start");
            return Ok(());
        }
    };
    let column = match kind {
        Target::Docker => RunnerKind::Docker,
        Target::Process => RunnerKind::Process,
        Target::Kubernetes(_) => RunnerKind::Kubernetes,
        Target::Agent(_) => RunnerKind::Agent,
    };
    let step = matches!(kind, Target::Kubernetes(_)).then(|| spec.name.clone());
    let to = Handover { runner: column, place, masks: Masks::new(masks).sealed(app, &run)?, step };
    // Store the engine before the start, and only under a valid lease, so that a server that takes over polls the same engine.
    if hand_over(app, &run, to, now).await? {
        tracing::info!(run = %run.id, attempt = run.attempt, runner = column.to_value(), step = spec.name, "run started");
        log_failure(&spec.name, with_time_limit(runner.start(&spec)).await);
    }
    Ok(())
}

/// Records where a run is about to be started; false if this server must not start it.
async fn hand_over(app: &App, run: &run::Model, to: Handover, now: DateTime<Utc>) -> Result<bool> {
    if run.event != Event::Workspace {
        return settle::hand_over(app, HandOverRequest { id: run.id, owner: run.lease_owner, to }).await;
    }
    store::write(&app.db, async |tx| {
        // Lock order: workspace job, run.
        store::workspace::lock_job_of_run(tx, run.id).await?;
        let handed_over = store::run::hand_over(tx, run.id, run.lease_owner, to.clone()).await?;
        if handed_over {
            store::workspace::mark_running(tx, run.id, now).await?;
        }
        Ok::<_, Error>(handed_over)
    })
    .await
}

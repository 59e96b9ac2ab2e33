//! Advances a deployment from stage to stage, and ends it.

use chrono::{DateTime, Utc};
use entity::deployment::{Action, Progress, Scope};
use entity::{deployment, deployment_job};
use sea_orm::{ActiveEnum as _, DatabaseTransaction};

use super::part::start_part;
use crate::app::App;
use crate::engine::announce;
use crate::engine::deployment::{NextStage, next_stage};
use crate::engine::news::subject_deleted;
use crate::error::Result;
use crate::store;
use crate::store::alert::AlertsOf;

/// The effects of a pass on a deployment.
#[derive(Default)]
pub(super) struct Step {
    /// Something follows at once: a run to start, or a part to end.
    pub(super) more: bool,
    /// The outcome, if the deployment ended.
    pub(super) ended: Option<Progress>,
}

/// After the transaction: wakes the engine if something follows at once, and logs the end.
pub(super) fn follow_up(app: &App, row: &deployment::Model, step: Step, now: DateTime<Utc>) {
    if step.more {
        app.wake.now();
    }
    if let Some(outcome) = step.ended {
        let seconds = row.started_at.map(|start| (now - start).as_seconds_f64());
        tracing::info!(
            deployment = %row.id, environment = %row.environment_id, action = row.action.to_value(), outcome = outcome.to_value(),
            seconds, "deployment ended"
        );
    }
}

/// Starts the next stage, or ends the deployment if none is left.
pub(super) async fn walk(
    app: &App,
    tx: &DatabaseTransaction,
    row: &deployment::Model,
    now: DateTime<Utc>,
) -> Result<Step> {
    loop {
        let parts = store::deployment::list_parts(tx, row.id).await?;
        let states: Vec<_> = parts.iter().map(|part| (part.stage_position, part.progress)).collect();
        let next = match next_stage(&states) {
            NextStage::Begin(_) if row.cancel_requested_at.is_some() => NextStage::GiveUp,
            next => next,
        };
        match next {
            NextStage::Wait => return Ok(Step::default()),
            NextStage::Done => return end(tx, row, &parts, now).await,
            NextStage::GiveUp => {
                for part in parts.iter().filter(|part| part.progress == Progress::Queued) {
                    store::deployment::advance_part(tx, part, Progress::Cancelled, None, now).await?;
                }
            }
            NextStage::Begin(stage) => {
                let of_stage =
                    |part: &&deployment_job::Model| part.stage_position == stage && part.progress == Progress::Queued;
                let mut more = false;
                for part in parts.iter().filter(of_stage) {
                    more |= start_part(app, tx, row, part, now).await?;
                }
                return Ok(Step { more, ended: None });
            }
        }
    }
}

/// Ends a deployment. A deployment that deletes then deletes the rows of its jobs and of its environment.
async fn end(
    tx: &DatabaseTransaction,
    row: &deployment::Model,
    parts: &[deployment_job::Model],
    now: DateTime<Utc>,
) -> Result<Step> {
    let any = |wanted: Progress| parts.iter().any(|part| part.progress == wanted);
    let removes = row.action == Action::Delete;
    let gone: Vec<&deployment_job::Model> = parts
        .iter()
        .filter(|part| removes && part.progress == Progress::Succeeded && part.forced_event.is_none())
        .collect();
    for part in &gone {
        // A job is deleted only when all of its runs have ended.
        if store::run::count_open_by_job(tx, part.job_id).await? > 0 {
            store::run::cancel::request_cancel_of_jobs(tx, vec![part.job_id], now).await?;
            return Ok(Step::default());
        }
    }
    let outcome = match row.cancel_requested_at {
        _ if any(Progress::Failed) => Progress::Failed,
        Some(_) if any(Progress::Cancelled) => Progress::Cancelled,
        _ => Progress::Succeeded,
    };
    if !store::deployment::advance(tx, row.id, Progress::Running, outcome, now).await? {
        return Ok(Step::default());
    }
    announce::end(tx, row, outcome, now).await?;
    let ended = Step { more: false, ended: Some(outcome) };
    for part in gone {
        subject_deleted(tx, AlertsOf::Job(part.job_id), now).await?;
        store::job::delete(tx, part.job_id).await?;
    }
    if removes && row.scope == Scope::Environment && outcome == Progress::Succeeded {
        if !row.rows_only
            && let Some(environment) = store::environment::by_id(tx, row.environment_id).await?
        {
            store::cluster_objects::record_leftover(tx, &environment, now).await?;
        }
        subject_deleted(tx, AlertsOf::Environment(row.environment_id), now).await?;
        store::environment::delete(tx, row.environment_id).await?;
    }
    Ok(ended)
}

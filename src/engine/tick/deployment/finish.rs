//! The pass that ends the parts of running deployments whose runs have ended, and then starts the next stage or ends the deployment.

use chrono::{DateTime, Utc};
use entity::deployment;
use entity::deployment::Progress;
use entity::id::DeploymentId;
use sea_orm::DatabaseTransaction;

use super::part::finish_part;
use super::walk::{Step, follow_up, walk};
use crate::app::App;
use crate::engine::tick::give_up;
use crate::engine::tick::pass::{BATCH, Verdict, Wish, reason, report, succeeded};
use crate::error::{Error, Result};
use crate::liveness::passes::Pass;
use crate::store;

const PASS: Pass = Pass::FinishDeployments;

/// Ends the parts whose runs have ended; then starts the next stage, or ends the deployment.
pub(in crate::engine::tick) async fn run_once(app: &App, now: DateTime<Utc>) -> Result<bool> {
    let ready = store::deployment::list_ready(&app.db, app.setbacks.paused(PASS, now), BATCH).await?;
    let more = ready.len() as u64 == BATCH;
    for id in ready {
        match store::write(&app.db, async |tx| finish(app, tx, id, now).await).await {
            Ok(finished) => {
                succeeded(app, PASS, id);
                if let Some((row, step)) = finished {
                    follow_up(app, &row, step, now);
                }
            }
            Err(error) => failed(app, id, &error, now).await,
        }
    }
    Ok(more)
}

/// Continues one deployment; none if it is no longer running.
async fn finish(
    app: &App,
    tx: &DatabaseTransaction,
    id: DeploymentId,
    now: DateTime<Utc>,
) -> Result<Option<(deployment::Model, Step)>> {
    let Some(row) = store::row::by_id::<deployment::Model>(tx, id).await? else { return Ok(None) };
    // Since it was read, another server may have started processing it, or a user may have cancelled it.
    store::environment::lock(tx, row.environment_id).await?;
    let current = store::row::by_id::<deployment::Model>(tx, id).await?;
    let Some(current) = current.filter(|row| row.progress == Progress::Running) else { return Ok(None) };
    let mut more = false;
    for part in store::deployment::list_parts(tx, id).await? {
        if part.progress == Progress::Running {
            more |= finish_part(app, tx, &current, &part, now).await?;
        }
    }
    let step = walk(app, tx, &current, now).await?;
    Ok(Some((current, Step { more: more || step.more, ..step })))
}

async fn failed(app: &App, id: DeploymentId, error: &Error, now: DateTime<Utc>) {
    let cancelled = match store::row::by_id::<deployment::Model>(&app.db, id).await {
        Ok(row) => row.is_some_and(|row| row.cancel_requested_at.is_some()),
        Err(_) => false,
    };
    let wish = if cancelled { Wish::End } else { Wish::Process };
    if report(app, (PASS, "deployment"), id, error, wish, now) == Verdict::GiveUp {
        give_up::deployment(app, id, reason("the deployment", error), now).await;
    }
}

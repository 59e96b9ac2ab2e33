//! The pass that starts queued deployments, one at a time per environment.

use chrono::{DateTime, Utc};
use entity::deployment;
use entity::deployment::Progress;
use entity::id::DeploymentId;
use entity::webhook::WebhookEvent;
use sea_orm::{ActiveEnum as _, DatabaseTransaction};

use super::walk::{Step, follow_up, walk};
use crate::app::App;
use crate::engine::announce;
use crate::engine::tick::give_up;
use crate::engine::tick::pass::{BATCH, Verdict, Wish, reason, report, succeeded};
use crate::error::Result;
use crate::liveness::passes::Pass;
use crate::store;

const PASS: Pass = Pass::StartDeployments;

/// Starts the oldest queued deployment of each environment that has no running one.
pub(in crate::engine::tick) async fn run_once(app: &App, now: DateTime<Utc>) -> Result<bool> {
    let due = store::deployment::due(&app.db, app.setbacks.paused(PASS, now), BATCH).await?;
    let more = due.len() as u64 == BATCH;
    for id in due {
        match store::write(&app.db, async |tx| start(app, tx, id, now).await).await {
            Ok(started) => {
                succeeded(app, PASS, id);
                if let Some((row, step)) = started {
                    tracing::info!(
                        deployment = %id, environment = %row.environment_id, action = row.action.to_value(), "deployment started"
                    );
                    follow_up(app, &row, step, now);
                }
            }
            Err(error) => {
                if report(app, (PASS, "deployment"), id, &error, Wish::Process, now) == Verdict::GiveUp {
                    give_up::deployment(app, id, reason("the deployment", &error), now).await;
                }
            }
        }
    }
    Ok(more)
}

/// Starts one deployment; none if it is no longer due.
async fn start(
    app: &App,
    tx: &DatabaseTransaction,
    id: DeploymentId,
    now: DateTime<Utc>,
) -> Result<Option<(deployment::Model, Step)>> {
    let Some(row) = store::row::by_id::<deployment::Model>(tx, id).await? else { return Ok(None) };
    // Another server may have started one of this environment since `due` was read.
    store::environment::lock(tx, row.environment_id).await?;
    if !store::deployment::is_due(tx, id).await?
        || !store::deployment::advance(tx, id, Progress::Queued, Progress::Running, now).await?
    {
        return Ok(None);
    }
    announce::webhooks(tx, &row, WebhookEvent::DeploymentStarted, now).await?;
    let step = walk(app, tx, &row, now).await?;
    Ok(Some((row, step)))
}

//! The pass that starts queued deployments, one at a time per environment.

use chrono::{DateTime, Utc};
use entity::deployment::Progress;
use entity::webhook::WebhookEvent;
use sea_orm::ActiveEnum as _;

use super::walk::{follow_up, walk};
use crate::app::App;
use crate::engine::announce;
use crate::engine::tick::pass::{BATCH, report};
use crate::error::{Error, Result};
use crate::store;

/// Starts the oldest queued deployment of each environment that has no running one.
pub(in crate::engine::tick) async fn run_once(app: &App, now: DateTime<Utc>) -> Result<bool> {
    let due = store::deployment::due(&app.db, BATCH).await?;
    let more = due.len() as u64 == BATCH;
    for row in due {
        let started = store::write(&app.db, async |tx| {
            // Another server may have started one of this environment since `due` was read.
            store::environment::lock(tx, row.environment_id).await?;
            if !store::deployment::is_due(tx, row.id).await?
                || !store::deployment::advance(tx, row.id, Progress::Queued, Progress::Running, now).await?
            {
                return Ok::<_, Error>(None);
            }
            announce::webhooks(tx, &row, WebhookEvent::DeploymentStarted, now).await?;
            walk(app, tx, &row, now).await.map(Some)
        })
        .await;
        match started {
            Ok(Some(step)) => {
                tracing::info!(
                    deployment = %row.id, environment = %row.environment_id, action = row.action.to_value(), "deployment started"
                );
                follow_up(app, &row, step, now);
            }
            Ok(None) => {}
            Err(error) => report("start deployments", "deployment", &row.id, &error),
        }
    }
    Ok(more)
}

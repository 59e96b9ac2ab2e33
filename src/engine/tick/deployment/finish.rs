//! The pass that ends the parts of running deployments whose runs have ended, and then starts the next stage or ends the deployment.

use chrono::{DateTime, Utc};
use entity::deployment;
use entity::deployment::Progress;

use super::part::finish_part;
use super::walk::{Step, follow_up, walk};
use crate::app::App;
use crate::engine::tick::pass::{BATCH, report};
use crate::error::{Error, Result};
use crate::store;

/// Ends the parts whose runs have ended; then starts the next stage, or ends the deployment.
pub(in crate::engine::tick) async fn run_once(app: &App, now: DateTime<Utc>) -> Result<bool> {
    let ready = store::deployment::list_ready(&app.db, BATCH).await?;
    let more = ready.len() as u64 == BATCH;
    for row in ready {
        let finished = store::write(&app.db, async |tx| {
            // Since it was read, another server may have started processing it, or a user may have cancelled it.
            store::environment::lock(tx, row.environment_id).await?;
            let current = store::row::by_id::<deployment::Model>(tx, row.id).await?;
            let Some(current) = current.filter(|row| row.progress == Progress::Running) else {
                return Ok::<_, Error>(Step::default());
            };
            let mut more = false;
            for part in store::deployment::list_parts(tx, current.id).await? {
                if part.progress == Progress::Running {
                    more |= finish_part(app, tx, &current, &part, now).await?;
                }
            }
            let step = walk(app, tx, &current, now).await?;
            Ok(Step { more: more || step.more, ..step })
        })
        .await;
        match finished {
            Ok(step) => follow_up(app, &row, step, now),
            Err(error) => report("finish deployments", "deployment", &row.id, &error),
        }
    }
    Ok(more)
}

//! Cancels deployments that are queued or running.

use chrono::{DateTime, Utc};
use entity::deployment;
use entity::deployment::Progress;
use entity::id::EnvironmentId;
use entity::webhook::WebhookEvent;
use sea_orm::DatabaseTransaction;

use super::guard::lock;
use crate::app::App;
use crate::engine::announce::{self, Announcement};
use crate::engine::requester::Requester;
use crate::error::{Error, Result};
use crate::store;

/// Whether a cancellation also stops running runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunningRuns {
    GoOn,
    Interrupted,
}

/// Cancels the queued and running deployments of an environment.
///
/// # Errors
/// `Conflict` if there is none, or all are being cancelled already.
pub async fn cancel_environment(app: &App, by: &Requester, id: EnvironmentId, runs: RunningRuns) -> Result<()> {
    let now = app.clock.now();
    store::write(&app.db, async |tx| {
        let environment = lock(tx, id).await?;
        let mut changed = false;
        for row in store::deployment::list_open(tx, id).await? {
            if row.progress == Progress::Queued {
                cancel_queued(tx, &row, now).await?;
                changed = true;
                continue;
            }
            changed |= store::deployment::request_cancel(tx, row.id, now).await?;
            if runs == RunningRuns::Interrupted {
                changed |= store::run::cancel::request_cancel_of_deployment(tx, row.id, now).await? > 0;
            }
        }
        if !changed {
            return Err(Error::Conflict("there is no deployment to cancel, or it is already being cancelled".into()));
        }
        announce::event(tx, Announcement::environment("TRIGGER_CANCEL", &environment), by, now).await
    })
    .await?;
    app.wake.now();
    Ok(())
}

/// Cancels one queued deployment.
///
/// # Errors
/// `Conflict` if it is no longer queued.
pub async fn cancel_request(app: &App, by: &Requester, row: &deployment::Model) -> Result<()> {
    let now = app.clock.now();
    store::write(&app.db, async |tx| {
        let environment = lock(tx, row.environment_id).await?;
        let row = store::row::by_id::<deployment::Model>(tx, row.id).await?;
        let row = row.filter(|row| row.progress == Progress::Queued);
        let row = row.ok_or_else(|| Error::Conflict("the deployment is no longer queued".into()))?;
        cancel_queued(tx, &row, now).await?;
        announce::event(tx, Announcement::environment("TRIGGER_CANCEL", &environment), by, now).await
    })
    .await?;
    app.wake.now();
    Ok(())
}

pub(super) async fn cancel_queued(tx: &DatabaseTransaction, row: &deployment::Model, now: DateTime<Utc>) -> Result<()> {
    store::deployment::advance(tx, row.id, Progress::Queued, Progress::Cancelled, now).await?;
    for part in store::deployment::list_parts(tx, row.id).await? {
        store::deployment::advance_part(tx, &part, Progress::Cancelled, None, now).await?;
    }
    announce::webhooks(tx, row, WebhookEvent::DeploymentCancelled, now).await
}

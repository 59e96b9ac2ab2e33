//! The pass that deletes what has expired: a bounded number of rows of each table, in transactions that nobody waits for long.

use chrono::{DateTime, TimeDelta, Utc};

use crate::app::App;
use crate::error::{Error, Result};
use crate::store;

/// How many small rows of a table one pass deletes.
const ROWS: u64 = 200;
/// How many log chunks one pass deletes: a few tens of MiB at most.
const CHUNKS: u64 = 500;
/// How many deployments and workspace jobs one pass deletes, each in a transaction of its own, with all of its parts or steps.
const WHOLE: u64 = 50;
/// How many plans and states one pass deletes. Each may have many MiB.
const LARGE: u64 = 10;

/// Deletes expired rows. Returns true if more are waiting. A table that cannot be pruned does not keep the others.
pub(super) async fn run_once(app: &App, now: DateTime<Utc>) -> Result<bool> {
    let results = [
        runs(app, now).await,
        skipped_times(app, now).await,
        deployments(app, now).await,
        events(app, now).await,
        deliveries(app, now).await,
        workspace_jobs(app, now).await,
        plans(app).await,
        states(app, now).await,
    ];
    results.into_iter().try_fold(false, |more, result| Ok(more | result?))
}

/// The time before which rows that are kept for so many days have expired.
fn before(now: DateTime<Utc>, days: u32) -> DateTime<Utc> {
    now.checked_sub_signed(TimeDelta::days(days.into())).unwrap_or(DateTime::UNIX_EPOCH)
}

/// Counts deleted rows; true if there may be more.
fn counted(app: &App, table: &'static str, gone: u64, limit: u64) -> bool {
    app.metrics.rows_pruned(table, gone);
    gone >= limit
}

/// Runs, whose expiry was set when they ended.
async fn runs(app: &App, now: DateTime<Utc>) -> Result<bool> {
    let expired = store::run::retention::list_expired(&app.db, now, ROWS).await?;
    let mut more = expired.len() as u64 == ROWS;
    let (mut left, mut empty) = (CHUNKS, Vec::new());
    for run in expired {
        // Chunks first, so that no single statement deletes a long log.
        let gone =
            store::write(&app.db, async |tx| store::log_chunk::delete_some(tx, run, left).await.map_err(Error::from))
                .await?;
        app.metrics.rows_pruned("log_chunk", gone);
        if gone == left {
            more = true;
            break;
        }
        left -= gone;
        empty.push(run);
    }
    if !empty.is_empty() {
        let gone = empty.len() as u64;
        store::write(&app.db, async |tx| store::run::retention::delete(tx, empty).await.map_err(Error::from)).await?;
        app.metrics.rows_pruned("run", gone);
    }
    Ok(more)
}

async fn skipped_times(app: &App, now: DateTime<Utc>) -> Result<bool> {
    let before = before(now, app.config.skipped_days);
    let gone =
        store::write(&app.db, async |tx| store::run::skipped::delete_some(tx, before, ROWS).await.map_err(Error::from))
            .await?;
    Ok(counted(app, "skipped_time", gone, ROWS))
}

async fn deployments(app: &App, now: DateTime<Utc>) -> Result<bool> {
    let expired = store::deployment::list_expired(&app.db, before(now, app.config.deployment_days), WHOLE).await?;
    let gone = expired.len() as u64;
    for id in expired {
        store::write(&app.db, async |tx| store::deployment::delete(tx, id).await.map_err(Error::from)).await?;
    }
    Ok(counted(app, "deployment", gone, WHOLE))
}

async fn events(app: &App, now: DateTime<Utc>) -> Result<bool> {
    let before = before(now, app.config.event_days);
    let gone =
        store::write(&app.db, async |tx| store::event::delete_some(tx, before, ROWS).await.map_err(Error::from))
            .await?;
    Ok(counted(app, "event", gone, ROWS))
}

/// Webhook deliveries that have ended.
async fn deliveries(app: &App, now: DateTime<Utc>) -> Result<bool> {
    let before = before(now, app.config.webhook_delivery_days);
    let gone = store::write(&app.db, async |tx| {
        store::webhook::delete_some_deliveries(tx, before, ROWS).await.map_err(Error::from)
    })
    .await?;
    Ok(counted(app, "webhook_delivery", gone, ROWS))
}

/// Workspace jobs that have ended, with their steps; their runs and logs expire.
async fn workspace_jobs(app: &App, now: DateTime<Utc>) -> Result<bool> {
    let expired = store::workspace::list_expired_jobs(&app.db, before(now, app.config.workspace_job_days), WHOLE).await?;
    let gone = expired.len() as u64;
    for id in expired {
        store::write(&app.db, async |tx| store::workspace::delete_job(tx, id, now).await.map_err(Error::from)).await?;
    }
    Ok(counted(app, "workspace_job", gone, WHOLE))
}

/// The plans of workspace jobs that have ended.
async fn plans(app: &App) -> Result<bool> {
    let gone =
        store::write(&app.db, async |tx| store::workspace::delete_some_plans(tx, LARGE).await.map_err(Error::from))
            .await?;
    Ok(counted(app, "plan", gone, LARGE))
}

/// Replaced state versions. The newest of a workspace never expires.
async fn states(app: &App, now: DateTime<Utc>) -> Result<bool> {
    let before = before(now, app.config.state_version_days);
    let gone = store::write(&app.db, async |tx| {
        store::workspace::delete_some_states(tx, before, LARGE).await.map_err(Error::from)
    })
    .await?;
    Ok(counted(app, "state_version", gone, LARGE))
}

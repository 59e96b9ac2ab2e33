//! The pass that deletes what has expired: a bounded number of rows of each table, in transactions that nobody waits for long.

use std::fmt::Display;

use chrono::{DateTime, TimeDelta, Utc};
use entity::id::RunId;

use super::pass::{Wish, report, succeeded};
use super::run::lease::LEASE;
use crate::app::App;
use crate::engine::workload_identity;
use crate::error::{Error, Result};
use crate::liveness::passes::Pass;
use crate::store;

/// How many small rows of a table one pass deletes.
const ROWS: u64 = 200;
/// How many log chunks one pass deletes: a few tens of MiB at most.
const CHUNKS: u64 = 500;
/// How many deployments and workspace jobs one pass deletes, each in a transaction of its own, with all of its parts or steps.
const WHOLE: u64 = 50;
/// How many plans and states one pass deletes. Each may have many MiB.
const LARGE: u64 = 10;

/// How many pieces of states one pass deletes. Each has about 1 MiB.
const PIECES: u64 = 50;
/// Parts of the lists of their resources, which are smaller.
const LISTINGS: u64 = 200;

const PASS: Pass = Pass::Prune;

/// Deletes expired rows. Returns true if more are waiting. A table that cannot be pruned does not keep the others.
pub(super) async fn run_once(app: &App, now: DateTime<Utc>) -> Result<bool> {
    let results = [
        runs(app, now).await,
        skipped_times(app, now).await,
        deployments(app, now).await,
        events(app, now).await,
        deliveries(app, now).await,
        messages(app, now).await,
        pushes(app, now).await,
        workspace_jobs(app, now).await,
        plans(app).await,
        states(app, now).await,
        pieces(app, now).await,
        configurations(app, now).await,
        registry_files(app, now).await,
        identity_keys(app, now).await,
        leases(app, now).await,
        sessions(app, now).await,
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

/// Counts a row that was deleted, or reports why it was not.
fn note(app: &App, table: &'static str, id: impl Display + Copy, gone: Result<()>, now: DateTime<Utc>) {
    match gone {
        Ok(()) => {
            succeeded(app, PASS, id);
            app.metrics.rows_pruned(table, 1);
        }
        Err(error) => {
            report(app, (PASS, table), id, &error, Wish::Process, now);
        }
    }
}

/// Runs, whose expiry was set when they ended.
async fn runs(app: &App, now: DateTime<Utc>) -> Result<bool> {
    let paused = app.setbacks.paused(PASS, now);
    let expired = store::run::retention::list_expired(&app.db, paused, now, ROWS).await?;
    let mut more = expired.len() as u64 == ROWS;
    let (mut left, mut empty) = (CHUNKS, Vec::new());
    for run in expired {
        // Chunks first, so that no single statement deletes a long log.
        let gone =
            store::write(&app.db, async |tx| store::log_chunk::delete_some(tx, run, left).await.map_err(Error::from))
                .await;
        match gone {
            Ok(gone) => {
                app.metrics.rows_pruned("log_chunk", gone);
                if gone == left {
                    more = true;
                    break;
                }
                left -= gone;
                empty.push(run);
            }
            Err(error) => {
                report(app, (PASS, "run"), run, &error, Wish::Process, now);
            }
        }
    }
    delete(app, empty, now).await;
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
    let (before, paused) = (before(now, app.config.deployment_days), app.setbacks.paused(PASS, now));
    let expired = store::deployment::list_expired(&app.db, paused, before, WHOLE).await?;
    let more = expired.len() as u64 == WHOLE;
    for id in expired {
        let gone = store::write(&app.db, async |tx| store::deployment::delete(tx, id).await.map_err(Error::from)).await;
        note(app, "deployment", id, gone, now);
    }
    Ok(more)
}

async fn events(app: &App, now: DateTime<Utc>) -> Result<bool> {
    let before = before(now, app.config.event_days);
    let gone = store::write(&app.db, async |tx| store::event::delete_some(tx, before, ROWS).await.map_err(Error::from))
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

/// Messages about alerts that have ended.
async fn messages(app: &App, now: DateTime<Utc>) -> Result<bool> {
    let before = before(now, app.config.webhook_delivery_days);
    let gone = store::write(&app.db, async |tx| {
        store::alert::delete_some_messages(tx, before, ROWS).await.map_err(Error::from)
    })
    .await?;
    Ok(counted(app, "alert_delivery", gone, ROWS))
}

/// Pushes that started no job that is kept, reports about jobs that are gone, and what was delivered to push hooks.
async fn pushes(app: &App, now: DateTime<Utc>) -> Result<bool> {
    let before = before(now, app.config.webhook_delivery_days);
    let (pushes, reports, deliveries) = store::write(&app.db, async |tx| {
        let pushes = store::push::delete_some_pushes(tx, before, ROWS).await?;
        let reports = store::push::delete_some_reports(tx, before, ROWS).await?;
        Ok::<_, Error>((pushes, reports, store::push::delete_some_hook_deliveries(tx, before, ROWS).await?))
    })
    .await?;
    let gone = [("workspace_push", pushes), ("push_feedback", reports), ("push_hook_delivery", deliveries)];
    Ok(gone.map(|(table, count)| counted(app, table, count, ROWS)).contains(&true))
}

/// Workspace jobs that have ended, with their steps; their runs and logs expire.
async fn workspace_jobs(app: &App, now: DateTime<Utc>) -> Result<bool> {
    let (before, paused) = (before(now, app.config.workspace_job_days), app.setbacks.paused(PASS, now));
    let expired = store::workspace::list_expired_jobs(&app.db, paused, before, WHOLE).await?;
    let more = expired.len() as u64 == WHOLE;
    for id in expired {
        let gone =
            store::write(&app.db, async |tx| store::workspace::delete_job(tx, id, now).await.map_err(Error::from))
                .await;
        note(app, "workspace_job", id, gone, now);
    }
    Ok(more)
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

/// Pieces of states that were refused or deleted. Those of a state that is being received are younger.
async fn pieces(app: &App, now: DateTime<Utc>) -> Result<bool> {
    let before = before(now, 1);
    let gone = store::write(&app.db, async |tx| {
        let listings = store::workspace::delete_some_listings(tx, before, LISTINGS).await?;
        Ok::<_, Error>((listings, store::workspace::delete_some_pieces(tx, before, PIECES).await?))
    })
    .await?;
    let more = counted(app, "state_listing", gone.0, LISTINGS);
    Ok(counted(app, "state_piece", gone.1, PIECES) || more)
}

/// Uploaded configurations that no open job needs. Those that are about to be used are younger.
async fn configurations(app: &App, now: DateTime<Utc>) -> Result<bool> {
    let before = before(now, 1);
    let gone = store::write(&app.db, async |tx| {
        store::workspace::delete_some_configurations(tx, before, LARGE).await.map_err(Error::from)
    })
    .await?;
    Ok(counted(app, "configuration_version", gone, LARGE))
}

/// Files of the private registry that nothing refers to any more. Those that are being received are younger.
async fn registry_files(app: &App, now: DateTime<Utc>) -> Result<bool> {
    let before = before(now, 1);
    let gone = store::write(&app.db, async |tx| {
        store::private_registry::delete_some_files(tx, before, PIECES).await.map_err(Error::from)
    })
    .await?;
    Ok(counted(app, "registry_piece", gone, PIECES))
}

/// Keys of identity tokens that were replaced.
async fn identity_keys(app: &App, now: DateTime<Utc>) -> Result<bool> {
    let gone = store::write(&app.db, async |tx| workload_identity::delete_replaced(tx, now).await).await?;
    app.metrics.rows_pruned("identity_key", gone);
    Ok(false)
}

/// Leases of servers that are gone. A server that resumes after its lease was deleted gets a new one.
async fn leases(app: &App, now: DateTime<Utc>) -> Result<bool> {
    let gone = store::write(&app.db, async |tx| {
        store::server_lease::add_missing(tx, now + LEASE).await?;
        store::server_lease::delete_some(tx, now).await.map_err(Error::from)
    })
    .await?;
    app.metrics.rows_pruned("server_lease", gone);
    Ok(false)
}

async fn sessions(app: &App, now: DateTime<Utc>) -> Result<bool> {
    let (sessions, sign_ins, codes) = store::write(&app.db, async |tx| {
        let sessions = store::console_session::delete_expired(tx, now, ROWS).await?;
        let sign_ins = store::sign_in::delete_expired(tx, now, ROWS).await?;
        Ok::<_, Error>((sessions, sign_ins, store::login_code::delete_expired(tx, now, ROWS).await?))
    })
    .await?;
    let gone = [("session", sessions), ("sign_in", sign_ins), ("login_code", codes)];
    Ok(gone.map(|(table, count)| counted(app, table, count, ROWS)).contains(&true))
}

/// Deletes runs without logs: all at once, or one by one if one of them cannot be deleted.
async fn delete(app: &App, runs: Vec<RunId>, now: DateTime<Utc>) {
    let some = async |runs: Vec<RunId>| {
        store::write(&app.db, async |tx| store::run::retention::delete(tx, runs).await.map_err(Error::from)).await
    };
    let all = runs.len() as u64;
    if runs.is_empty() {
        return;
    }
    if some(runs.clone()).await.is_ok() {
        app.metrics.rows_pruned("run", all);
        return;
    }
    for run in runs {
        note(app, "run", run, some(vec![run]).await, now);
    }
}

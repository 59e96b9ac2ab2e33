//! For those who operate a server: whether it is alive, whether it can work, and what it has counted. No caller is asked
//! for: nothing in it tells of anybody's jobs.

use std::sync::Arc;
use std::time::Duration;

use poem::http::StatusCode;
use poem::web::Data;
use poem::{Response, handler};
use serde_json::json;

use crate::app::App;
use crate::liveness::pulse::Health;
use crate::observe::metrics::{CONTENT_TYPE, QueueDepths};
use crate::store;

/// How long the database has to answer.
const PATIENCE: Duration = Duration::from_secs(3);

fn engine(app: &App) -> (&'static str, bool) {
    match app.pulse.health(app.clock.now()) {
        Health::Starting => ("starting", true),
        Health::Well => ("well", true),
        Health::Stuck => ("stuck", false),
    }
}

fn answer(parts: serde_json::Value, is_good: bool) -> Response {
    let status = if is_good { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    Response::builder().status(status).content_type("application/json").body(parts.to_string())
}

/// Whether the process does its work; one that does not is to be started again.
#[handler]
pub(super) fn live(app: Data<&Arc<App>>) -> Response {
    let (engine, is_good) = engine(&app);
    answer(json!({"engine": engine}), is_good)
}

/// Whether requests can be answered now: the database is there and the engine comes round.
#[handler]
pub(super) async fn ready(app: Data<&Arc<App>>) -> Response {
    let (engine, comes_round) = engine(&app);
    let there = matches!(tokio::time::timeout(PATIENCE, store::ping(&app.db)).await, Ok(Ok(())));
    let database = if there { "well" } else { "does not answer" };
    answer(json!({"database": database, "engine": engine}), there && comes_round)
}

/// The counters, and how much waits.
#[handler]
pub(super) async fn metrics(app: Data<&Arc<App>>) -> Response {
    let read = async {
        let (queued_runs, running_runs) = store::run::count_by_state(&app.db).await?;
        let (queued_deployments, running_deployments) = store::deployment::count_by_progress(&app.db).await?;
        Ok::<_, sea_orm::DbErr>(QueueDepths { queued_runs, running_runs, queued_deployments, running_deployments })
    };
    match tokio::time::timeout(PATIENCE, read).await {
        Ok(Ok(depths)) => Response::builder().content_type(CONTENT_TYPE).body(app.metrics.text(depths)),
        _ => answer(json!({"database": "does not answer"}), false),
    }
}

//! Endpoints for operators: health checks and metrics. They need no credentials, and reveal nothing about any job.

use std::sync::Arc;
use std::time::Duration;

use poem::http::{StatusCode, header};
use poem::web::Data;
use poem::{Request, Response, handler};
use serde_json::{Map, Value, json};
use windlass_schedule::time_zone;

use crate::app::App;
use crate::liveness::pulse::{Health, Loop};
use crate::observe::metrics::{Exposition, JobSample, QueueDepths};
use crate::store;

/// The timeout of database queries.
const DATABASE_TIMEOUT: Duration = Duration::from_secs(3);

fn engine(app: &App) -> (&'static str, bool) {
    if app.shutdown.has_begun() {
        // The loops end one after the other, which is no reason to restart the process.
        return ("shutting down", true);
    }
    match app.pulse.health(app.clock.now()) {
        Health::Starting => ("starting", true),
        Health::Well => ("well", true),
        Health::Stuck(Loop::Plan) => ("stuck: plan", false),
        Health::Stuck(Loop::Work) => ("stuck: work", false),
    }
}

async fn database(app: &App) -> (&'static str, bool) {
    let probe = async || {
        let written = tokio::time::timeout(DATABASE_TIMEOUT, store::probe(&app.db)).await;
        if let Ok(Err(error)) = &written {
            tracing::warn!(%error, "the database cannot be written");
        }
        matches!(written, Ok(Ok(())))
    };
    if app.probe.run(probe).await { ("well", true) } else { ("cannot be written", false) }
}

fn key(app: &App) -> (&'static str, bool) {
    if app.pulse.key_fits() { ("well", true) } else { ("does not fit the database", false) }
}

/// What readiness and health have in common: the fields of the body, and whether the server is ready.
async fn readiness(app: &App) -> (Map<String, Value>, bool) {
    let parts = [("engine", engine(app)), ("database", database(app).await), ("key", key(app))];
    let is_ready = parts.iter().all(|(_, (_, is_well))| *is_well) && !app.shutdown.has_begun();
    let fields = parts.into_iter().map(|(name, (text, _))| (name.to_owned(), json!(text)));
    (fields.collect(), is_ready)
}

fn response(body: Value, is_healthy: bool) -> Response {
    let status = if is_healthy { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    Response::builder().status(status).content_type("application/json").body(body.to_string())
}

/// The liveness check. It fails when the engine is stuck, so that the process is restarted.
#[handler]
pub(super) fn live(app: Data<&Arc<App>>) -> Response {
    let (engine, is_healthy) = engine(&app);
    response(json!({"engine": engine}), is_healthy)
}

/// The readiness check. It succeeds while the database can be written, the engine ticks, the key fits, and the server is not
/// shutting down.
#[handler]
pub(super) async fn ready(app: Data<&Arc<App>>) -> Response {
    let (body, is_ready) = readiness(&app).await;
    response(body.into(), is_ready)
}

/// Whether everything works: every loop of the engine has ticked, no pass of it keeps failing, and requests are served.
pub async fn is_well(app: &App) -> bool {
    let now = app.clock.now();
    let ticks = app.pulse.health(now) == Health::Well;
    ticks && readiness(app).await.1 && app.setbacks.failing_passes(now).is_empty() && !app.certificate.has_fault()
}

/// The health of everything: also fails while a pass of the engine keeps failing.
#[handler]
pub(super) async fn health(app: Data<&Arc<App>>) -> Response {
    let (mut body, is_ready) = readiness(&app).await;
    let failing = app.setbacks.failing_passes(app.clock.now());
    let is_healthy = is_ready && failing.is_empty() && !app.certificate.has_fault();
    body.insert("failing_passes".into(), json!(failing));
    if app.config.tls_certificate.is_some() {
        let text = if app.certificate.has_fault() { "cannot be reloaded" } else { "well" };
        body.insert("certificate".into(), json!(text));
    }
    body.insert("time_zones".into(), json!(time_zone::database().to_string()));
    response(body.into(), is_healthy)
}

/// Up to as many jobs as the setting allows, and how many there are beyond them.
async fn job_samples(app: &App) -> Result<(Vec<JobSample>, u64), sea_orm::DbErr> {
    if app.config.metrics_per_job == 0 {
        return Ok((Vec::new(), 0));
    }
    let (rows, all) = store::overview::job_outcomes(&app.db, app.config.metrics_per_job).await?;
    let left_out = u64::try_from(all).unwrap_or(0).saturating_sub(u64::try_from(rows.len()).unwrap_or(u64::MAX));
    let sample = |row: store::overview::JobOutcome| JobSample {
        id: row.id,
        name: row.name,
        environment: row.environment_name,
        project: row.project_name,
        next_at: row.next_run_at,
        succeeded_at: row.succeeded_at,
        last_state: row.last_state,
        last_seconds: row.last_started_at.zip(row.last_finished_at).map(|(start, end)| (end - start).as_seconds_f64()),
    };
    Ok((rows.into_iter().map(sample).collect(), left_out))
}

/// The metrics: counters and queue lengths, in the text format that the request prefers.
#[handler]
pub(super) async fn metrics(app: Data<&Arc<App>>, request: &Request) -> Response {
    let accepted = request.headers().get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let exposition = Exposition::accepted(accepted);
    let read = async {
        let (queued_runs, running_runs) = store::run::count_by_state(&app.db).await?;
        let (queued_deployments, running_deployments) = store::deployment::count_by_progress(&app.db).await?;
        let depths = QueueDepths { queued_runs, running_runs, queued_deployments, running_deployments };
        Ok::<_, sea_orm::DbErr>((depths, job_samples(&app).await?))
    };
    match tokio::time::timeout(DATABASE_TIMEOUT, read).await {
        Ok(Ok((depths, (jobs, left_out)))) => {
            for (pass, rows) in app.setbacks.failing_rows() {
                app.metrics.set_failing_rows(pass.name(), rows);
            }
            let text = exposition.write(app.metrics.text(depths, &jobs, left_out));
            Response::builder().content_type(exposition.content_type()).header(header::VARY, "Accept").body(text)
        }
        _ => response(json!({"database": "does not answer"}), false),
    }
}

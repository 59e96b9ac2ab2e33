//! Plans and applies of runs, and their logs. A log is read by an address of its own, which carries the rights of whoever asked for it.

use std::sync::Arc;

use chrono::TimeDelta;
use entity::id::{OrganizationId, WorkspaceId, WorkspaceStepId};
use entity::workspace_job::JobStatus;
use entity::{run, workspace_job, workspace_step};
use poem::http::StatusCode;
use poem::web::{Data, Path};
use poem::{Body, Request, Response, Route, get, handler};
use serde::{Deserialize, Serialize};

use super::caller::Visit;
use super::error::{Problem, Result, answered, guarded};
use super::json_api::resource;
use super::log_frame::{LogFrame, Window};
use super::query_page::ListQuery;
use super::run_document::ShownRun;
use super::run_of_job::shown_run;
use crate::access::{principal, require_right};
use crate::app::App;
use crate::engine::workspace::{rights_of, spec};
use crate::store;

/// The kind of the addresses of logs.
const KIND: &str = "log";

/// The most bytes of one answer.
const MOST_BYTES: u64 = 1024 * 1024;

/// What programs leave out at the beginning of the log of an apply: it stands for what others print there.
const APPLY_HEAD: &str = "\n\n\n";

pub(super) fn routes(route: Route) -> Route {
    route
        .at("/api/v2/plans/:id", guarded(get(plan)))
        .at("/api/v2/applies/:id", guarded(get(apply)))
        .at("/api/v2/sealed/log/:secret", guarded(get(log)))
}

/// What the address of a log is about.
#[derive(Serialize, Deserialize)]
struct LogAddress {
    step: WorkspaceStepId,
    organization: OrganizationId,
    workspace: WorkspaceId,
    principal: String,
}

/// The address of the log of a step. It lasts as long as any step does.
pub(super) fn address(visit: &Visit, of: &ShownRun, step: WorkspaceStepId) -> Result<String> {
    let about = LogAddress {
        step,
        organization: of.job.organization_id,
        workspace: of.job.workspace_id,
        principal: principal::stored(&visit.caller),
    };
    super::sealed_address::create(visit, KIND, about, TimeDelta::days(1))
}

/// The run whose plan or apply has this id, if the caller sees it.
async fn run_of(visit: &Visit, id: &str, kind: &str) -> Result<(ShownRun, WorkspaceStepId)> {
    let missing = || Problem::missing(kind);
    let id = id.parse().map(WorkspaceStepId).map_err(|_| missing())?;
    let step = store::row::by_id::<workspace_step::Model>(&visit.app.db, id).await?.ok_or_else(missing)?;
    let seen = visit.workspace(&step.workspace_id.to_string()).await.map_err(|_| missing())?;
    let job = store::row::by_id::<workspace_job::Model>(&visit.app.db, step.job_id).await?.ok_or_else(missing)?;
    Ok((shown_run(visit, job, seen.rights).await?, id))
}

/// The run whose plan has this id, if the caller sees it.
pub(super) async fn plan_of(visit: &Visit, id: &str) -> Result<(ShownRun, WorkspaceStepId)> {
    let (run, id) = run_of(visit, id, "plan").await?;
    if run.plan == Some(id) { Ok((run, id)) } else { Err(Problem::missing("plan")) }
}

#[handler]
async fn plan(app: Data<&Arc<App>>, request: &Request, id: Path<String>) -> Response {
    let answer = async {
        let visit = Visit::of(app.0, request).await?;
        let (run, id) = plan_of(&visit, &id.0).await?;
        Ok(resource(StatusCode::OK, &run.plan(id, &address(&visit, &run, id)?)))
    };
    answered(answer.await)
}

#[handler]
async fn apply(app: Data<&Arc<App>>, request: &Request, id: Path<String>) -> Response {
    let answer = async {
        let visit = Visit::of(app.0, request).await?;
        let (run, id) = run_of(&visit, &id.0, "apply").await?;
        if run.apply != Some(id) {
            return Err(Problem::missing("apply"));
        }
        Ok(resource(StatusCode::OK, &run.apply(id, &address(&visit, &run, id)?)))
    };
    answered(answer.await)
}

#[handler]
async fn log(app: Data<&Arc<App>>, request: &Request, secret: Path<String>) -> Response {
    answered(window(app.0, request, &secret.0).await)
}

/// The bytes of a log that the query asks for.
async fn window(app: &Arc<App>, request: &Request, secret: &str) -> Result<Response> {
    let about: LogAddress = super::sealed_address::open(app, KIND, secret, app.clock.now())?;
    let rights = rights_of(&app.db, Some(&about.principal), (about.organization, about.workspace)).await?;
    require_right(rights.view)?;
    let query = ListQuery::of(request.params().unwrap_or_default()).map_err(Problem::bad)?;
    let number = |name: &str, usual: u64| match query.text(name) {
        None => Ok(usual),
        Some(text) => text.parse().map_err(|_| Problem::bad(format!("{name}: must be a number of bytes"))),
    };
    let (offset, limit) = (number("offset", 0)?, number("limit", 65_536)?.min(MOST_BYTES));
    let missing = || Problem::missing("log");
    let step = store::row::by_id::<workspace_step::Model>(&app.db, about.step).await?.ok_or_else(missing)?;
    let job = store::row::by_id::<workspace_job::Model>(&app.db, step.job_id).await?.ok_or_else(missing)?;
    // Read before the lines: those that are written in between belong to a run that had not ended.
    let run = match step.run_id {
        Some(id) => store::run::by_id(&app.db, id).await?,
        None => None,
    };
    let extents = match &run {
        Some(run) => store::log_chunk::extents(&app.db, run.id).await?,
        None => Vec::new(),
    };
    let head = if spec(&step)?.plans() { "" } else { APPLY_HEAD };
    let frame = LogFrame {
        head: head.to_owned(),
        text: extents.iter().map(|extent| extent.bytes).sum(),
        tail: ended(&step, &job, run.as_ref()),
    };
    let Window { before, text, after } = frame.window(offset, limit);
    let mut body = before;
    if let (Some(run), true) = (&run, text.bytes > 0) {
        body.extend(store::log_chunk::shown_bytes(&app.db, run.id, &extents, (text.from, text.bytes)).await?);
    }
    body.extend(after);
    Ok(Response::builder().content_type("text/plain; charset=utf-8").body(Body::from(body)))
}

/// What follows the text once it has ended: the reason, if the step failed for one that its log does not say. None while it goes on.
fn ended(step: &workspace_step::Model, job: &workspace_job::Model, run: Option<&run::Model>) -> Option<String> {
    let has_ended = match run {
        Some(run) => run.state.is_final(),
        None => job.status.is_final(),
    };
    if !has_ended {
        return None;
    }
    let reason = match (step.status, run) {
        (JobStatus::Completed | JobStatus::NotExecuted, _) => None,
        (_, Some(run)) => run.reason.clone(),
        (_, None) => job.output.clone(),
    };
    Some(reason.map_or_else(String::new, |reason| format!("\nError: {reason}\n")))
}

//! Logs of steps, as text or as a stream of events, and what clients keep with a job.

use std::sync::Arc;
use std::time::Duration;

use entity::id::{OrganizationId, RunId, WorkspaceId, WorkspaceStepId};
use entity::{workspace_job, workspace_step};
use futures_util::stream;
use poem::http::{StatusCode, header};
use poem::web::{Data, Path};
use poem::{Body, Request, Response, Route, get, handler};
use serde_json::{Value, json};
use uuid::Uuid;

use super::error::{Problem, Result};
use super::session::Session;
use super::{answered, guarded, read};
use crate::app::App;
use crate::store;

/// How often the log of a step that goes on is looked at.
const FOLLOW: Duration = Duration::from_millis(250);

pub(super) fn routes(route: Route) -> Route {
    route
        .at("/tfoutput/v1/organization/:organization/job/:job/step/:step", guarded(get(text)))
        .at("/tfoutput/v1/organization/:organization/job/:job/step/:step/stream", guarded(get(events)))
        .at("/context/v1/:job", guarded(get(context).post(keep_context)))
}

type Ids = Path<(Uuid, i32, Uuid)>;

/// The run whose log is asked for; the caller may see its workspace.
async fn run(app: &Arc<App>, request: &Request, (organization, job, step): (Uuid, i32, Uuid)) -> Result<Option<RunId>> {
    let session = Session::of(app, request).await?;
    let unknown = || Problem::unknown(&step.to_string(), "step");
    let row = store::row::by_id::<workspace_step::Model>(&app.db, WorkspaceStepId(step)).await?.ok_or_else(unknown)?;
    let there = row.organization_id == OrganizationId(organization) && row.job_id == job;
    let seen = session.reach.in_workspace(row.organization_id, row.workspace_id).view;
    if there && seen { Ok(row.run_id) } else { Err(unknown()) }
}

#[handler]
async fn text(app: Data<&Arc<App>>, request: &Request, Path(ids): Ids) -> Response {
    let found = match run(app.0, request, ids).await {
        Ok(found) => found,
        Err(problem) => return problem.response(),
    };
    let lines = lines(Arc::clone(app.0), found, 0, Until::Now);
    let pieces = futures_util::StreamExt::map(lines, |piece| {
        piece.map(|(_, lines)| lines.into_iter().map(|line| line.text + "\n").collect::<String>().into_bytes())
    });
    Response::builder().content_type("application/octet-stream").body(Body::from_bytes_stream(pieces))
}

/// The lines as events, each with its number as its id, from behind the one that the client had last.
#[handler]
async fn events(app: Data<&Arc<App>>, request: &Request, Path(ids): Ids) -> Response {
    let found = match run(app.0, request, ids).await {
        Ok(found) => found,
        Err(problem) => return problem.response(),
    };
    let last = request.headers().get("last-event-id").and_then(|value| value.to_str().ok()?.parse().ok()).unwrap_or(0);
    let lines = lines(Arc::clone(app.0), found, last, Until::Ended);
    let pieces = futures_util::StreamExt::map(lines, |piece| {
        let event = |line: store::log_chunk::LogLine| format!("id: {}\ndata: {}\n\n", line.position, line.text);
        piece.map(|(_, lines)| lines.into_iter().map(event).collect::<String>().into_bytes())
    });
    Response::builder()
        .content_type("text/event-stream")
        .header(header::CACHE_CONTROL, "no-cache")
        .body(Body::from_bytes_stream(pieces))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Until {
    Now,
    Ended,
}

type Piece = std::io::Result<(i64, Vec<store::log_chunk::LogLine>)>;

/// The lines of a run behind a position, in pieces.
fn lines(
    app: Arc<App>,
    run: Option<RunId>,
    after: i64,
    until: Until,
) -> impl stream::Stream<Item = Piece> + Send + 'static {
    let failed = |error: sea_orm::DbErr| {
        tracing::error!(%error, "a log broke off");
        std::io::Error::other("the log broke off")
    };
    stream::try_unfold((app, after), move |(app, position)| async move {
        let Some(run) = run else { return Ok(None) };
        loop {
            // The state first: what is written after it was read belongs to a run that was not over.
            let over = store::run::by_id(&app.db, run).await.map_err(failed)?.is_none_or(|row| row.state.is_final());
            let lines = store::log_chunk::list_by_run(&app.db, run, position).await.map_err(failed)?;
            if let Some(last) = lines.last().map(|line| line.position) {
                return Ok(Some(((last, lines), (app, last))));
            }
            if until == Until::Now || over {
                return Ok(None);
            }
            tokio::time::sleep(FOLLOW).await;
        }
    })
}

#[handler]
async fn context(app: Data<&Arc<App>>, request: &Request, Path(id): Path<i32>) -> Response {
    answered(
        async {
            let session = Session::of(app.0, request).await?;
            let job = seen(&session, id).await?;
            Ok(plain(StatusCode::OK, &job.context.unwrap_or_else(|| json!({}))))
        }
        .await,
    )
}

#[handler]
async fn keep_context(app: Data<&Arc<App>>, request: &Request, Path(id): Path<i32>, body: Body) -> Response {
    answered(
        async {
            let session = Session::of(app.0, request).await?;
            let job = seen(&session, id).await?;
            if !session.reach.in_workspace(job.organization_id, job.workspace_id).plan {
                return Err(Problem::denied("UpdatePermission"));
            }
            let value: Value =
                serde_json::from_slice(&read(body).await?).map_err(|error| Problem::bad(error.to_string()))?;
            store::workspace::set_context(&app.0.db, id, value.clone()).await?;
            Ok(plain(StatusCode::OK, &value))
        }
        .await,
    )
}

async fn seen(session: &Session, id: i32) -> Result<workspace_job::Model> {
    let row = store::row::by_id::<workspace_job::Model>(&session.app.db, id).await?;
    let row = row.filter(|row| session.reach.in_workspace(row.organization_id, row.workspace_id).view);
    row.ok_or_else(|| Problem::unknown(&id.to_string(), "job"))
}

/// An answer in plain JSON.
pub(super) fn plain(status: StatusCode, body: &Value) -> Response {
    Response::builder().status(status).content_type("application/json").body(body.to_string())
}

/// A workspace by what its address says.
pub(super) fn ids(organization: Uuid, workspace: Uuid) -> (OrganizationId, WorkspaceId) {
    (OrganizationId(organization), WorkspaceId(workspace))
}

//! Logs of workspace steps, as text or as server-sent events.

use std::sync::Arc;
use std::time::Duration;

use entity::id::{OrganizationId, RunId, WorkspaceStepId};
use entity::workspace_step;
use futures_util::stream;
use poem::web::{Data, Path};
use poem::{Body, Request, Response, Route, get, handler};
use uuid::Uuid;

use super::error::{Problem, Result};
use super::response::guarded;
use super::session::Session;
use crate::access::Caller;
use crate::app::App;
use crate::store;

/// How often the log of a running step is polled.
const FOLLOW: Duration = Duration::from_millis(250);

pub(super) fn routes(route: Route) -> Route {
    route
        .at("/tfoutput/v1/organization/:organization/job/:job/step/:step", guarded(get(text)))
        .at("/tfoutput/v1/organization/:organization/job/:job/step/:step/stream", guarded(get(events)))
}

type Ids = Path<(Uuid, i32, Uuid)>;

/// The run behind a step, if the caller may view its workspace.
async fn run(
    app: &Arc<App>,
    request: &Request,
    (organization, job, step): (Uuid, i32, Uuid),
) -> Result<(Caller, Option<RunId>)> {
    let session = Session::of(app, request).await?;
    let unknown = || Problem::unknown(&step.to_string(), "step");
    let row = store::row::by_id::<workspace_step::Model>(&app.db, WorkspaceStepId(step)).await?.ok_or_else(unknown)?;
    let there = row.organization_id == OrganizationId(organization) && row.job_id == job;
    let seen = session.reach.in_workspace(row.organization_id, row.workspace_id).view;
    if there && seen { Ok((session.caller, row.run_id)) } else { Err(unknown()) }
}

#[handler]
async fn text(app: Data<&Arc<App>>, request: &Request, Path(ids): Ids) -> Response {
    let (caller, found) = match run(app.0, request, ids).await {
        Ok(found) => found,
        Err(problem) => return problem.response(),
    };
    let lines = lines(Arc::clone(app.0), caller, found, 0, Until::Now);
    let pieces = futures_util::StreamExt::map(lines, |piece| {
        piece.map(|(_, lines)| lines.into_iter().map(|line| line.text + "\n").collect::<String>().into_bytes())
    });
    Response::builder().content_type("application/octet-stream").body(Body::from_bytes_stream(pieces))
}

/// The lines as events. The id of an event is the line number, so `Last-Event-ID` resumes the stream.
#[handler]
async fn events(app: Data<&Arc<App>>, request: &Request, Path(ids): Ids) -> Response {
    let (caller, found) = match run(app.0, request, ids).await {
        Ok(found) => found,
        Err(problem) => return problem.response(),
    };
    let last = request.headers().get("last-event-id").and_then(|value| value.to_str().ok()?.parse().ok()).unwrap_or(0);
    let lines = lines(Arc::clone(app.0), caller, found, last, Until::Ended);
    let pieces = futures_util::StreamExt::map(lines, |piece| {
        piece.map(|(_, lines)| lines.iter().map(event).collect::<String>().into_bytes())
    });
    Response::builder().content_type("text/event-stream").body(Body::from_bytes_stream(pieces))
}

/// The event of a line. A carriage return would end the field, so each part of the text is a field of its own.
fn event(line: &store::log_chunk::LogLine) -> String {
    let data: String = line.text.split('\r').map(|part| format!("data: {part}\n")).collect();
    format!("id: {}\n{data}\n", line.position)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Until {
    Now,
    Ended,
}

type Piece = std::io::Result<(i64, Vec<store::log_chunk::LogLine>)>;

/// Streams the lines of a run after a position, in chunks.
fn lines(
    app: Arc<App>,
    caller: Caller,
    run: Option<RunId>,
    after: i64,
    until: Until,
) -> impl stream::Stream<Item = Piece> + Send + 'static {
    let failed = |error: sea_orm::DbErr| {
        tracing::error!(%error, "failed to read a log");
        std::io::Error::other("failed to read the log")
    };
    stream::try_unfold((app, caller, after), move |(app, caller, position)| async move {
        let Some(run) = run else { return Ok(None) };
        loop {
            // Read the state first: a run that is final by now has already stored all of its lines.
            let over = store::run::by_id(&app.db, run).await.map_err(failed)?.is_none_or(|row| row.state.is_final());
            let lines = store::log_chunk::list_by_run(&app.db, run, position).await.map_err(failed)?;
            if let Some(last) = lines.last().map(|line| line.position) {
                return Ok(Some(((last, lines), (app, caller, last))));
            }
            if until == Until::Now || over {
                return Ok(None);
            }
            tokio::time::sleep(FOLLOW).await;
            // A revoked credential ends the response.
            app.authenticator.again(&caller).await.map_err(std::io::Error::other)?;
        }
    })
}

#[cfg(test)]
mod tests {
    use super::event;
    use crate::store::log_chunk::{LogLine, LogStream};

    #[test]
    fn a_line_cannot_add_fields_to_its_event() {
        let line = |text: &str| LogLine {
            position: 7,
            at: chrono::DateTime::UNIX_EPOCH,
            stream: LogStream::Stdout,
            text: text.to_owned(),
        };
        assert_eq!(event(&line("plain")), "id: 7\ndata: plain\n\n");
        let forged = "a\rid: 99\r\revent: fake\r";
        assert_eq!(event(&line(forged)), "id: 7\ndata: a\ndata: id: 99\ndata: \ndata: event: fake\ndata: \n\n");
    }
}

//! Logs of workspace steps, as text or as server-sent events.

use std::sync::Arc;

use entity::id::{OrganizationId, RunId, WorkspaceStepId};
use entity::workspace_step;
use futures_util::StreamExt as _;
use poem::web::{Data, Path};
use poem::{Body, Request, Response, Route, get, handler};
use uuid::Uuid;

use super::error::Problem;
use super::response::guarded;
use super::session::Session;
use crate::access::ReadWorkspace;
use crate::access::read_guard::Guard;
use crate::app::App;
use crate::follow::{Follow, Piece, lines};
use crate::store;

pub(super) fn routes(route: Route) -> Route {
    route
        .at("/tfoutput/v1/organization/:organization/job/:job/step/:step", guarded(get(text)))
        .at("/tfoutput/v1/organization/:organization/job/:job/step/:step/stream", guarded(get(events)))
}

type Ids = Path<(Uuid, i32, Uuid)>;

/// A log that the caller may read; without a run it is empty.
struct StepLog {
    guard: Guard<ReadWorkspace>,
    run: Option<RunId>,
}

/// The log of a step, if the caller may view its workspace.
async fn log(
    app: &Arc<App>,
    request: &Request,
    (organization, job, step): (Uuid, i32, Uuid),
) -> Result<StepLog, Problem> {
    let session = Session::of(app, request).await?;
    let unknown = || Problem::unknown(&step.to_string(), "step");
    let row = store::row::by_id::<workspace_step::Model>(&app.db, WorkspaceStepId(step)).await?.ok_or_else(unknown)?;
    let there = row.organization_id == OrganizationId(organization) && row.job_id == job;
    let permit = ReadWorkspace { db: app.db.clone(), organization: row.organization_id, workspace: row.workspace_id };
    let may = session.reach.in_workspace(row.organization_id, row.workspace_id).view;
    if !there || !may {
        return Err(unknown());
    }
    Ok(StepLog { guard: Guard::new(session.caller, permit), run: row.run_id })
}

/// The body of a response with these parts of a log.
fn body_of(app: &Arc<App>, of: StepLog, (after, follow): (i64, Follow), written: fn(Piece) -> String) -> Body {
    let Some(run) = of.run else { return Body::empty() };
    let pieces = lines(Arc::clone(app), of.guard, (run, after), follow);
    Body::from_bytes_stream(pieces.map(move |piece| piece.map(|piece| written(piece).into_bytes())))
}

#[handler]
async fn text(app: Data<&Arc<App>>, request: &Request, Path(ids): Ids) -> Response {
    let found = match log(app.0, request, ids).await {
        Ok(found) => found,
        Err(problem) => return problem.response(),
    };
    let body = body_of(app.0, found, (0, Follow::Off), |piece| match piece {
        Piece::Lines(lines) => lines.into_iter().map(|line| line.text + "\n").collect(),
        Piece::Cut(reason) => format!("windlass: the log is cut off here: {reason}\n"),
    });
    Response::builder().content_type("application/octet-stream").body(body)
}

/// The lines as events. The id of an event is the line number, so `Last-Event-ID` resumes the stream.
#[handler]
async fn events(app: Data<&Arc<App>>, request: &Request, Path(ids): Ids) -> Response {
    let found = match log(app.0, request, ids).await {
        Ok(found) => found,
        Err(problem) => return problem.response(),
    };
    let last = request.headers().get("last-event-id").and_then(|value| value.to_str().ok()?.parse().ok()).unwrap_or(0);
    let body = body_of(app.0, found, (last, Follow::UntilEnd), |piece| match piece {
        Piece::Lines(lines) => lines.iter().map(event).collect(),
        Piece::Cut(reason) => format!("event: error\ndata: the log is cut off here: {reason}\n\n"),
    });
    Response::builder().content_type("text/event-stream").body(body)
}

/// The event of a line. A carriage return would end the field, so each part of the text is a field of its own.
fn event(line: &store::log_chunk::LogLine) -> String {
    let data: String = line.text.split('\r').map(|part| format!("data: {part}\n")).collect();
    format!("id: {}\n{data}\n", line.position)
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

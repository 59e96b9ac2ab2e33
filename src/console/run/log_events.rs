//! New lines of a log as server-sent events, while its page is open. The id of an event is the number of its last line, from which a
//! browser goes on after it has lost the connection.

use std::convert::Infallible;
use std::sync::Arc;

use entity::id::RunId;
use futures_util::{StreamExt as _, stream};
use poem::http::header;
use poem::web::{Data, Path, Query};
use poem::{Body, Request, Response, handler};
use serde::Deserialize;
use uuid::Uuid;
use windlass_schedule::time_zone::Zone;

use super::log_file::ReadLog;
use super::log_lines;
use super::log_window::stream_named;
use crate::access::read_guard::Guard;
use crate::access::{self, Action};
use crate::app::App;
use crate::console::format::ansi::{self, AnsiState};
use crate::console::job::Scene;
use crate::console::viewer::Viewer;
use crate::console::when::zone_of;
use crate::error::Error;
use crate::follow::{Follow, Piece, lines};
use crate::store::log_chunk::{LogLine, LogStream};

/// How many lines an open page keeps; of more at once, the newest are sent.
const KEPT: usize = 5000;

/// The query of the events.
#[derive(Deserialize)]
pub(super) struct EventsQuery {
    after: Option<i64>,
    stream: Option<String>,
}

#[handler]
pub(super) async fn log_events(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path(id): Path<Uuid>,
    Query(query): Query<EventsQuery>,
    request: &Request,
) -> poem::Result<Response> {
    let run = access::run(&app.db, &viewer.caller, Action::View, RunId(id)).await?;
    let job = run.job_id.ok_or(Error::NotFound("run"))?;
    let zone = zone_of(&Scene::load_any(app, &viewer.caller, Action::View, job).await?.job.spec);
    let resumed = request.headers().get("last-event-id").and_then(|id| id.to_str().ok()?.parse::<i64>().ok());
    let after = resumed.or(query.after).unwrap_or(0).max(0);
    let stream = query.stream.as_deref().and_then(stream_named);
    let guard = Guard::new(viewer.caller, ReadLog { db: app.db.clone(), run: run.id });
    let pieces = lines(Arc::clone(app), guard, (run.id, after), Follow::UntilEnd);
    // A batch begins with the colors that the one before it ended with.
    let mut colors = log_lines::colors_after(app, run.id, after, stream).await?;
    let events = pieces.map(move |piece| match piece {
        Ok(Piece::Lines(lines)) => event(lines, stream, zone, &mut colors),
        // The browser opens it again, and is told then what has changed.
        Ok(Piece::Cut(_)) | Err(_) => String::new(),
    });
    let end = stream::iter(["event: end\ndata: {}\n\n".to_owned()]);
    let opened = stream::iter([": open\n\n".to_owned()]);
    let events =
        opened.chain(events).chain(end).map(Ok::<_, Infallible>).map(|text| text.map_err(std::io::Error::other));
    Ok(Response::builder()
        .content_type("text/event-stream")
        .header(header::CACHE_CONTROL, "no-store")
        .body(Body::from_bytes_stream(events)))
}

/// The event for these lines.
fn event(lines: Vec<LogLine>, stream: Option<LogStream>, zone: Option<Zone>, colors: &mut AnsiState) -> String {
    let last = lines.last().map_or(0, |line| line.position);
    let mut shown: Vec<_> =
        lines.into_iter().filter(|line| stream.is_none_or(|stream| line.stream == stream)).collect();
    let newest = shown.split_off(shown.len().saturating_sub(KEPT));
    for line in &shown {
        let _left_out = ansi::line(&line.text, colors);
    }
    let html = log_lines::markup(&newest, None, zone, colors).into_string();
    let data = serde_json::json!({ "html": html });
    format!("id: {last}\nevent: lines\ndata: {data}\n\n")
}

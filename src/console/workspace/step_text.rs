//! The log of a step as text, until the step ends.

use std::sync::Arc;

use entity::id::WorkspaceStepId;
use entity::workspace_step;
use futures_util::StreamExt as _;
use poem::http::header;
use poem::web::{Data, Path};
use poem::{Body, Response, handler};
use uuid::Uuid;

use crate::access::read_guard::Guard;
use crate::access::{self, ReadWorkspace};
use crate::app::App;
use crate::console::viewer::Viewer;
use crate::error::Error;
use crate::follow::{Follow, Piece, lines};
use crate::store;

#[handler]
pub(super) async fn text(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path((job, step)): Path<(i32, Uuid)>,
) -> poem::Result<Response> {
    let (job, of, _) = access::workspace_job(&app.db, &viewer.caller, job).await?;
    let row = store::row::by_id::<workspace_step::Model>(&app.db, WorkspaceStepId(step)).await.map_err(Error::from)?;
    let row = row.filter(|row| row.job_id == job.id).ok_or(Error::NotFound("step"))?;
    let response = Response::builder()
        .content_type("text/plain; charset=utf-8")
        .header(header::CACHE_CONTROL, "no-store")
        .header(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    let Some(run) = row.run_id else { return Ok(response.finish()) };
    let permit = ReadWorkspace { db: app.db.clone(), organization: of.organization_id, workspace: of.id };
    let guard = Guard::new(viewer.caller, permit);
    let pieces = lines(Arc::clone(app), guard, (run, 0), Follow::UntilEnd);
    let written = |piece: Piece| match piece {
        Piece::Lines(lines) => lines.into_iter().map(|line| line.text + "\n").collect::<String>(),
        Piece::Cut(reason) => format!("windlass: the log is cut off here: {reason}\n"),
    };
    Ok(response.body(Body::from_bytes_stream(pieces.map(move |piece| piece.map(|piece| written(piece).into_bytes())))))
}

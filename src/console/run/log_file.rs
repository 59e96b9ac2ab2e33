//! The whole log of a run as plain text, and who may go on reading it.

use std::sync::Arc;

use entity::id::RunId;
use futures_util::StreamExt as _;
use poem::http::header;
use poem::web::{Data, Path, Query};
use poem::{Body, Response, handler};
use sea_orm::DatabaseConnection;
use serde::Deserialize;
use uuid::Uuid;

use crate::access::read_guard::{Guard, Permit};
use crate::access::{self, Action, Caller};
use crate::app::App;
use crate::console::viewer::Viewer;
use crate::error::Result;
use crate::follow::{Follow, Piece, lines};

/// The query of the file.
#[derive(Deserialize)]
pub(super) struct FileQuery {
    download: Option<String>,
}

#[handler]
pub(super) async fn log_file(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path(id): Path<Uuid>,
    Query(query): Query<FileQuery>,
) -> poem::Result<Response> {
    let run = access::run(&app.db, &viewer.caller, Action::View, RunId(id)).await?;
    let guard = Guard::new(viewer.caller, ReadLog { db: app.db.clone(), run: run.id });
    let pieces = lines(Arc::clone(app), guard, (run.id, 0), Follow::Off);
    let text = |piece: Piece| match piece {
        Piece::Lines(lines) => lines.into_iter().map(|line| line.text + "\n").collect::<String>().into_bytes(),
        Piece::Cut(reason) => format!("windlass: the log is cut off here: {reason}\n").into_bytes(),
    };
    // A browser shows it as text, whatever it contains.
    let response = Response::builder()
        .content_type("text/plain; charset=utf-8")
        .header(header::X_CONTENT_TYPE_OPTIONS, "nosniff")
        .header(header::CACHE_CONTROL, "no-store");
    let response = match query.download {
        Some(_) => {
            let name = format!("attachment; filename=\"run-{}.log\"", run.number);
            response.header(header::CONTENT_DISPOSITION, name)
        }
        None => response,
    };
    Ok(response.body(Body::from_bytes_stream(pieces.map(move |piece| piece.map(text)))))
}

/// The right to read the log of a run.
pub(super) struct ReadLog {
    pub(super) db: DatabaseConnection,
    pub(super) run: RunId,
}

impl Permit for ReadLog {
    async fn check(&self, caller: &Caller) -> Result<()> {
        access::run(&self.db, caller, Action::View, self.run).await.map(|_| ())
    }
}

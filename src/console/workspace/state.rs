//! Downloads a version of a state.

use std::sync::Arc;

use entity::id::{StateVersionId, WorkspaceId};
use poem::http::header;
use poem::web::{Data, Path};
use poem::{Body, Response, handler};
use uuid::Uuid;

use crate::access::{self, require_right};
use crate::app::App;
use crate::console::viewer::Viewer;
use crate::engine::terraform_state::{self, StateContent};
use crate::error::Error;
use crate::store;

#[handler]
pub(super) async fn download(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path((id, version)): Path<(Uuid, Uuid)>,
) -> poem::Result<Response> {
    let (row, rights) = access::workspace(&app.db, &viewer.caller, WorkspaceId(id)).await?;
    require_right(rights.states)?;
    let found = store::workspace::state(&app.db, row.id, StateVersionId(version)).await.map_err(Error::from)?;
    let found = found.ok_or(Error::NotFound("state version"))?;
    let name = format!("attachment; filename=\"serial-{}.tfstate\"", found.serial);
    let StateContent { bytes, parts } = terraform_state::content(app, found).await?;
    Ok(Response::builder()
        .content_type("application/json")
        .header(header::CACHE_CONTROL, "no-store")
        .header(header::CONTENT_DISPOSITION, name)
        .header(header::CONTENT_LENGTH, bytes.to_string())
        .body(Body::from_bytes_stream(parts)))
}

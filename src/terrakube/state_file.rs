//! Stored versions of Terraform states.

use std::sync::Arc;

use entity::id::StateVersionId;
use poem::http::StatusCode;
use poem::web::{Data, Path};
use poem::{Request, Response, handler};
use uuid::Uuid;

use super::error::{Problem, Result};
use super::response::answered;
use super::state_client::state_client;
use super::state_transfer::send;
use crate::app::App;
use crate::engine::terraform_state::{read, shown};
use crate::error::Error;
use crate::store;

/// A version of a state: raw, in the format of `terraform show -json`, or the newest one. The body is empty if there is no
/// such version, which programs read as an empty state.
#[handler]
pub(super) async fn version(app: Data<&Arc<App>>, request: &Request, path: Path<(Uuid, Uuid, String)>) -> Response {
    let (organization, workspace, file) = path.0;
    answered(file_of(app.0, request, (organization, workspace), &file).await)
}

async fn file_of(app: &Arc<App>, request: &Request, of: (Uuid, Uuid), file: &str) -> Result<Response> {
    let client = state_client(app, request, of).await?;
    let unknown = || Problem::unknown(file, "history");
    if file == "terraform.tfstate" {
        return match store::workspace::newest_state(&app.db, client.workspace.id).await? {
            Some(row) => send(app, row).await,
            None => Ok(nothing()),
        };
    }
    let name = file.strip_suffix(".json").ok_or_else(unknown)?;
    let (name, raw) = name.strip_suffix(".raw").map_or((name, false), |name| (name, true));
    let row = match name.parse() {
        Ok(id) => store::workspace::state(&app.db, client.workspace.id, StateVersionId(id)).await?,
        Err(_) => None,
    };
    let Some(row) = row else { return Ok(nothing()) };
    if raw {
        return send(app, row).await;
    }
    let (state, id) = (read(app, row).await?, name.to_owned());
    let text = tokio::task::spawn_blocking(move || {
        shown(&state).map_err(|_| {
            let text =
                format!("the state does not have the format of a state of version 4; download {id}.raw.json instead");
            Problem::new(StatusCode::CONFLICT, text)
        })
    });
    let text = text.await.map_err(Error::internal)??;
    Ok(Response::builder().content_type("application/json").body(text))
}

/// The response if there is no such version. Its type is not JSON, because an empty body is not valid JSON.
fn nothing() -> Response {
    Response::builder().content_type("text/plain").finish()
}

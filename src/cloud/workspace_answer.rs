//! The response with a workspace.

use poem::Response;
use poem::http::StatusCode;
use serde_json::Value;

use super::caller::SeenWorkspace;
use super::error::Result;
use super::json_api::resource;
use super::run_document::run_id;
use super::tag_binding::TagBinding;
use super::workspace_document::ShownWorkspace;
use crate::app::App;
use crate::store;

/// A response with a workspace.
pub(super) async fn shown(app: &App, status: StatusCode, seen: &SeenWorkspace) -> Result<Response> {
    Ok(resource(status, &workspace_resource(app, seen).await?))
}

/// A workspace as a resource.
pub(super) async fn workspace_resource(app: &App, seen: &SeenWorkspace) -> Result<Value> {
    let SeenWorkspace { organization, row, rights } = seen;
    let names = store::workspace::tag_names(&app.db, vec![row.id]).await?;
    let tags: Vec<TagBinding> = names.iter().map(|(_, name)| TagBinding::of(name)).collect();
    let current_run = store::workspace::current_job(&app.db, row.id).await?.map(run_id);
    let shown = ShownWorkspace { organization, row, rights: *rights, tags: &tags, current_run };
    Ok(shown.resource())
}

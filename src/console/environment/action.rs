//! Deploys, stops, cancels, uninstalls and deletes environments.

use std::sync::Arc;

use entity::deployment::Action as Deployment;
use entity::id::EnvironmentId;
use poem::web::{Data, Path};
use poem::{Response, handler};
use uuid::Uuid;

use crate::access::{self, Action};
use crate::app::App;
use crate::console::form::Form;
use crate::console::viewer::Viewer;
use crate::console::{notice, paths};
use crate::engine::command::{self, Removal, RunningRuns};
use crate::error::Error;

#[handler]
pub(super) async fn act(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path((id, word)): Path<(Uuid, String)>,
    _form: Form,
) -> poem::Result<Response> {
    let id = EnvironmentId(id);
    let needed = if word == "delete" { Action::Manage } else { Action::Deploy };
    let row = access::environment(&app.db, &viewer.caller, needed, id).await?;
    let (by, back) = (viewer.requester(), paths::environment(id));
    let deployment = match word.as_str() {
        "deploy" => Some(("deploy", Deployment::Deploy)),
        "stop" => Some(("stop", Deployment::Stop)),
        "uninstall" => Some(("uninstall", Deployment::Uninstall)),
        _ => None,
    };
    if let Some((said, action)) = deployment {
        command::request_environment(app, &by, id, action).await?;
        return Ok(notice::lead(&back, said));
    }
    match word.as_str() {
        "cancel" => {
            command::cancel_environment(app, &by, id, RunningRuns::GoOn).await?;
            Ok(notice::lead(&back, "cancel"))
        }
        "cancel-runs" => {
            command::cancel_environment(app, &by, id, RunningRuns::Interrupted).await?;
            Ok(notice::lead(&back, "cancel-runs"))
        }
        "delete" => {
            command::delete_environment(app, &by, id, Removal::Complete).await?;
            let all = format!("{}/environments", paths::organization(row.organization_id));
            Ok(notice::lead(&all, "environment-deleted"))
        }
        _ => Err(Error::NotFound("action").into()),
    }
}

//! Creates, changes and deletes workspaces.

use std::sync::Arc;

use entity::workspace;
use poem::http::StatusCode;
use poem::{Body, Request, Response};

use super::caller::{SeenWorkspace, Visit};
use super::error::{Problem, Result};
use super::workspace_answer::shown;
use super::workspace_request::{WorkspaceRequest, renamed};
use crate::access::require_right;
use crate::app::App;
use crate::engine::workspace_definition::{MODES, WorkspaceDefinition, save_workspace_in};
use crate::engine::workspace_removal::{StateFate, remove};
use crate::error::Error;
use crate::store;

/// Creates a workspace.
pub(super) async fn create(app: &Arc<App>, request: &Request, organization: &str, body: Body) -> Result<Response> {
    let visit = Visit::of(app, request).await?;
    let (organization, rights) = visit.organization(organization).await?;
    require_right(rights.workspaces)?;
    let wanted = WorkspaceRequest::read(request, body).await?;
    let tool = if visit.is_tofu() { "tofu" } else { "terraform" };
    let usual = organization.execution_mode.as_deref().filter(|mode| MODES.contains(mode)).unwrap_or("remote");
    let definition = wanted.new_definition(tool, usual)?;
    let save = async |definition: WorkspaceDefinition| {
        let made = (|_| definition.clone(), wanted.belonging.clone());
        save_workspace_in(app, &visit.requester(), organization.id, None, made).await
    };
    // A program sends its own version. Where the server has another patch of it, that one is used.
    let saved = match save(definition.clone()).await {
        Err(Error::Invalid { field, message }) if field == "terraformVersion" => match minor(&definition) {
            Some(definition) => save(definition).await.map_err(|_| Error::invalid(field, message)),
            None => Err(Error::invalid(field, message)),
        },
        saved => saved,
    };
    let id = saved.map_err(renamed)?;
    let row = store::row::by_id::<workspace::Model>(&app.db, id).await?.ok_or_else(|| Problem::missing("workspace"))?;
    shown(app, StatusCode::CREATED, &SeenWorkspace { organization, row, rights }).await
}

/// The same workspace with any patch of the version that it names, if it names one.
fn minor(definition: &WorkspaceDefinition) -> Option<WorkspaceDefinition> {
    let version = &definition.terraform_version;
    let is_plain = version.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let (minor, _) = version.rsplit_once('.').filter(|(minor, _)| is_plain && minor.contains('.'))?;
    Some(WorkspaceDefinition { terraform_version: format!("~> {minor}.0"), ..definition.clone() })
}

/// Changes a workspace.
pub(super) async fn update(visit: &Visit, seen: SeenWorkspace, request: &Request, body: Body) -> Result<Response> {
    require_right(seen.rights.workspaces)?;
    let wanted = WorkspaceRequest::read(request, body).await?;
    let SeenWorkspace { organization, row, rights } = seen;
    let (app, by) = (&visit.app, visit.requester());
    let change = (|old| wanted.definition(old), wanted.belonging.clone());
    let saved = save_workspace_in(app, &by, organization.id, Some(row.id), change).await;
    let id = saved.map_err(renamed)?;
    let row = store::row::by_id::<workspace::Model>(&app.db, id).await?.ok_or_else(|| Problem::missing("workspace"))?;
    shown(app, StatusCode::OK, &SeenWorkspace { organization, row, rights }).await
}

/// Deletes a workspace, unless its state describes something or a job of it runs.
pub(super) async fn delete(visit: &Visit, seen: &SeenWorkspace) -> Result<Response> {
    require_right(seen.rights.workspaces)?;
    remove(&visit.app, seen.row.id, StateFate::Deleted, &visit.requester()).await?;
    Ok(Response::builder().status(StatusCode::NO_CONTENT).finish())
}

#[cfg(test)]
mod tests {
    use super::minor;
    use crate::engine::workspace_definition::WorkspaceDefinition;

    #[test]
    fn any_patch_of_a_version() {
        let of = |version: &str| {
            let definition =
                WorkspaceDefinition { terraform_version: version.to_owned(), ..WorkspaceDefinition::default() };
            minor(&definition).map(|definition| definition.terraform_version)
        };
        assert_eq!(of("1.11.4").as_deref(), Some("~> 1.11.0"));
        for version in ["", "1", "1.11", "~> 1.11.4", ">= 1.5.0", "1.12.0-beta1"] {
            assert_eq!(of(version), None, "{version}");
        }
    }
}

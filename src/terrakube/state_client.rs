//! Authenticates clients of the state backend: a running step, or a caller who manages states.

use std::sync::Arc;

use entity::id::{OrganizationId, WorkspaceId};
use entity::{workspace, workspace_step};
use poem::Request;
use poem::http::{StatusCode, header};
use uuid::Uuid;

use super::error::{Problem, Result};
use super::request::{basic_credentials, check_address};
use super::session::Session;
use crate::app::App;
use crate::engine::requester::Requester;
use crate::engine::workspace::STATE_USER;
use crate::error::Error;
use crate::secret::TokenHash;
use crate::store;

/// A client of the state backend.
pub(super) struct StateClient {
    pub(super) workspace: workspace::Model,
    /// The step, if the client is one.
    pub(super) step: Option<workspace_step::Model>,
    pub(super) name: String,
    /// In the form that events record, unless the client is a step.
    pub(super) requester: Option<Requester>,
}

impl StateClient {
    /// Rejects a step that may only read and lock the state.
    pub(super) fn require_writer(&self) -> Result<()> {
        match &self.step {
            Some(step) if step.writes_state == Some(false) => {
                Err(Problem::new(StatusCode::FORBIDDEN, "this step may read the state, but not write it"))
            }
            Some(_) | None => Ok(()),
        }
    }
}

/// Authenticates a step of the workspace, or a caller who manages its states.
pub(super) async fn state_client(
    app: &Arc<App>,
    request: &Request,
    (organization, id): (Uuid, Uuid),
) -> Result<StateClient> {
    let (organization, id) = (OrganizationId(organization), WorkspaceId(id));
    // Programs take a 404 for an empty state, and would create everything again.
    let hidden = || {
        let text =
            format!("StatePermission Denied: the workspace {id} does not exist, or its state is not yours to read");
        Problem::new(StatusCode::FORBIDDEN, text)
    };
    let credentials = basic_credentials(request);
    let agent = request.headers().get(header::USER_AGENT).and_then(|value| value.to_str().ok());
    let (name, step, requester, allowed) = match &credentials {
        Some((user, password)) if user == STATE_USER => {
            let hash = TokenHash::of(password).stored();
            let step = store::workspace::step_by_token(&app.db, &hash).await?;
            let step = step.ok_or(Error::Unauthenticated("the credential of the step is no longer valid"))?;
            let allowed = step.workspace_id == id;
            (format!("job {}", step.job_id), Some(step), None, allowed)
        }
        given => {
            let session = match given {
                Some((_, password)) => {
                    let caller = app.authenticator.caller(Some(&format!("Bearer {password}")), agent).await?;
                    Session::with(app, caller).await?
                }
                None => Session::of(app, request).await?,
            };
            let rights = session.reach.in_workspace(organization, id);
            if rights.view && !rights.states {
                return Err(Problem::denied("StatePermission"));
            }
            (session.caller.name().to_owned(), None, Some(session.requester()), rights.states)
        }
    };
    check_address(request)?;
    let workspace = store::row::by_id::<workspace::Model>(&app.db, id).await?;
    // A step that runs while its workspace is hidden stores what it has done: nothing else knows it.
    let is_shown = |row: &workspace::Model| !row.deleted || step.is_some();
    let workspace = workspace.filter(|row| allowed && row.organization_id == organization && is_shown(row));
    Ok(StateClient { workspace: workspace.ok_or_else(hidden)?, step, name, requester })
}

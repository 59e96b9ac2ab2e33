//! A request about the state of a workspace: of a caller, or of a step of the workspace with its own credential, which reaches nothing else.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use entity::deployment::Origin;
use entity::id::WorkspaceStepId;
use entity::{organization, workspace, workspace_step};
use poem::Request;
use poem::http::header;

use super::caller::{SeenWorkspace, Visit};
use super::error::{Problem, Result};
use crate::access::reach::Rights;
use crate::access::{self, principal};
use crate::app::App;
use crate::engine::requester::Requester;
use crate::error::Error;
use crate::input::stored_text;
use crate::secret::TokenHash;
use crate::store;
use crate::store::workspace::StateLine;

/// A request about the state of a workspace.
pub(super) struct StateVisit {
    pub(super) app: Arc<App>,
    /// The time of the request.
    pub(super) now: DateTime<Utc>,
    /// The address of the server as the client sees it, without a trailing slash.
    pub(super) base: String,
    pub(super) client: Client,
}

/// Who sent a request.
pub(super) enum Client {
    Caller(Box<Visit>),
    Step(Box<workspace_step::Model>),
}

/// The step whose credential a request has, if it has that of one.
pub(super) async fn step_of(app: &App, request: &Request) -> Result<Option<workspace_step::Model>> {
    let token = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    match token.and_then(|value| value.strip_prefix("Bearer ")).filter(|token| !token.is_empty()) {
        None => Ok(None),
        Some(token) => Ok(store::workspace::step_by_token(&app.db, &TokenHash::of(token).stored()).await?),
    }
}

/// The address at which a step reaches the server: the one for steps, the public one, or its own, whichever has the host of the request.
fn base_of_step(app: &App, request: &Request) -> String {
    let host = request.headers().get(header::HOST).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let known = app.config.step_url.iter().chain(&app.config.public_url);
    let is_here = |url: &&String| {
        let authority = url.split_once("://").map(|(_, rest)| rest.split('/').next().unwrap_or_default());
        authority.is_some_and(|authority| authority.eq_ignore_ascii_case(host))
    };
    match known.into_iter().find(is_here) {
        Some(url) => url.trim_end_matches('/').to_owned(),
        None => format!("{}://{host}", app.config.scheme()),
    }
}

impl StateVisit {
    /// Authenticates the sender of a request.
    pub(super) async fn of(app: &Arc<App>, request: &Request) -> Result<Self> {
        let (base, client) = match step_of(app, request).await? {
            Some(step) => {
                stored_text::check_address(request.uri().path(), request.uri().query())?;
                (base_of_step(app, request), Client::Step(Box::new(step)))
            }
            None => {
                let visit = Visit::of(app, request).await?;
                (visit.base.clone(), Client::Caller(Box::new(visit)))
            }
        };
        Ok(Self { app: Arc::clone(app), now: app.clock.now(), base, client })
    }

    /// An organization by its name or its id.
    pub(super) async fn organization(&self, name: &str) -> Result<organization::Model> {
        match &self.client {
            Client::Caller(visit) => Ok(visit.organization(name).await?.0),
            Client::Step(step) => {
                let row = access::shown_organization(&self.app.db, step.organization_id).await?;
                let is_named = row.name == name || row.id.to_string() == name;
                if is_named { Ok(row) } else { Err(Problem::missing("organization")) }
            }
        }
    }

    /// A workspace by its id.
    pub(super) async fn workspace(&self, id: &str) -> Result<SeenWorkspace> {
        match &self.client {
            Client::Caller(visit) => visit.workspace(id).await,
            Client::Step(step) if step.workspace_id.to_string() == id => self.workspace_of(step).await,
            Client::Step(_) => Err(Problem::missing("workspace")),
        }
    }

    /// A workspace by its name in an organization. A step gets its own one, which may have another name since its plan was made.
    pub(super) async fn named_workspace(&self, organization: &str, name: &str) -> Result<SeenWorkspace> {
        match &self.client {
            Client::Caller(visit) => visit.named_workspace(organization, name).await,
            Client::Step(step) => {
                self.organization(organization).await?;
                self.workspace_of(step).await
            }
        }
    }

    /// The workspace of a step, also a hidden one: nothing else knows what the step has done. The tool of the step is the right one,
    /// and carries out its operations itself.
    async fn workspace_of(&self, step: &workspace_step::Model) -> Result<SeenWorkspace> {
        let row = store::row::by_id::<workspace::Model>(&self.app.db, step.workspace_id).await?;
        let row = row.ok_or_else(|| Problem::missing("workspace"))?;
        let organization = access::shown_organization(&self.app.db, row.organization_id).await?;
        let row = workspace::Model { terraform_version: String::new(), execution_mode: "local".to_owned(), ..row };
        Ok(SeenWorkspace { organization, row, rights: Rights { states: true, ..Rights::default() } })
    }

    /// A version of a state that the client may read.
    pub(super) async fn version(&self, id: &str) -> Result<StateLine> {
        let missing = || Problem::missing("state version");
        let id = id.parse().map_err(|_| missing())?;
        let line = store::workspace::state_line(&self.app.db, id).await?.ok_or_else(missing)?;
        match &self.client {
            Client::Step(step) if step.workspace_id == line.workspace_id => {}
            Client::Step(_) => return Err(missing()),
            Client::Caller(visit) => match access::workspace(&self.app.db, &visit.caller, line.workspace_id).await {
                Ok((_, rights)) => access::require_right(rights.states)?,
                Err(Error::NotFound(_)) => return Err(missing()),
                Err(error) => return Err(error.into()),
            },
        }
        Ok(line)
    }

    /// The step that sent the request, and its job.
    pub(super) fn step(&self) -> Option<(WorkspaceStepId, i32)> {
        match &self.client {
            Client::Step(step) => Some((step.id, step.job_id)),
            Client::Caller(_) => None,
        }
    }

    /// In the form in which rights are stored; a step has those of its credential only.
    pub(super) fn principal(&self) -> String {
        match &self.client {
            Client::Caller(visit) => principal::stored(&visit.caller),
            Client::Step(_) => String::new(),
        }
    }

    /// Who holds a lock that the client takes.
    pub(super) fn holder(&self) -> String {
        match &self.client {
            Client::Caller(visit) => visit.holder(),
            Client::Step(step) => format!("step {}", step.id),
        }
    }

    /// As others read who holds a lock.
    pub(super) fn author(&self) -> String {
        match &self.client {
            Client::Caller(visit) => visit.author().to_owned(),
            Client::Step(step) => format!("job {}", step.job_id),
        }
    }

    /// In the form that events record.
    pub(super) fn requester(&self) -> Requester {
        match &self.client {
            Client::Caller(visit) => visit.requester(),
            Client::Step(_) => Requester { name: self.name(), email: None, origin: Origin::Api, user_agent: None },
        }
    }

    /// As others read who stored a state.
    pub(super) fn name(&self) -> String {
        match &self.client {
            Client::Caller(visit) => visit.caller.name().to_owned(),
            Client::Step(step) => format!("job {}", step.job_id),
        }
    }

    /// Rejects a step that may only read and lock the state.
    pub(super) fn require_writer(&self) -> Result<()> {
        match &self.client {
            Client::Step(step) => require_writing(step),
            Client::Caller(_) => Ok(()),
        }
    }
}

/// Rejects a step that may only read and lock the state.
pub(super) fn require_writing(step: &workspace_step::Model) -> Result<()> {
    if step.writes_state == Some(false) {
        return Err(Error::Forbidden("this step may read the state, but not write it").into());
    }
    Ok(())
}

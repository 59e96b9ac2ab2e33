//! One request: the caller, the address under which they reach the server, and the rows that they may see.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use entity::id::WorkspaceId;
use entity::{organization, workspace};
use poem::Request;
use poem::http::header;

use super::error::{Problem, Result};
use crate::access::principal;
use crate::access::reach::Rights;
use crate::access::{self, Caller};
use crate::app::App;
use crate::engine::requester::Requester;
use crate::input::stored_text;

/// A request of an authenticated caller.
pub(super) struct Visit {
    pub(super) app: Arc<App>,
    pub(super) caller: Caller,
    /// The time of the request.
    pub(super) now: DateTime<Utc>,
    /// The address of the server as the client sees it, without a trailing slash.
    pub(super) base: String,
}

/// A workspace that the caller sees.
pub(super) struct SeenWorkspace {
    pub(super) organization: organization::Model,
    pub(super) row: workspace::Model,
    pub(super) rights: Rights,
}

/// The address of the server as the sender of a request sees it, without a trailing slash.
pub(super) fn base(app: &App, request: &Request) -> String {
    let host = request.headers().get(header::HOST).and_then(|value| value.to_str().ok());
    match (&app.config.public_url, host) {
        (None, Some(host)) if app.config.behind_tls_proxy => format!("https://{host}"),
        (None, Some(host)) => format!("{}://{host}", app.config.scheme()),
        _ => app.public_url(),
    }
}

impl Visit {
    /// Authenticates the caller of a request.
    pub(super) async fn of(app: &Arc<App>, request: &Request) -> Result<Self> {
        let text = |name| request.headers().get(name).and_then(|value| value.to_str().ok());
        let caller = app.authenticator.caller(text(header::AUTHORIZATION), text(header::USER_AGENT)).await?;
        stored_text::check_address(request.uri().path(), request.uri().query())?;
        Ok(Self { app: Arc::clone(app), caller, now: app.clock.now(), base: base(app, request) })
    }

    /// Who creates and changes rows: the email address of a person, the name of a token or a group.
    pub(super) fn author(&self) -> &str {
        self.caller.email().unwrap_or(self.caller.name())
    }

    /// Who holds a lock that the caller takes: a person with any of their credentials, or a token.
    pub(super) fn holder(&self) -> String {
        principal::holder(&self.caller)
    }

    /// In the form that events record.
    pub(super) fn requester(&self) -> Requester {
        Requester {
            name: self.caller.name().to_owned(),
            email: self.caller.email().map(str::to_owned),
            origin: self.caller.origin,
            user_agent: self.caller.user_agent.clone(),
        }
    }

    /// Whether the caller uses OpenTofu.
    pub(super) fn is_tofu(&self) -> bool {
        self.caller.user_agent.as_deref().is_some_and(|agent| agent.starts_with("OpenTofu/"))
    }

    /// An organization by its name or its id, with the rights of the caller in the whole of it.
    pub(super) async fn organization(&self, name: &str) -> Result<(organization::Model, Rights)> {
        Ok(access::named_organization(&self.app.db, &self.caller, name).await?)
    }

    /// A workspace by its id.
    pub(super) async fn workspace(&self, id: &str) -> Result<SeenWorkspace> {
        let id = id.parse().map(WorkspaceId).map_err(|_| Problem::missing("workspace"))?;
        let (row, rights) = access::workspace(&self.app.db, &self.caller, id).await?;
        let organization = access::shown_organization(&self.app.db, row.organization_id).await?;
        Ok(SeenWorkspace { organization, row, rights })
    }

    /// A workspace by its name in an organization.
    pub(super) async fn named_workspace(&self, organization: &str, name: &str) -> Result<SeenWorkspace> {
        let (organization, _) = self.organization(organization).await?;
        let (row, rights) = access::named_workspace(&self.app.db, &self.caller, organization.id, name).await?;
        Ok(SeenWorkspace { organization, row, rights })
    }
}

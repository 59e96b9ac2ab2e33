//! Stores a change and the event that records it in one transaction.

use chrono::{DateTime, Utc};
use entity::id::{EnvironmentId, EventId, OrganizationId, ProjectId};
use entity::{environment, event, project};
use sea_orm::DatabaseTransaction;
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use super::requester::Requester;
use crate::app::App;
use crate::error::{Error, Result};
use crate::store;

/// The official target of events about members, invitations and roles.
pub const MEMBERS_AND_ROLES: &str = "MEMBERS_AND_ROLES";

/// A change to record as an event. Kinds and targets use their official names.
#[derive(Clone)]
pub struct Change {
    kind: &'static str,
    target: &'static str,
    sub_target: Option<&'static str>,
    id: Uuid,
    name: String,
    project: Option<(ProjectId, Option<String>)>,
    environment: Option<(EnvironmentId, String)>,
    before: Option<Value>,
    after: Option<Value>,
}

impl Change {
    /// A change of a target, by the official names of both.
    #[must_use]
    pub fn new(kind: &'static str, target: &'static str, id: Uuid, name: &str) -> Self {
        Self {
            kind,
            target,
            sub_target: None,
            id,
            name: name.to_owned(),
            project: None,
            environment: None,
            before: None,
            after: None,
        }
    }

    /// A target that was created.
    #[must_use]
    pub fn create(target: &'static str, id: Uuid, name: &str) -> Self {
        Self::new("CREATE", target, id, name)
    }

    /// A target that was changed.
    #[must_use]
    pub fn update(target: &'static str, id: Uuid, name: &str) -> Self {
        Self::new("UPDATE", target, id, name)
    }

    /// A target that was deleted.
    #[must_use]
    pub fn delete(target: &'static str, id: Uuid, name: &str) -> Self {
        Self::new("DELETE", target, id, name)
    }

    /// The part of the target that changed.
    #[must_use]
    pub fn part(self, sub_target: &'static str) -> Self {
        Self { sub_target: Some(sub_target), ..self }
    }

    /// In this project.
    #[must_use]
    pub fn of_project(self, row: &project::Model) -> Self {
        Self { project: Some((row.id, Some(row.name.clone()))), ..self }
    }

    /// In this project, under the name that it has now, if it is given.
    #[must_use]
    pub fn in_project(self, id: Option<ProjectId>) -> Self {
        Self { project: id.map(|id| (id, None)), ..self }
    }

    /// In this environment.
    #[must_use]
    pub fn of_environment(self, row: &environment::Model) -> Self {
        let environment = Some((row.id, row.name.clone()));
        Self { project: Some((row.project_id, None)), environment, ..self }
    }

    /// The target before the change, as the API returns it, without secret values.
    #[must_use]
    pub fn before(self, shown: &impl Serialize) -> Self {
        Self { before: serde_json::to_value(shown).ok(), ..self }
    }

    /// The target after the change, as the API returns it, without secret values.
    #[must_use]
    pub fn after(self, shown: &impl Serialize) -> Self {
        Self { after: serde_json::to_value(shown).ok(), ..self }
    }
}

/// Runs `work` in a transaction and stores an event for the returned change.
///
/// # Errors
/// Those of `work`, and database errors.
pub async fn write<T>(
    app: &App,
    by: &Requester,
    organization: OrganizationId,
    work: impl AsyncFnOnce(&DatabaseTransaction) -> Result<(T, Change)> + Clone,
) -> Result<T> {
    store::write(&app.db, async |tx| {
        let (value, change) = work(tx).await?;
        record(app, by, organization, tx, change).await?;
        Ok::<_, Error>(value)
    })
    .await
}

/// Stores an event in the given transaction.
///
/// # Errors
/// When a statement fails.
pub async fn record(
    app: &App,
    by: &Requester,
    organization: OrganizationId,
    tx: &DatabaseTransaction,
    change: Change,
) -> Result<()> {
    record_at(by, organization, tx, change, app.clock.now()).await
}

/// The same, as of the time of the request.
///
/// # Errors
/// When a statement fails.
pub async fn record_at(
    by: &Requester,
    organization: OrganizationId,
    tx: &DatabaseTransaction,
    change: Change,
    now: DateTime<Utc>,
) -> Result<()> {
    let Change { kind, target, sub_target, id, name, project, environment, before, after } = change;
    let (project_id, project_name) = project.unzip();
    let names_project = project_id.is_none() || project_name.iter().flatten().next().is_some();
    let (environment_id, environment_name) = environment.unzip();
    let row = event::Model {
        id: EventId::create(),
        organization_id: organization,
        created_at: now,
        kind: kind.to_owned(),
        target: target.to_owned(),
        sub_target: sub_target.map(str::to_owned),
        target_id: Some(id),
        target_name: name,
        project_id,
        project_name: project_name.flatten(),
        environment_id,
        environment_name,
        before,
        after,
        origin: by.origin,
        triggered_by: by.name.clone(),
        user_agent: by.user_agent.clone(),
    };
    if names_project {
        store::event::create(tx, row).await?;
    } else {
        store::event::create_in_project(tx, row).await?;
    }
    Ok(())
}

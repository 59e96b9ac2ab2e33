//! What the first start creates: an organization, its API token and the cluster `local`.

use chrono::{DateTime, Utc};
use entity::api_token;
use entity::cluster::{self, ClusterKind};
use entity::id::{ClusterId, OrganizationId, TokenId};
use entity::member::Role;
use entity::organization;
use sea_orm::DatabaseTransaction;

use super::machine::{cores, memory_mib};
use crate::app::App;
use crate::engine::template;
use crate::error::{Error, Result};
use crate::secret::{self, Secret};
use crate::store;

/// The name of the cluster that is this machine.
pub(super) const LOCAL: &str = "local";

/// What the first start made.
#[derive(Debug)]
pub struct First {
    pub organization: organization::Model,
    /// Shown once.
    pub token: Secret<String>,
}

/// A row for the cluster that is this machine, as large as the machine is.
#[must_use]
pub fn local_cluster(organization_id: OrganizationId, now: DateTime<Utc>) -> cluster::Model {
    cluster::Model {
        id: ClusterId::create(),
        organization_id,
        created_at: now,
        updated_at: now,
        name: LOCAL.into(),
        description: Some("the machine that the server runs on".into()),
        region: LOCAL.into(),
        kind: ClusterKind::Local,
        is_default: true,
        maximum_cpu_milli: cores().saturating_mul(1000),
        maximum_memory_mib: memory_mib(),
        kubeconfig: None,
        production: false,
        settings: None,
    }
}

/// A row for a new token, and the token itself.
///
/// # Errors
/// When the operating system has no random bytes.
pub fn token(
    organization_id: OrganizationId,
    name: &str,
    role: Role,
    now: DateTime<Utc>,
) -> Result<(api_token::Model, Secret<String>)> {
    let token = secret::new_token()?;
    let row = api_token::Model {
        id: TokenId::create(),
        organization_id,
        created_at: now,
        updated_at: now,
        name: name.to_owned(),
        description: None,
        role,
        custom_role_id: None,
        hash: secret::TokenHash::of(token.expose()).stored(),
    };
    Ok((row, token))
}

/// Gives an organization the templates that every one begins with, unless it has templates or workspaces already.
///
/// # Errors
/// The database's.
pub async fn templates(tx: &DatabaseTransaction, organization: OrganizationId, now: DateTime<Utc>) -> Result<()> {
    if store::workspace::has_content(tx, organization).await? {
        return Ok(());
    }
    for one in template::DEFAULTS {
        let row = entity::template::Model {
            id: entity::id::TemplateId::create(),
            organization_id: organization,
            created_at: now,
            updated_at: now,
            created_by: "windlass".into(),
            updated_by: "windlass".into(),
            name: one.name.into(),
            description: Some(one.description.into()),
            version: Some("1.0.0".into()),
            tcl: one.stored(),
        };
        store::row::create(tx, row).await?;
    }
    Ok(())
}

/// Gives all organizations the templates that every one begins with: older versions knew of none.
///
/// # Errors
/// The database's.
pub async fn furnish(app: &App) -> Result<()> {
    let now = app.clock.now();
    store::write(&app.db, async |tx| {
        store::lock_installation(tx).await?;
        for organization in store::organization::list(tx).await? {
            templates(tx, organization.id, now).await?;
        }
        Ok(())
    })
    .await
}

/// Creates the first organization with a token; none when there is an organization already.
///
/// # Errors
/// The database's.
pub async fn first(app: &App) -> Result<Option<First>> {
    let now = app.clock.now();
    let (name, rows) = ("windlass", organization::Model::new("windlass", now));
    let local = local_cluster(rows.id, now);
    let (token_row, token) = token(rows.id, "first", Role::Admin, now)?;
    store::write(&app.db, async |tx| {
        store::lock_installation(tx).await?;
        if !store::organization::list(tx).await?.is_empty() {
            return Ok::<_, Error>(None);
        }
        tracing::info!(name, "creating the first organization");
        let organization = store::organization::create(tx, rows).await?;
        store::cluster::create(tx, local).await?;
        store::token::create(tx, token_row).await?;
        templates(tx, organization.id, now).await?;
        Ok(Some(First { organization, token }))
    })
    .await
}

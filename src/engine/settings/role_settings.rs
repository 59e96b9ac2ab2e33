//! Creates, changes and deletes custom roles.

use entity::custom_role::{ClusterGrants, Model, ProjectGrants};
use entity::environment::Mode;
use entity::id::{CustomRoleId, OrganizationId};
use entity::{cluster, project};
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};

use crate::app::App;
use crate::engine::assigned_role::BUILT_IN;
use crate::engine::audit::{self, Change, MEMBERS_AND_ROLES};
use crate::engine::limits;
use crate::engine::requester::Requester;
use crate::error::{Error, Result};
use crate::store;

const TAKEN: &str = "this organization already has a custom role with this name";

const IN_USE: &str = "members, tokens or invitations have this role; assign them another one first";

/// The maximum number of custom roles in an organization.
const MAX_CUSTOM_ROLES: usize = 100;

/// The modes of environments, in the order of the API.
pub const MODES: [Mode; 4] = [Mode::Development, Mode::Preview, Mode::Staging, Mode::Production];

/// The clusters and projects of an organization. A custom role has a permission for each of them.
pub struct Places {
    pub clusters: Vec<cluster::Model>,
    pub projects: Vec<project::Model>,
}

impl Places {
    /// Those of an organization.
    ///
    /// # Errors
    /// Database errors.
    pub async fn load(db: &impl ConnectionTrait, id: OrganizationId) -> Result<Self> {
        let clusters = store::cluster::list_by_organization(db, id).await?;
        Ok(Self { clusters, projects: store::project::list_by_organization(db, id).await? })
    }

    /// A role with its complete matrix as events record it: under the names of the official API.
    fn recorded(&self, row: &Model) -> Value {
        let on_cluster = |cluster: &cluster::Model| {
            let permission = row.clusters.0.get(&cluster.id).copied().unwrap_or_default();
            json!({"cluster_id": cluster.id, "cluster_name": cluster.name, "permission": permission})
        };
        let in_project = |project: &project::Model| {
            let stored = row.projects.0.get(&project.id).cloned().unwrap_or_default();
            let in_mode = |mode: Mode| {
                let permission = stored.modes.get(&mode).copied().unwrap_or_default();
                json!({"environment_type": mode, "permission": permission})
            };
            json!({
                "project_id": project.id, "project_name": project.name, "is_admin": stored.is_admin,
                "permissions": MODES.map(in_mode),
            })
        };
        json!({
            "id": row.id, "name": row.name, "description": row.description,
            "cluster_permissions": self.clusters.iter().map(on_cluster).collect::<Vec<_>>(),
            "project_permissions": self.projects.iter().map(in_project).collect::<Vec<_>>(),
        })
    }
}

/// Validates a name. The names of built-in roles are reserved, ignoring case.
fn checked_name(text: &str) -> Result<String> {
    let name = limits::name("name", text)?;
    if BUILT_IN.iter().any(|(_, built_in, _)| *built_in == name.to_lowercase()) {
        return Err(Error::invalid("name", "must not be the name of a built-in role"));
    }
    Ok(name)
}

fn change(kind: &'static str, row: &Model) -> Change {
    Change::new(kind, MEMBERS_AND_ROLES, row.id.0, &row.name).part("CUSTOM_ROLE")
}

/// Creates a role, with these permissions.
///
/// # Errors
/// `Invalid`, which names the field; `Conflict` if the name is taken, or there are too many; database errors.
pub async fn create(
    app: &App,
    by: &Requester,
    id: OrganizationId,
    (name, description): (&str, Option<String>),
    (clusters, projects): (ClusterGrants, ProjectGrants),
) -> Result<Model> {
    let name = checked_name(name)?;
    let now = app.clock.now();
    let row = Model {
        id: CustomRoleId::create(),
        organization_id: id,
        created_at: now,
        updated_at: now,
        name_key: entity::name_key(&name),
        name,
        description: limits::text("description", description.unwrap_or_default())?,
        clusters,
        projects,
    };
    audit::write(app, by, id, async |tx| {
        if store::custom_role::list(tx, id).await?.len() >= MAX_CUSTOM_ROLES {
            return Err(Error::Conflict(format!("an organization can have at most {MAX_CUSTOM_ROLES} custom roles")));
        }
        let row = store::row::create(tx, row).await.map_err(|error| Error::or_taken(error, TAKEN))?;
        let change = change("CREATE", &row).after(&Places::load(tx, id).await?.recorded(&row));
        Ok((row, change))
    })
    .await
}

/// Changes a role, with all of its permissions.
///
/// # Errors
/// `Invalid`, which names the field; `Conflict` if the name is taken; database errors.
pub async fn edit(
    app: &App,
    by: &Requester,
    row: Model,
    (name, description): (&str, Option<String>),
    (clusters, projects): (ClusterGrants, ProjectGrants),
) -> Result<Model> {
    let places = Places::load(&app.db, row.organization_id).await?;
    let name = checked_name(name)?;
    let description = description.map(|text| limits::text("description", text)).transpose()?;
    let now = app.clock.now();
    let row = audit::write(app, by, row.organization_id, async |tx| {
        let edit = |stored: Model| {
            Ok(Model {
                name_key: entity::name_key(&name),
                name,
                description: description.unwrap_or(stored.description),
                clusters,
                projects,
                updated_at: now,
                ..stored
            })
        };
        let changed = store::row::change(tx, row.id, edit, |error| Error::or_taken(error, TAKEN)).await?;
        let (before, row) = changed.ok_or(Error::NotFound("custom role"))?;
        let change = change("UPDATE", &row).before(&places.recorded(&before)).after(&places.recorded(&row));
        Ok((row, change))
    })
    .await?;
    app.rights_changed();
    Ok(row)
}

/// Deletes a role.
///
/// # Errors
/// `Conflict` while somebody has it; database errors.
pub async fn delete(app: &App, by: &Requester, row: Model) -> Result<()> {
    audit::write(app, by, row.organization_id, async |tx| {
        store::row::delete::<Model>(tx, row.id).await.map_err(|error| Error::or_in_use(error, IN_USE))?;
        Ok(((), change("DELETE", &row)))
    })
    .await
}

//! Memberships as grants, and the groups of a person.

use std::sync::Arc;

use entity::id::{CustomRoleId, OrganizationId};
use entity::member::Role;
use entity::{api_token, person};
use sea_orm::{ConnectionTrait, DbErr};

use super::role::{CustomPermissions, Grant};
use crate::store;

/// The grants of memberships. A deleted custom role grants nothing.
pub(super) async fn grants(
    db: &impl ConnectionTrait,
    rows: Vec<(OrganizationId, Role, Option<CustomRoleId>)>,
) -> Result<Vec<(OrganizationId, Grant)>, DbErr> {
    let ids: Vec<_> = rows.iter().filter_map(|(_, _, custom)| *custom).collect();
    let roles = if ids.is_empty() { Vec::new() } else { store::custom_role::by_ids(db, ids).await? };
    let grant = |role: Role, custom: Option<CustomRoleId>| {
        let found = roles.iter().find(|row| Some(row.id) == custom);
        found.map_or(Grant::Fixed(role), |row| {
            Grant::Custom(Arc::new(CustomPermissions {
                clusters: row.clusters.clone(),
                projects: row.projects.clone(),
            }))
        })
    };
    Ok(rows.into_iter().map(|(organization, role, custom)| (organization, grant(role, custom))).collect())
}

/// The memberships of an API token. In its own organization it has its own role, and elsewhere those of the person behind it.
pub(super) async fn grants_of_token(
    db: &impl ConnectionTrait,
    row: &api_token::Model,
) -> Result<Vec<(OrganizationId, Grant)>, DbErr> {
    let mut rows = vec![(row.organization_id, row.role, row.custom_role_id)];
    if let Some(person) = row.person_id {
        let others = store::person::list_memberships(db, person).await?;
        rows.extend(others.into_iter().filter(|(of, _, _)| *of != row.organization_id));
    }
    grants(db, rows).await
}

/// The groups of a person without a JWT: those of their last one. `kept` are the groups that were stored with a token, for a person
/// who was last seen by an earlier release.
pub(super) fn groups_of(person: &person::Model, kept: &serde_json::Value) -> Vec<String> {
    let groups = person.groups.as_ref().unwrap_or(kept);
    serde_json::from_value(groups.clone()).unwrap_or_default()
}

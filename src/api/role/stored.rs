//! Roles as they are stored, and the fixed ones, which have no row of their own.

use entity::custom_role::Model;
use entity::id::{CustomRoleId, OrganizationId};
use entity::member::Role;
use sea_orm::ConnectionTrait;
use uuid::Uuid;

use crate::error::{Error, Result};
use crate::store;

/// The roles that have no row of their own, with their names and ids.
pub(super) const FIXED: [(Role, &str, Uuid); 5] = [
    (Role::Owner, "owner", Uuid::from_u128(0x0000_0000_0000_4000_8000_0000_0000_0001)),
    (Role::Admin, "admin", Uuid::from_u128(0x0000_0000_0000_4000_8000_0000_0000_0002)),
    (Role::Devops, "devops", Uuid::from_u128(0x0000_0000_0000_4000_8000_0000_0000_0003)),
    (Role::Billing, "billing", Uuid::from_u128(0x0000_0000_0000_4000_8000_0000_0000_0004)),
    (Role::Viewer, "viewer", Uuid::from_u128(0x0000_0000_0000_4000_8000_0000_0000_0005)),
];

/// A role as it is stored: a fixed one, or a custom one by its row.
pub(in crate::api) type Stored = (Role, Option<CustomRoleId>);

/// The role that an id of a request stands for; the owner's is not given so.
pub(in crate::api) async fn by_id(
    db: &impl ConnectionTrait,
    field: &str,
    organization: OrganizationId,
    id: Uuid,
) -> Result<Stored> {
    if let Some((role, _, _)) = FIXED.iter().find(|(role, _, known)| *known == id && *role != Role::Owner) {
        return Ok((*role, None));
    }
    let row = store::row::by_id::<Model>(db, CustomRoleId(id)).await?;
    let row = row.filter(|row| row.organization_id == organization);
    row.map(|row| (Role::Custom, Some(row.id))).ok_or_else(|| Error::invalid(field, "is not a role that can be given"))
}

/// The name and the id of a stored role, given the custom roles of its organization.
pub(in crate::api) fn named(role: Stored, custom: &[Model]) -> (String, Uuid) {
    if let Some(row) = custom.iter().find(|row| Some(row.id) == role.1) {
        return (row.name.clone(), row.id.0);
    }
    let fixed = FIXED.iter().find(|(known, _, _)| *known == role.0);
    fixed.map_or((String::new(), Uuid::nil()), |(_, name, id)| ((*name).to_owned(), *id))
}

//! Roles as they are stored. The built-in ones have no row.

use entity::custom_role::Model;
use entity::id::{CustomRoleId, OrganizationId};
use entity::member::Role;
use sea_orm::ConnectionTrait;
use uuid::Uuid;

use crate::error::{Error, Result};
use crate::store;

/// The built-in roles, with their names and IDs.
pub const BUILT_IN: [(Role, &str, Uuid); 5] = [
    (Role::Owner, "owner", Uuid::from_u128(0x0000_0000_0000_4000_8000_0000_0000_0001)),
    (Role::Admin, "admin", Uuid::from_u128(0x0000_0000_0000_4000_8000_0000_0000_0002)),
    (Role::Devops, "devops", Uuid::from_u128(0x0000_0000_0000_4000_8000_0000_0000_0003)),
    (Role::Billing, "billing", Uuid::from_u128(0x0000_0000_0000_4000_8000_0000_0000_0004)),
    (Role::Viewer, "viewer", Uuid::from_u128(0x0000_0000_0000_4000_8000_0000_0000_0005)),
];

/// A stored role: a built-in one, or `Role::Custom` with the ID of its row.
pub type StoredRole = (Role, Option<CustomRoleId>);

/// The role that a request assigns by its ID. The owner's role can only be transferred.
///
/// # Errors
/// `Invalid`, which names the field, for the ID of no such role; or a database error.
pub async fn assignable(
    db: &impl ConnectionTrait,
    field: &str,
    organization: OrganizationId,
    id: Uuid,
) -> Result<StoredRole> {
    if let Some((role, _, _)) = BUILT_IN.iter().find(|(role, _, known)| *known == id && *role != Role::Owner) {
        return Ok((*role, None));
    }
    let row = store::row::by_id::<Model>(db, CustomRoleId(id)).await?;
    let row = row.filter(|row| row.organization_id == organization);
    row.map(|row| (Role::Custom, Some(row.id)))
        .ok_or_else(|| Error::invalid(field, "is not a role that can be assigned"))
}

/// The name and ID of a stored role. `custom` contains the custom roles of its organization.
#[must_use]
pub fn name_and_id(role: StoredRole, custom: &[Model]) -> (String, Uuid) {
    if let Some(row) = custom.iter().find(|row| Some(row.id) == role.1) {
        return (row.name.clone(), row.id.0);
    }
    let built_in = BUILT_IN.iter().find(|(known, _, _)| *known == role.0);
    built_in.map_or((String::new(), Uuid::nil()), |(_, name, id)| ((*name).to_owned(), *id))
}

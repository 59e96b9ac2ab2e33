//! Templates of workspace jobs.

use entity::id::OrganizationId;
use entity::template;
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, QueryFilter};

/// The template with this id in an organization.
///
/// # Errors
/// When the query fails.
pub async fn template(
    db: &impl ConnectionTrait,
    organization: OrganizationId,
    id: entity::id::TemplateId,
) -> Result<Option<template::Model>, DbErr> {
    let row = template::Entity::find_by_id(id).one(db).await?;
    Ok(row.filter(|row| row.organization_id == organization))
}

/// The template with this name in an organization.
///
/// # Errors
/// When the query fails.
pub async fn template_by_name(
    db: &impl ConnectionTrait,
    organization: OrganizationId,
    name: &str,
) -> Result<Option<template::Model>, DbErr> {
    let of =
        Condition::all().add(template::Column::OrganizationId.eq(organization)).add(template::Column::Name.eq(name));
    template::Entity::find().filter(of).one(db).await
}

//! Templates of workspace jobs.

use entity::id::OrganizationId;
use entity::template;
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::store::page::PAGE;

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

/// The templates of an organization, by name.
///
/// # Errors
/// When the query fails.
pub async fn list_templates(db: &impl ConnectionTrait, id: OrganizationId) -> Result<Vec<template::Model>, DbErr> {
    let of = template::Entity::find().filter(template::Column::OrganizationId.eq(id));
    of.order_by_asc(template::Column::Name).limit(PAGE).all(db).await
}

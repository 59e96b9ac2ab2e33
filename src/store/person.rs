//! People and their memberships.

use chrono::{DateTime, Utc};
use entity::id::{OrganizationId, PersonId};
use entity::member::Role;
use entity::{member, person};
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel, QueryFilter, QuerySelect,
};

use super::PAGE;

/// The person with this issuer and subject.
///
/// # Errors
/// When the query fails.
pub async fn by_subject(
    db: &impl ConnectionTrait,
    issuer: &str,
    subject: &str,
) -> Result<Option<person::Model>, DbErr> {
    person::Entity::find()
        .filter(person::Column::Issuer.eq(issuer))
        .filter(person::Column::Subject.eq(subject))
        .one(db)
        .await
}

/// Stores a person unless somebody else was first, and returns the one that is stored.
///
/// # Errors
/// When a statement fails.
pub async fn create(db: &impl ConnectionTrait, row: person::Model) -> Result<person::Model, DbErr> {
    let conflict = OnConflict::columns([person::Column::Issuer, person::Column::Subject]).do_nothing().to_owned();
    person::Entity::insert(row.clone().into_active_model().reset_all())
        .on_conflict(conflict)
        .exec_without_returning(db)
        .await?;
    Ok(by_subject(db, &row.issuer, &row.subject).await?.unwrap_or(row))
}

/// The organizations of a person, with the role in each.
///
/// # Errors
/// When the query fails.
pub async fn list_memberships(
    db: &impl ConnectionTrait,
    person: PersonId,
) -> Result<Vec<(OrganizationId, Role)>, DbErr> {
    let rows = member::Entity::find().filter(member::Column::PersonId.eq(person)).limit(PAGE).all(db).await?;
    Ok(rows.into_iter().map(|row| (row.organization_id, row.role)).collect())
}

/// Makes a person a member.
///
/// # Errors
/// A broken unique key when they are one already.
pub async fn add_member(
    db: &impl ConnectionTrait,
    organization_id: OrganizationId,
    person_id: PersonId,
    role: Role,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let row = member::Model { organization_id, person_id, created_at: now, role };
    member::Entity::insert(row.into_active_model().reset_all()).exec_without_returning(db).await?;
    Ok(())
}

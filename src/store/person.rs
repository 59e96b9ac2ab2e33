//! People and their memberships.

use chrono::{DateTime, Utc};
use entity::id::{CustomRoleId, OrganizationId, PersonId};
use entity::member::Role;
use entity::{member, person};
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{
    ActiveModelTrait, ActiveValue, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel, QueryFilter,
    QueryOrder, QuerySelect,
};

use super::page::PAGE;

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

/// Stores a person unless they are already stored, and returns the stored row.
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

/// What a JWT states of its person; none is what it does not state.
pub struct Stated {
    pub email: Option<String>,
    pub name: Option<String>,
    pub groups: Option<serde_json::Value>,
}

impl Stated {
    /// Whether it differs from what is stored. What it does not state does not.
    #[must_use]
    pub fn differs_from(&self, row: &person::Model) -> bool {
        fn differs<T: PartialEq>(stated: &Option<T>, stored: &Option<T>) -> bool {
            stated.is_some() && stated != stored
        }
        differs(&self.email, &row.email) || differs(&self.name, &row.name) || differs(&self.groups, &row.groups)
    }
}

/// Stores what the last JWT of a person states; at least one thing.
///
/// # Errors
/// When the statement fails.
pub async fn set_stated(db: &impl ConnectionTrait, id: PersonId, stated: &Stated) -> Result<(), DbErr> {
    let Stated { email, name, groups } = stated;
    let row = person::ActiveModel {
        email: email.clone().map_or(ActiveValue::NotSet, |email| ActiveValue::Set(Some(email))),
        name: name.clone().map_or(ActiveValue::NotSet, |name| ActiveValue::Set(Some(name))),
        groups: groups.clone().map_or(ActiveValue::NotSet, |groups| ActiveValue::Set(Some(groups))),
        ..Default::default()
    };
    person::Entity::update_many().set(row).filter(person::Column::Id.eq(id)).exec(db).await?;
    Ok(())
}

/// The organizations of a person, with the role in each.
///
/// # Errors
/// When the query fails.
pub async fn list_memberships(
    db: &impl ConnectionTrait,
    person: PersonId,
) -> Result<Vec<(OrganizationId, Role, Option<CustomRoleId>)>, DbErr> {
    let rows = member::Entity::find().filter(member::Column::PersonId.eq(person)).limit(PAGE).all(db).await?;
    Ok(rows.into_iter().map(|row| (row.organization_id, row.role, row.custom_role_id)).collect())
}

/// Makes a person a member.
///
/// # Errors
/// A unique violation when the person is already a member.
pub async fn add_member(
    db: &impl ConnectionTrait,
    organization_id: OrganizationId,
    person_id: PersonId,
    role: (Role, Option<CustomRoleId>),
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let (role, custom_role_id) = role;
    let row = member::Model { organization_id, person_id, created_at: now, role, custom_role_id };
    member::Entity::insert(row.into_active_model().reset_all()).exec_without_returning(db).await?;
    Ok(())
}

/// The members of an organization, in the order in which they joined.
///
/// # Errors
/// When the query fails.
pub async fn list_members(
    db: &impl ConnectionTrait,
    organization: OrganizationId,
) -> Result<Vec<(member::Model, person::Model)>, DbErr> {
    let members = member::Entity::find()
        .filter(member::Column::OrganizationId.eq(organization))
        .order_by_asc(member::Column::CreatedAt)
        .limit(PAGE)
        .all(db)
        .await?;
    let ids: Vec<PersonId> = members.iter().map(|row| row.person_id).collect();
    let people = person::Entity::find().filter(person::Column::Id.is_in(ids)).all(db).await?;
    let found = members.into_iter().filter_map(|member| {
        let person = people.iter().find(|person| person.id == member.person_id)?.clone();
        Some((member, person))
    });
    Ok(found.collect())
}

/// The owner of an organization, if it has one.
///
/// # Errors
/// When the query fails.
pub async fn owner(db: &impl ConnectionTrait, organization: OrganizationId) -> Result<Option<PersonId>, DbErr> {
    let found = member::Entity::find()
        .filter(member::Column::OrganizationId.eq(organization))
        .filter(member::Column::Role.eq(Role::Owner))
        .one(db)
        .await?;
    Ok(found.map(|row| row.person_id))
}

/// Changes the role of a member.
///
/// # Errors
/// When the statement fails.
pub async fn set_role(
    db: &impl ConnectionTrait,
    organization: OrganizationId,
    person: PersonId,
    role: (Role, Option<CustomRoleId>),
) -> Result<(), DbErr> {
    member::Entity::update_many()
        .col_expr(member::Column::Role, Expr::value(role.0))
        .col_expr(member::Column::CustomRoleId, Expr::value(role.1))
        .filter(member::Column::OrganizationId.eq(organization))
        .filter(member::Column::PersonId.eq(person))
        .exec(db)
        .await?;
    Ok(())
}

/// Ends a membership.
///
/// # Errors
/// When the statement fails.
pub async fn remove_member(
    db: &impl ConnectionTrait,
    organization: OrganizationId,
    person: PersonId,
) -> Result<(), DbErr> {
    member::Entity::delete_by_id((organization, person)).exec(db).await?;
    Ok(())
}

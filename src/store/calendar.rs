//! Calendars, and the jobs that name them.

use chrono::{DateTime, Utc};
use entity::calendar::{Column, Contents, Entity, Model};
use entity::id::{CalendarId, JobId, OrganizationId};
use entity::job;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::page::PAGE;

/// The calendars of an organization.
///
/// # Errors
/// When the query fails.
pub async fn list(db: &impl ConnectionTrait, organization: OrganizationId) -> Result<Vec<Model>, DbErr> {
    let of = Entity::find().filter(Column::OrganizationId.eq(organization));
    of.order_by_asc(Column::Id).limit(PAGE).all(db).await
}

/// The ids and names of the calendars of an organization.
///
/// # Errors
/// When the query fails.
pub async fn list_names(
    db: &impl ConnectionTrait,
    organization: OrganizationId,
) -> Result<Vec<(CalendarId, String)>, DbErr> {
    let of = Entity::find().filter(Column::OrganizationId.eq(organization));
    of.select_only().columns([Column::Id, Column::Name]).order_by_asc(Column::Id).into_tuple().all(db).await
}

/// The calendars whose file or address is to be read again.
///
/// # Errors
/// When the query fails.
pub async fn list_to_read(db: &impl ConnectionTrait, now: DateTime<Utc>, limit: u64) -> Result<Vec<CalendarId>, DbErr> {
    let due = Entity::find().select_only().column(Column::Id).filter(Column::ReadNextAt.lte(now));
    due.order_by_asc(Column::ReadNextAt).limit(limit).into_tuple().all(db).await
}

/// The calendars of the organizations of these jobs, and which job belongs to which organization.
///
/// # Errors
/// When a query fails.
pub async fn list_of_jobs(
    db: &impl ConnectionTrait,
    jobs: &[JobId],
) -> Result<(Vec<Contents>, Vec<(JobId, OrganizationId)>), DbErr> {
    let places: Vec<(JobId, OrganizationId)> = job::Entity::find()
        .select_only()
        .columns([job::Column::Id, job::Column::OrganizationId])
        .filter(job::Column::Id.is_in(jobs.iter().copied()))
        .into_tuple()
        .all(db)
        .await?;
    let mut organizations: Vec<OrganizationId> = places.iter().map(|(_, organization)| *organization).collect();
    organizations.sort_unstable();
    organizations.dedup();
    let of = Entity::find().filter(Column::OrganizationId.is_in(organizations));
    let calendars = of.into_partial_model().all(db).await?;
    Ok((calendars, places))
}

/// Which of these names are calendars of an organization. They can be neither renamed nor deleted until the transaction ends.
///
/// # Errors
/// When the query fails.
pub async fn hold_names(
    tx: &impl ConnectionTrait,
    organization: OrganizationId,
    names: &[String],
) -> Result<Vec<String>, DbErr> {
    let named = Entity::find()
        .filter(Column::OrganizationId.eq(organization))
        .filter(Column::Name.is_in(names.iter().map(String::as_str)));
    let rows = named.order_by_asc(Column::Id).lock_shared().all(tx).await?;
    Ok(rows.into_iter().map(|row| row.name).collect())
}

/// Locks a calendar; none if it is gone.
///
/// # Errors
/// When the query fails.
pub async fn lock(tx: &impl ConnectionTrait, id: CalendarId) -> Result<Option<Model>, DbErr> {
    Entity::find_by_id(id).lock_exclusive().one(tx).await
}

/// The jobs of an organization whose configuration, or deployed configuration, names any calendar.
///
/// # Errors
/// When the query fails.
pub async fn jobs_with_calendars(
    db: &impl ConnectionTrait,
    organization: OrganizationId,
) -> Result<Vec<job::Model>, DbErr> {
    let names = |column: &str| Expr::cust(format!("CAST({column} AS TEXT) LIKE '%cronjob.%_calendars%'"));
    let any = Condition::any().add(names("spec")).add(names("deployed"));
    let of = job::Entity::find().filter(job::Column::OrganizationId.eq(organization)).filter(any);
    of.order_by_asc(job::Column::Name).all(db).await
}

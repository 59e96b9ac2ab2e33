//! Events: the audit log of organizations.

use chrono::{DateTime, Utc};
use entity::id::{EnvironmentId, EventId, OrganizationId, ProjectId};
use entity::{event, project};
use sea_orm::sea_query::{Expr, Query, SimpleExpr};
use sea_orm::{
    ActiveModelTrait as _, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel, Iterable as _, Order,
    QueryFilter, QueryOrder, QuerySelect,
};

/// Stores an event, in the transaction of the change that it records.
///
/// # Errors
/// When the statement fails.
pub async fn create(tx: &impl ConnectionTrait, row: event::Model) -> Result<(), DbErr> {
    event::Entity::insert(row.into_active_model().reset_all()).exec_without_returning(tx).await?;
    Ok(())
}

/// The same, for an event that names its project as it is called now.
///
/// # Errors
/// When the statement fails.
pub async fn create_in_project(tx: &impl ConnectionTrait, row: event::Model) -> Result<(), DbErr> {
    let mut name = Query::select();
    name.column(project::Column::Name).from(project::Entity).and_where(project::Column::Id.eq(row.project_id));
    let row = row.into_active_model().reset_all();
    let values = event::Column::iter().filter_map(|column| match column {
        event::Column::ProjectName => Some((column, SimpleExpr::SubQuery(None, Box::new(name.clone().into())))),
        _ => Some((column, column.save_as(Expr::val(row.get(column).into_value()?)))),
    });
    let (columns, values): (Vec<_>, Vec<_>) = values.unzip();
    let mut insert = Query::insert();
    insert.into_table(event::Entity).columns(columns).values_panic(values);
    tx.execute(&insert).await.map(|_| ())
}

/// Deletes events that were recorded before `before`. Returns their number.
///
/// # Errors
/// When a statement fails.
pub async fn delete_some(tx: &impl ConnectionTrait, before: DateTime<Utc>, limit: u64) -> Result<u64, DbErr> {
    let ids: Vec<EventId> = event::Entity::find()
        .select_only()
        .column(event::Column::Id)
        .filter(event::Column::CreatedAt.lt(before))
        .order_by_asc(event::Column::CreatedAt)
        .limit(limit)
        .into_tuple()
        .all(tx)
        .await?;
    if ids.is_empty() {
        return Ok(0);
    }
    Ok(event::Entity::delete_many().filter(event::Column::Id.is_in(ids)).exec(tx).await?.rows_affected)
}

/// Conditions on events; a field that is `None` matches all events.
#[derive(Clone, Debug, Default)]
pub struct EventFilter {
    pub from: Option<DateTime<Utc>>,
    pub to: Option<DateTime<Utc>>,
    pub kind: Option<String>,
    pub target: Option<String>,
    pub target_id: Option<uuid::Uuid>,
    pub sub_target: Option<String>,
    pub triggered_by: Option<String>,
    pub origin: Option<entity::deployment::Origin>,
    pub project: Option<ProjectId>,
    pub environment: Option<EnvironmentId>,
}

/// The start of a page of events.
#[derive(Clone, Copy, Debug)]
pub enum EventCursor {
    Newest,
    /// Older than this one.
    Behind(EventId),
    /// Newer than this one.
    Before(EventId),
}

/// A page of events, newest first.
///
/// # Errors
/// When the query fails.
pub async fn list(
    db: &impl ConnectionTrait,
    organization: OrganizationId,
    wanted: EventFilter,
    from: EventCursor,
    limit: u64,
) -> Result<Vec<event::Model>, DbErr> {
    use event::Column;
    let EventFilter {
        from: since,
        to,
        kind,
        target,
        target_id,
        sub_target,
        triggered_by,
        origin,
        project,
        environment,
    } = wanted;
    let timed = since.is_some() || to.is_some();
    let mut select = event::Entity::find().filter(Column::OrganizationId.eq(organization));
    let conditions = [
        since.map(|time| Column::CreatedAt.gte(time)),
        to.map(|time| Column::CreatedAt.lte(time)),
        kind.map(|kind| Column::Kind.eq(kind)),
        target.map(|target| Column::Target.eq(target)),
        target_id.map(|id| Column::TargetId.eq(id)),
        sub_target.map(|target| Column::SubTarget.eq(target)),
        triggered_by.map(|name| Column::TriggeredBy.eq(name)),
        origin.map(|origin| Column::Origin.eq(origin)),
        project.map(|id| Column::ProjectId.eq(id)),
        environment.map(|id| Column::EnvironmentId.eq(id)),
        match from {
            EventCursor::Newest => None,
            EventCursor::Behind(id) => Some(Column::Id.lt(id)),
            EventCursor::Before(id) => Some(Column::Id.gt(id)),
        },
    ];
    for condition in conditions.into_iter().flatten() {
        select = select.filter(condition);
    }
    let order = if matches!(from, EventCursor::Before(_)) { Order::Asc } else { Order::Desc };
    if timed {
        // Ids sort by time, too, but only the index over the times leads to where the span begins.
        select = select.order_by(Column::CreatedAt, order.clone());
    }
    let mut rows = select.order_by(Column::Id, order).limit(limit).all(db).await?;
    rows.sort_by_key(|row| std::cmp::Reverse(row.id));
    Ok(rows)
}

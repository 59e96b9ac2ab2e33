//! The steps of agents: orders of the server, and reports of the agents.

use chrono::{DateTime, Utc};
use entity::agent_log;
use entity::agent_step::{Column, Entity, Model, Wanted};
use entity::id::{AgentId, AgentStepId, ClusterId};
use sea_orm::sea_query::{Expr, ExprTrait as _, OnConflict};
use sea_orm::{
    ActiveModelTrait as _, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel, PaginatorTrait,
    QueryFilter, QueryOrder, QuerySelect,
};

use super::page::PAGE;

/// How many pieces of a log are read at once.
const PIECES: u64 = 16;

/// The step with a name.
///
/// # Errors
/// When the query fails.
pub async fn by_name(db: &impl ConnectionTrait, name: &str) -> Result<Option<Model>, DbErr> {
    Entity::find().filter(Column::Name.eq(name)).one(db).await
}

/// Stores an order, unless there is a step with its name. Returns whether it was stored.
///
/// # Errors
/// When the statement fails.
pub async fn create(tx: &impl ConnectionTrait, row: Model) -> Result<bool, DbErr> {
    let unless_there = OnConflict::column(Column::Name).do_nothing().to_owned();
    let insert = Entity::insert(row.into_active_model().reset_all()).on_conflict(unless_there);
    match insert.exec_without_returning(tx).await {
        Ok(rows) => Ok(rows > 0),
        Err(DbErr::RecordNotInserted) => Ok(false),
        Err(error) => Err(error),
    }
}

/// The names of the steps of a cluster that are not to be removed.
///
/// # Errors
/// When the query fails.
pub async fn names_in(db: &impl ConnectionTrait, id: ClusterId) -> Result<Vec<String>, DbErr> {
    let rows = Entity::find().select_only().column(Column::Name).filter(Column::ClusterId.eq(id));
    rows.filter(Column::Wanted.ne(Wanted::Remove)).order_by_asc(Column::Id).limit(PAGE).into_tuple().all(db).await
}

/// The steps that an agent has taken.
///
/// # Errors
/// When the query fails.
pub async fn of_agent(db: &impl ConnectionTrait, id: AgentId) -> Result<Vec<Model>, DbErr> {
    Entity::find().filter(Column::AgentId.eq(id)).order_by_asc(Column::Id).limit(PAGE).all(db).await
}

/// How many steps an agent has taken that have not ended.
///
/// # Errors
/// When the query fails.
pub async fn count_open(db: &impl ConnectionTrait, id: AgentId) -> Result<u64, DbErr> {
    let open = Entity::find().filter(Column::AgentId.eq(id)).filter(Column::Ended.eq(false));
    open.filter(Column::Wanted.ne(Wanted::Remove)).count(db).await
}

/// Whether there are steps of a cluster that nobody has taken.
///
/// # Errors
/// When the query fails.
pub async fn has_free(db: &impl ConnectionTrait, cluster: ClusterId) -> Result<bool, DbErr> {
    let free = Entity::find().select_only().column(Column::Id).filter(Column::ClusterId.eq(cluster));
    let free = free.filter(Column::AgentId.is_null()).filter(Column::Wanted.eq(Wanted::Start));
    Ok(free.filter(Column::Ended.eq(false)).limit(1).into_tuple::<AgentStepId>().one(db).await?.is_some())
}

/// Gives an agent up to `limit` steps of its cluster that nobody has taken, the oldest first. Returns how many.
///
/// # Errors
/// When a statement fails.
pub async fn take(
    tx: &impl ConnectionTrait,
    (agent, place): (AgentId, &str),
    cluster: ClusterId,
    limit: u64,
    now: DateTime<Utc>,
) -> Result<u64, DbErr> {
    let free = |query: sea_orm::Select<Entity>| {
        let query = query.filter(Column::ClusterId.eq(cluster)).filter(Column::AgentId.is_null());
        query.filter(Column::Wanted.eq(Wanted::Start)).filter(Column::Ended.eq(false))
    };
    let ids = free(Entity::find().select_only().column(Column::Id)).order_by_asc(Column::Id).limit(limit);
    let ids: Vec<AgentStepId> = ids.into_tuple().all(tx).await?;
    if ids.is_empty() {
        return Ok(0);
    }
    // Another agent may have taken some of them, and some may have been stopped, since they were read.
    let update = Entity::update_many()
        .col_expr(Column::AgentId, Expr::value(agent))
        .col_expr(Column::Place, Expr::value(place))
        .col_expr(Column::UpdatedAt, Expr::value(now))
        .filter(Column::Id.is_in(ids))
        .filter(Column::AgentId.is_null())
        .filter(Column::Wanted.eq(Wanted::Start))
        .filter(Column::Ended.eq(false));
    Ok(update.exec(tx).await?.rows_affected)
}

/// Asks for a step to be stopped. One that nobody has taken ends at once, with this report.
///
/// # Errors
/// When a statement fails.
pub async fn stop(
    tx: &impl ConnectionTrait,
    row: &Model,
    (grace_seconds, report): (i32, Vec<u8>),
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let update = Entity::update_many()
        .col_expr(Column::Wanted, Expr::value(Wanted::Stop))
        .col_expr(Column::GraceSeconds, Expr::value(grace_seconds))
        .col_expr(Column::UpdatedAt, Expr::value(now))
        .filter(Column::Id.eq(row.id))
        .filter(Column::Wanted.eq(Wanted::Start));
    update.exec(tx).await?;
    let end = Entity::update_many()
        .col_expr(Column::Report, Expr::value(report))
        .col_expr(Column::Ended, Expr::value(true))
        .col_expr(Column::LogEnded, Expr::value(true))
        .col_expr(Column::Spec, Expr::value(None::<Vec<u8>>))
        .filter(Column::Id.eq(row.id))
        .filter(Column::AgentId.is_null())
        .filter(Column::Ended.eq(false));
    end.exec(tx).await.map(|_| ())
}

/// Asks for a step to be removed, and deletes what is stored of it. One that no agent has is gone at once.
///
/// # Errors
/// When a statement fails.
pub async fn remove(tx: &impl ConnectionTrait, row: &Model, now: DateTime<Utc>) -> Result<(), DbErr> {
    let gone = Entity::delete_many().filter(Column::Id.eq(row.id)).filter(Column::AgentId.is_null());
    if gone.exec(tx).await?.rows_affected > 0 {
        return Ok(());
    }
    let nothing = || Expr::value(None::<Vec<u8>>);
    let update = Entity::update_many()
        .col_expr(Column::Wanted, Expr::value(Wanted::Remove))
        .col_expr(Column::Spec, nothing())
        .col_expr(Column::Outputs, nothing())
        .col_expr(Column::UpdatedAt, Expr::value(now))
        .filter(Column::Id.eq(row.id));
    update.exec(tx).await?;
    agent_log::Entity::delete_many().filter(agent_log::Column::StepId.eq(row.id)).exec(tx).await.map(|_| ())
}

/// Deletes steps that an agent has removed.
///
/// # Errors
/// When the statement fails.
pub async fn removed(tx: &impl ConnectionTrait, agent: AgentId, names: &[String]) -> Result<(), DbErr> {
    let rows = Entity::delete_many().filter(Column::AgentId.eq(agent)).filter(Column::Wanted.eq(Wanted::Remove));
    rows.filter(Column::Name.is_in(names)).exec(tx).await.map(|_| ())
}

/// A report of an agent about one of its steps.
#[derive(Clone, Debug)]
pub struct Report {
    pub sealed: Vec<u8>,
    /// Whether the step has ended.
    pub ended: bool,
    /// Whether the step was started, so that its specification is not needed again.
    pub started: bool,
    pub outputs: Option<Vec<u8>>,
}

/// Stores a report. An end is final.
///
/// # Errors
/// When the statement fails.
pub async fn report(
    tx: &impl ConnectionTrait,
    (id, agent): (AgentStepId, AgentId),
    report: Report,
    now: DateTime<Utc>,
) -> Result<bool, DbErr> {
    let Report { sealed, ended, started, outputs } = report;
    let mut update = Entity::update_many()
        .col_expr(Column::Report, Expr::value(sealed))
        .col_expr(Column::Ended, Expr::value(ended))
        .col_expr(Column::UpdatedAt, Expr::value(now));
    if started || ended {
        update = update.col_expr(Column::Spec, Expr::value(None::<Vec<u8>>));
    }
    if ended {
        update = update.col_expr(Column::LogEnded, Expr::value(true));
    }
    if let Some(outputs) = outputs {
        update = update.col_expr(Column::Outputs, Expr::value(outputs));
    }
    let mine = update.filter(Column::Id.eq(id)).filter(Column::AgentId.eq(agent)).filter(Column::Ended.eq(false));
    Ok(mine.exec(tx).await?.rows_affected > 0)
}

/// Marks the open steps of an agent as lost that it took on another engine than the given one, or all of them. Returns how many.
///
/// # Errors
/// When the statement fails.
pub async fn lose(
    tx: &impl ConnectionTrait,
    agent: AgentId,
    unless_at: Option<&str>,
    now: DateTime<Utc>,
) -> Result<u64, DbErr> {
    let update = Entity::update_many()
        .col_expr(Column::Lost, Expr::value(true))
        .col_expr(Column::Ended, Expr::value(true))
        .col_expr(Column::LogEnded, Expr::value(true))
        .col_expr(Column::Spec, Expr::value(None::<Vec<u8>>))
        .col_expr(Column::UpdatedAt, Expr::value(now))
        .filter(Column::AgentId.eq(agent))
        .filter(Column::Ended.eq(false));
    let update = match unless_at {
        Some(place) => update.filter(Column::Place.ne(place)),
        None => update,
    };
    Ok(update.exec(tx).await?.rows_affected)
}

/// Deletes the steps of an agent that are only kept until it removes them.
///
/// # Errors
/// When the statement fails.
pub async fn delete_removed(tx: &impl ConnectionTrait, agent: AgentId) -> Result<(), DbErr> {
    let rows = Entity::delete_many().filter(Column::AgentId.eq(agent)).filter(Column::Wanted.eq(Wanted::Remove));
    rows.exec(tx).await.map(|_| ())
}

/// Stores lines that an agent has sent. False if others were sent before them.
///
/// # Errors
/// When a statement fails.
pub async fn append(
    tx: &impl ConnectionTrait,
    (agent, now): (AgentId, DateTime<Utc>),
    piece: agent_log::Model,
) -> Result<bool, DbErr> {
    let (id, first, lines) = (piece.step_id, piece.first, piece.lines);
    let update = Entity::update_many()
        .col_expr(Column::Lines, Expr::value(first + lines))
        .col_expr(Column::UpdatedAt, Expr::value(now))
        .filter(Column::Id.eq(id))
        .filter(Column::AgentId.eq(agent))
        .filter(Column::Lines.eq(first))
        .filter(Column::Ended.eq(false));
    if update.exec(tx).await?.rows_affected == 0 {
        return Ok(false);
    }
    agent_log::Entity::insert(piece.into_active_model().reset_all()).exec_without_returning(tx).await.map(|_| true)
}

/// How many bytes of the log of a step are stored.
///
/// # Errors
/// When the query fails.
pub async fn log_bytes(db: &impl ConnectionTrait, id: AgentStepId) -> Result<i64, DbErr> {
    let sizes = agent_log::Entity::find().select_only().column(agent_log::Column::Bytes);
    let sizes: Vec<i64> = sizes.filter(agent_log::Column::StepId.eq(id)).limit(PAGE).into_tuple().all(db).await?;
    Ok(sizes.iter().sum())
}

/// The first pieces of the log of a step that have lines after the first `skip`.
///
/// # Errors
/// When the query fails.
pub async fn log_after(db: &impl ConnectionTrait, id: AgentStepId, skip: i64) -> Result<Vec<agent_log::Model>, DbErr> {
    let ends = Expr::col(agent_log::Column::First).add(Expr::col(agent_log::Column::Lines));
    let pieces = agent_log::Entity::find().filter(agent_log::Column::StepId.eq(id)).filter(ends.gt(skip));
    pieces.order_by_asc(agent_log::Column::First).limit(PIECES).all(db).await
}

/// Whether pieces of a log have no line after the first `skip`.
///
/// # Errors
/// When the query fails.
pub async fn has_log_before(db: &impl ConnectionTrait, id: AgentStepId, skip: i64) -> Result<bool, DbErr> {
    let ends = Expr::col(agent_log::Column::First).add(Expr::col(agent_log::Column::Lines));
    let pieces = agent_log::Entity::find().select_only().column(agent_log::Column::First);
    let first = pieces.filter(agent_log::Column::StepId.eq(id)).filter(ends.lte(skip)).limit(1);
    Ok(first.into_tuple::<i64>().one(db).await?.is_some())
}

/// Deletes the pieces of a log that have no line after the first `skip`.
///
/// # Errors
/// When the statement fails.
pub async fn delete_log_before(tx: &impl ConnectionTrait, id: AgentStepId, skip: i64) -> Result<(), DbErr> {
    let ends = Expr::col(agent_log::Column::First).add(Expr::col(agent_log::Column::Lines));
    let pieces = agent_log::Entity::delete_many().filter(agent_log::Column::StepId.eq(id)).filter(ends.lte(skip));
    pieces.exec(tx).await.map(|_| ())
}

/// The ids and names of steps whose orders or reports have changed since `after`, and when.
///
/// # Errors
/// When the query fails.
pub async fn changed_since(
    db: &impl ConnectionTrait,
    after: DateTime<Utc>,
) -> Result<Vec<(String, DateTime<Utc>)>, DbErr> {
    let rows = Entity::find().select_only().column(Column::Name).column(Column::UpdatedAt);
    rows.filter(Column::UpdatedAt.gt(after)).order_by_desc(Column::UpdatedAt).limit(PAGE).into_tuple().all(db).await
}

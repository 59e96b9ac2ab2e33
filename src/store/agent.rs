//! Agents of clusters.

use chrono::{DateTime, Utc};
use entity::agent::{self, Column, Entity, Model};
use entity::cluster::{self, ClusterKind};
use entity::id::{AgentId, ClusterId};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use super::page::PAGE;

/// What an agent tells about itself when it connects.
#[derive(Clone, Debug)]
pub struct Introduction {
    pub session: Uuid,
    pub place: String,
    pub version: String,
    pub runner: String,
    pub capacity: i32,
}

/// The agent with this SHA-256 of its token.
///
/// # Errors
/// When the query fails.
pub async fn by_hash(db: &impl ConnectionTrait, hash: &str) -> Result<Option<Model>, DbErr> {
    Entity::find().filter(Column::Hash.eq(hash)).one(db).await
}

/// One agent.
///
/// # Errors
/// When the query fails.
pub async fn by_id(db: &impl ConnectionTrait, id: AgentId) -> Result<Option<Model>, DbErr> {
    Entity::find_by_id(id).one(db).await
}

/// The agents of a cluster, by age.
///
/// # Errors
/// When the query fails.
pub async fn list_of(db: &impl ConnectionTrait, id: ClusterId) -> Result<Vec<Model>, DbErr> {
    Entity::find().filter(Column::ClusterId.eq(id)).order_by_asc(Column::Id).limit(PAGE).all(db).await
}

/// The agents of all clusters after one of them, by age.
///
/// # Errors
/// When the query fails.
pub async fn list_after(db: &impl ConnectionTrait, after: Option<AgentId>) -> Result<Vec<Model>, DbErr> {
    let all = Entity::find().order_by_asc(Column::Id).limit(PAGE);
    match after {
        Some(id) => all.filter(Column::Id.gt(id)).all(db).await,
        None => all.all(db).await,
    }
}

/// The ids of the clusters that agents work for.
///
/// # Errors
/// When the query fails.
pub async fn clusters(db: &impl ConnectionTrait) -> Result<Vec<ClusterId>, DbErr> {
    let kind = cluster::Column::Kind.eq(ClusterKind::Agent);
    let ids = cluster::Entity::find().select_only().column(cluster::Column::Id).filter(kind);
    ids.order_by_asc(cluster::Column::Id).into_tuple().all(db).await
}

/// Records that an agent has connected.
///
/// # Errors
/// When the statement fails.
pub async fn connect(
    tx: &impl ConnectionTrait,
    id: AgentId,
    by: Introduction,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let Introduction { session, place, version, runner, capacity } = by;
    Entity::update_many()
        .col_expr(Column::Session, Expr::value(session))
        .col_expr(Column::Place, Expr::value(place))
        .col_expr(Column::Version, Expr::value(version))
        .col_expr(Column::Runner, Expr::value(runner))
        .col_expr(Column::Capacity, Expr::value(capacity))
        .col_expr(Column::SeenAt, Expr::value(now))
        .filter(Column::Id.eq(id))
        .exec(tx)
        .await
        .map(|_| ())
}

/// Records that an agent was heard of.
///
/// # Errors
/// When the statement fails.
pub async fn seen(tx: &impl ConnectionTrait, id: AgentId, now: DateTime<Utc>) -> Result<(), DbErr> {
    let update = Entity::update_many().col_expr(Column::SeenAt, Expr::value(now));
    update.filter(Column::Id.eq(id)).exec(tx).await.map(|_| ())
}

/// Locks an agent, so that it is not removed until the end of the transaction. None if it is gone.
///
/// # Errors
/// When the query fails.
pub async fn lock(tx: &impl ConnectionTrait, id: AgentId) -> Result<Option<agent::Model>, DbErr> {
    Entity::find_by_id(id).lock_exclusive().one(tx).await
}

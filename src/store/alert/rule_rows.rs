//! Rules of alerts.

use entity::alert_rule::{Column, Condition, Entity, Model};
use entity::id::{AlertRuleId, OrganizationId};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, PaginatorTrait as _, QueryFilter, QueryOrder, QuerySelect,
};

/// The most rules that a query returns.
const RULES: u64 = 2000;

/// The conditions that are looked for, because nothing reports them.
pub(super) const TIMED: [Condition; 6] = [
    Condition::RunLate,
    Condition::RunTooLong,
    Condition::NoSuccessFor,
    Condition::ApprovalWaiting,
    Condition::WorkspaceDrifted,
    Condition::ClusterUnreachable,
];

/// The rules of an organization.
///
/// # Errors
/// When the query fails.
pub async fn list_rules(db: &impl ConnectionTrait, id: OrganizationId) -> Result<Vec<Model>, DbErr> {
    Entity::find().filter(Column::OrganizationId.eq(id)).order_by_asc(Column::Id).limit(RULES).all(db).await
}

/// The same, locked until the transaction ends.
///
/// # Errors
/// When the query fails.
pub(super) async fn list_rules_locked(tx: &impl ConnectionTrait, id: OrganizationId) -> Result<Vec<Model>, DbErr> {
    let rules = Entity::find().filter(Column::OrganizationId.eq(id)).order_by_asc(Column::Id).limit(RULES);
    rules.lock_exclusive().all(tx).await
}

/// The number of rules of an organization.
///
/// # Errors
/// When the query fails.
pub async fn count_rules(db: &impl ConnectionTrait, id: OrganizationId) -> Result<u64, DbErr> {
    Entity::find().filter(Column::OrganizationId.eq(id)).count(db).await
}

/// The enabled rules of organizations, locked, so that one server at a time decides about their alerts.
///
/// # Errors
/// When the query fails.
pub async fn lock_rules_of(tx: &impl ConnectionTrait, organizations: Vec<OrganizationId>) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::OrganizationId.is_in(organizations))
        .filter(Column::Enabled.eq(true))
        .order_by_asc(Column::Id)
        .limit(RULES)
        .lock_exclusive()
        .all(tx)
        .await
}

/// Rules by id.
///
/// # Errors
/// When the query fails.
pub async fn list_rules_by_ids(db: &impl ConnectionTrait, ids: Vec<AlertRuleId>) -> Result<Vec<Model>, DbErr> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    Entity::find().filter(Column::Id.is_in(ids)).order_by_asc(Column::Id).limit(RULES).all(db).await
}

/// Rules by id, locked.
///
/// # Errors
/// When the query fails.
pub async fn lock_rules(tx: &impl ConnectionTrait, ids: Vec<AlertRuleId>) -> Result<Vec<Model>, DbErr> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let rules = Entity::find().filter(Column::Id.is_in(ids)).order_by_asc(Column::Id).limit(RULES);
    rules.lock_exclusive().all(tx).await
}

/// The enabled rules whose condition is looked for.
///
/// # Errors
/// When the query fails.
pub async fn list_timed_rules(db: &impl ConnectionTrait) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::Enabled.eq(true))
        .filter(Column::Condition.is_in(TIMED))
        .order_by_asc(Column::Id)
        .limit(RULES)
        .all(db)
        .await
}

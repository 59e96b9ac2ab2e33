//! Current alerts.

use chrono::{DateTime, Utc};
use entity::alert::{AlertState, Column, Entity, Model};
use entity::id::{AlertId, AlertRuleId, ClusterId, EnvironmentId, JobId, WorkspaceId};
use entity::run::Event;
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveEnum as _, ActiveModelTrait as _, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel,
    QueryFilter, QueryOrder, QuerySelect,
};
use uuid::Uuid;

use super::watched_workspaces::{IS_OPEN_DRIFT, IS_WHOLE};
use crate::store::binds::Binds;

/// The most alerts that a query returns.
const ALERTS: u64 = 2000;

/// A rule and its subject.
pub type AlertKey = (AlertRuleId, Uuid);

/// The alerts of rules for subjects.
///
/// # Errors
/// When the query fails.
pub async fn list_alerts(
    tx: &impl ConnectionTrait,
    rules: Vec<AlertRuleId>,
    subjects: Vec<Uuid>,
) -> Result<Vec<Model>, DbErr> {
    if rules.is_empty() || subjects.is_empty() {
        return Ok(Vec::new());
    }
    // As many as there are subjects for each rule; the caller bounds both.
    Entity::find().filter(Column::RuleId.is_in(rules)).filter(Column::SubjectId.is_in(subjects)).all(tx).await
}

/// The alerts of rules, oldest first.
///
/// # Errors
/// When the query fails.
pub async fn list_alerts_of_rules(db: &impl ConnectionTrait, rules: Vec<AlertRuleId>) -> Result<Vec<Model>, DbErr> {
    if rules.is_empty() {
        return Ok(Vec::new());
    }
    Entity::find().filter(Column::RuleId.is_in(rules)).order_by_asc(Column::Id).limit(ALERTS).all(db).await
}

/// What alerts are about.
#[derive(Clone, Copy, Debug)]
pub enum AlertsOf {
    Job(JobId),
    /// And of its jobs.
    Environment(EnvironmentId),
    Workspace(WorkspaceId),
    Cluster(ClusterId),
}

/// The alerts about something that somebody was told, oldest first.
///
/// # Errors
/// When the query fails.
pub async fn list_told_alerts(db: &impl ConnectionTrait, of: AlertsOf) -> Result<Vec<Model>, DbErr> {
    let is_about = match of {
        AlertsOf::Job(id) => Column::JobId.eq(id),
        AlertsOf::Environment(id) => Column::EnvironmentId.eq(id),
        AlertsOf::Workspace(id) => Column::WorkspaceId.eq(id),
        AlertsOf::Cluster(id) => Column::ClusterId.eq(id),
    };
    let told = Entity::find().filter(is_about).filter(Column::ToldAt.is_not_null());
    told.order_by_asc(Column::Id).limit(ALERTS).all(db).await
}

/// Alerts by id.
///
/// # Errors
/// When the query fails.
pub async fn list_alerts_by_ids(db: &impl ConnectionTrait, ids: Vec<AlertId>) -> Result<Vec<Model>, DbErr> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    Entity::find().filter(Column::Id.is_in(ids)).order_by_asc(Column::Id).limit(ALERTS).all(db).await
}

/// Stores an alert, or replaces it.
///
/// # Errors
/// When the statement fails.
pub async fn save_alert(tx: &impl ConnectionTrait, row: Model, is_new: bool) -> Result<(), DbErr> {
    let id = row.id;
    let active = row.into_active_model().reset_all();
    if is_new {
        Entity::insert(active).exec_without_returning(tx).await?;
    } else {
        Entity::update_many().filter(Column::Id.eq(id)).set(active).exec(tx).await?;
    }
    Ok(())
}

/// The alerts after an id, in order.
///
/// # Errors
/// When the query fails.
pub async fn page_of_alerts(db: &impl ConnectionTrait, after: AlertId, limit: u64) -> Result<Vec<Model>, DbErr> {
    Entity::find().filter(Column::Id.gt(after)).order_by_asc(Column::Id).limit(limit).all(db).await
}

/// Pending alerts that have held for long enough.
///
/// # Errors
/// When the query fails.
pub async fn due_alerts(db: &impl ConnectionTrait, now: DateTime<Utc>, limit: u64) -> Result<Vec<Model>, DbErr> {
    Entity::find().filter(Column::DueAt.lte(now)).order_by_asc(Column::DueAt).limit(limit).all(db).await
}

/// Those of some alerts whose condition no longer holds: a later execution or deployment succeeded (of a check any that has ended since:
/// most of its pings belong to no time), the run has started or is no longer open, an approval was decided, or the drift is settled. Whether a cluster can be reached is not known here.
///
/// # Errors
/// When the query fails.
pub async fn list_recovered(db: &impl ConnectionTrait, ids: &[AlertId]) -> Result<Vec<AlertId>, DbErr> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let no_executions = Event::NO_EXECUTIONS.map(|event| format!("'{}'", event.to_value())).join(", ");
    let mut sql = Binds::new(
        db.get_database_backend(),
        &format!(
            "SELECT a.id FROM alert a JOIN alert_rule r ON r.id = a.rule_id WHERE (CASE r.condition \
         WHEN 'run_missed' THEN EXISTS (SELECT 1 FROM run s WHERE s.job_id = a.job_id AND s.scheduled_for > a.seen_at \
         AND s.state = 'SUCCEEDED') OR EXISTS (SELECT 1 FROM job_check c JOIN run s ON s.job_id = c.job_id \
         WHERE c.job_id = a.job_id AND s.state = 'SUCCEEDED' AND s.finished_at > a.seen_at) \
         WHEN 'run_late' THEN NOT EXISTS (SELECT 1 FROM run o WHERE o.id = a.run_id AND o.state = 'QUEUED' \
         AND o.started_at IS NULL AND o.backfill_id IS NULL) \
         WHEN 'run_too_long' THEN NOT EXISTS (SELECT 1 FROM run o WHERE o.id = a.run_id AND o.state = 'RUNNING') \
         WHEN 'deployment_failed' THEN EXISTS (SELECT 1 FROM deployment d WHERE d.environment_id = a.environment_id \
         AND d.progress = 'SUCCEEDED' AND d.finished_at > a.seen_at) \
         WHEN 'no_success_for' THEN NOT EXISTS (SELECT 1 FROM job_success s WHERE s.job_id = a.job_id AND s.since <= a.since) \
         WHEN 'approval_waiting' THEN NOT EXISTS (SELECT 1 FROM workspace_job w WHERE w.id = a.workspace_job_id \
         AND w.status = 'waitingApproval') \
         WHEN 'workspace_drifted' THEN NOT EXISTS (SELECT 1 FROM shown_plan p WHERE p.workspace_id = a.workspace_id \
         AND {IS_WHOLE} AND {IS_OPEN_DRIFT}) \
         WHEN 'cluster_unreachable' THEN 1 = 0 \
         ELSE EXISTS (SELECT 1 FROM run s WHERE s.job_id = a.job_id AND s.state = 'SUCCEEDED' \
         AND s.event NOT IN ({no_executions}) AND s.number > \
         COALESCE((SELECT f.number FROM run f WHERE f.id = a.run_id), 0)) END) AND a.id IN ("
        ),
    );
    for (place, id) in ids.iter().enumerate() {
        sql.sql(if place == 0 { "" } else { ", " }).value(id.0, "uuid");
    }
    sql.sql(")");
    let rows = db.query_all_raw(sql.statement()).await?;
    rows.iter().map(|row| row.try_get_by_index(0).map(AlertId)).collect()
}

/// Notes that alerts still hold.
///
/// # Errors
/// When the statement fails.
pub async fn touch_alerts(tx: &impl ConnectionTrait, ids: Vec<AlertId>, now: DateTime<Utc>) -> Result<(), DbErr> {
    if !ids.is_empty() {
        let seen = Entity::update_many().col_expr(Column::SeenAt, Expr::value(now));
        seen.filter(Column::Id.is_in(ids)).exec(tx).await?;
    }
    Ok(())
}

/// Makes the alerts of a rule due that nobody could be told.
///
/// # Errors
/// When the statement fails.
pub async fn tell_unheard(tx: &impl ConnectionTrait, rule: AlertRuleId, now: DateTime<Utc>) -> Result<(), DbErr> {
    Entity::update_many()
        .col_expr(Column::DueAt, Expr::value(now))
        .filter(Column::RuleId.eq(rule))
        .filter(Column::State.eq(AlertState::Triggered))
        .exec(tx)
        .await?;
    Ok(())
}

/// Deletes alerts.
///
/// # Errors
/// When the statement fails.
pub async fn delete_alerts(tx: &impl ConnectionTrait, ids: Vec<AlertId>) -> Result<(), DbErr> {
    if !ids.is_empty() {
        Entity::delete_many().filter(Column::Id.is_in(ids)).exec(tx).await?;
    }
    Ok(())
}

/// Deletes the alerts of a rule.
///
/// # Errors
/// When the statement fails.
pub async fn delete_alerts_of_rule(tx: &impl ConnectionTrait, rule: AlertRuleId) -> Result<(), DbErr> {
    Entity::delete_many().filter(Column::RuleId.eq(rule)).exec(tx).await?;
    Ok(())
}

/// Records that a receiver has accepted a message about alerts. What was silenced meanwhile was told, too, so its end is.
///
/// # Errors
/// When a statement fails.
pub async fn mark_notified(tx: &impl ConnectionTrait, ids: Vec<AlertId>, now: DateTime<Utc>) -> Result<(), DbErr> {
    if ids.is_empty() {
        return Ok(());
    }
    Entity::update_many()
        .col_expr(Column::State, Expr::value(AlertState::Notified))
        .filter(Column::Id.is_in(ids.clone()))
        .filter(Column::State.eq(AlertState::Triggered))
        .exec(tx)
        .await?;
    Entity::update_many()
        .col_expr(Column::ToldAt, Expr::value(Some(now)))
        .filter(Column::Id.is_in(ids))
        .filter(Column::State.eq(AlertState::Suppressed))
        .filter(Column::ToldAt.is_null())
        .exec(tx)
        .await?;
    Ok(())
}

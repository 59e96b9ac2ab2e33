//! What may have to be told. Each row is stored in the transaction that it happened in.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use entity::alert_cause::{CauseKind, Column, Entity, Model};
use entity::id::{AlertCauseId, DeploymentId, EnvironmentId, JobId, OrganizationId, RunId};
use entity::skipped_time;
use sea_orm::sea_query::{LockBehavior, LockType};
use sea_orm::{
    ActiveEnum as _, ActiveModelTrait as _, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel,
    QueryFilter, QueryOrder, QuerySelect,
};

use crate::store::binds::Binds;

/// The most rows in a statement.
const ROWS: usize = 200;

/// Stores that a run of a job failed, if a rule of its organization is about failed runs.
///
/// # Errors
/// When the statement fails.
pub async fn note_run_failed(tx: &impl ConnectionTrait, run: RunId, now: DateTime<Utc>) -> Result<(), DbErr> {
    let mut sql = Binds::new(
        tx.get_database_backend(),
        "INSERT INTO alert_cause (id, organization_id, kind, environment_id, job_id, run_id, happened_at) SELECT ",
    );
    sql.value(AlertCauseId::create().0, "uuid")
        .sql(", j.organization_id, 'RUN_FAILED', j.environment_id, j.id, x.id, ");
    sql.value(now, "timestamptz").sql(" FROM run x JOIN job j ON j.id = x.job_id WHERE x.id = ").value(run.0, "uuid");
    sql.sql(
        " AND EXISTS (SELECT 1 FROM alert_rule r WHERE r.organization_id = j.organization_id AND r.enabled \
         AND r.condition IN ('run_failed', 'run_recovered'))",
    );
    tx.execute_raw(sql.statement()).await?;
    Ok(())
}

/// Stores that scheduled times of jobs were skipped, if a rule is about that, and nobody wanted it.
///
/// # Errors
/// When a statement fails.
pub async fn note_skipped(
    tx: &impl ConnectionTrait,
    skipped: &[skipped_time::Model],
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let skipped: Vec<&skipped_time::Model> = skipped.iter().filter(|row| !row.reason.is_wanted()).collect();
    for rows in skipped.chunks(ROWS) {
        let jobs = watched_jobs(tx, rows.iter().map(|row| row.job_id)).await?;
        let causes = rows.iter().filter_map(|row| {
            let (organization_id, environment_id) = *jobs.get(&row.job_id)?;
            let cause = Model {
                id: AlertCauseId::create(),
                organization_id,
                kind: CauseKind::TimeSkipped,
                environment_id,
                job_id: Some(row.job_id),
                run_id: None,
                deployment_id: None,
                happened_at: row.through.min(now),
                reason: Some(row.reason.to_value()),
            };
            Some(cause.into_active_model().reset_all())
        });
        let causes: Vec<_> = causes.collect();
        if !causes.is_empty() {
            Entity::insert_many(causes).exec_without_returning(tx).await?;
        }
    }
    Ok(())
}

/// The organizations and environments of those jobs whose skipped times a rule is about.
async fn watched_jobs(
    tx: &impl ConnectionTrait,
    jobs: impl Iterator<Item = JobId>,
) -> Result<HashMap<JobId, (OrganizationId, EnvironmentId)>, DbErr> {
    let mut sql = Binds::new(
        tx.get_database_backend(),
        "SELECT j.id, j.organization_id, j.environment_id FROM job j WHERE EXISTS (SELECT 1 FROM alert_rule r \
         WHERE r.organization_id = j.organization_id AND r.enabled AND r.condition = 'run_missed') AND j.id IN (",
    );
    for (place, job) in jobs.enumerate() {
        sql.sql(if place == 0 { "" } else { ", " }).value(job.0, "uuid");
    }
    sql.sql(")");
    let rows = tx.query_all_raw(sql.statement()).await?;
    rows.iter()
        .map(|row| {
            Ok((
                JobId(row.try_get_by_index(0)?),
                (OrganizationId(row.try_get_by_index(1)?), EnvironmentId(row.try_get_by_index(2)?)),
            ))
        })
        .collect()
}

/// Stores that a deployment failed, if a rule of its organization is about that.
///
/// # Errors
/// When the statement fails.
pub async fn note_deployment_failed(
    tx: &impl ConnectionTrait,
    deployment: DeploymentId,
    environment: EnvironmentId,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let mut sql = Binds::new(
        tx.get_database_backend(),
        "INSERT INTO alert_cause (id, organization_id, kind, environment_id, deployment_id, happened_at) SELECT ",
    );
    sql.value(AlertCauseId::create().0, "uuid").sql(", e.organization_id, 'DEPLOYMENT_FAILED', e.id, ");
    sql.value(deployment.0, "uuid").sql(", ").value(now, "timestamptz").sql(" FROM environment e WHERE e.id = ");
    sql.value(environment.0, "uuid").sql(
        " AND EXISTS (SELECT 1 FROM alert_rule r WHERE r.organization_id = e.organization_id AND r.enabled \
         AND r.condition = 'deployment_failed')",
    );
    tx.execute_raw(sql.statement()).await?;
    Ok(())
}

/// Whether anything was stored that no server has decided about.
///
/// # Errors
/// When the query fails.
pub async fn any_cause(db: &impl ConnectionTrait) -> Result<bool, DbErr> {
    let first: Option<AlertCauseId> =
        Entity::find().select_only().column(Column::Id).order_by_asc(Column::Id).limit(1).into_tuple().one(db).await?;
    Ok(first.is_some())
}

/// The oldest causes. Other servers do not get the same ones until the transaction ends.
///
/// # Errors
/// When the query fails.
pub async fn take_causes(tx: &impl ConnectionTrait, limit: u64) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .order_by_asc(Column::Id)
        .limit(limit)
        .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
        .all(tx)
        .await
}

/// Deletes causes that were decided about.
///
/// # Errors
/// When the statement fails.
pub async fn delete_causes(tx: &impl ConnectionTrait, ids: Vec<AlertCauseId>) -> Result<(), DbErr> {
    if !ids.is_empty() {
        Entity::delete_many().filter(Column::Id.is_in(ids)).exec(tx).await?;
    }
    Ok(())
}

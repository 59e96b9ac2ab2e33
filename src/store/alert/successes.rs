//! Since when deployed jobs have had no success.

use chrono::{DateTime, Utc};
use entity::alert_rule::{Model as Rule, Target};
use entity::id::{EnvironmentId, GroupId, JobId};
use entity::job_success::{Column, Entity};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter};

use crate::store::binds::Binds;

/// A job that has had no success.
#[derive(Clone, Copy, Debug)]
pub struct IdleJob {
    pub job: JobId,
    pub environment: EnvironmentId,
    pub since: DateTime<Utc>,
}

/// Begins to count when a job is deployed. A job that is deployed already goes on.
///
/// # Errors
/// When the statement fails.
pub async fn begin_success(tx: &impl ConnectionTrait, job: JobId, now: DateTime<Utc>) -> Result<(), DbErr> {
    let mut sql = Binds::new(
        tx.get_database_backend(),
        "INSERT INTO job_success (job_id, organization_id, since) SELECT j.id, j.organization_id, ",
    );
    sql.value(now, "timestamptz").sql(" FROM job j WHERE j.id = ").value(job.0, "uuid");
    sql.sql(" ON CONFLICT (job_id) DO NOTHING");
    tx.execute_raw(sql.statement()).await?;
    Ok(())
}

/// A job that is no longer deployed is not expected to succeed.
///
/// # Errors
/// When the statement fails.
pub async fn end_success(tx: &impl ConnectionTrait, job: JobId) -> Result<(), DbErr> {
    Entity::delete_many().filter(Column::JobId.eq(job)).exec(tx).await?;
    Ok(())
}

/// The same for all jobs of an environment.
///
/// # Errors
/// When the statement fails.
pub async fn end_successes_of(tx: &impl ConnectionTrait, environment: EnvironmentId) -> Result<(), DbErr> {
    let mut sql = Binds::new(
        tx.get_database_backend(),
        "DELETE FROM job_success WHERE job_id IN (SELECT j.id FROM job j WHERE j.job_type <> 'CHECK' AND j.environment_id = ",
    );
    sql.value(environment.0, "uuid").sql(")");
    tx.execute_raw(sql.statement()).await?;
    Ok(())
}

/// Notes when runs of jobs succeeded.
///
/// # Errors
/// When the statement fails.
pub async fn note_successes(tx: &impl ConnectionTrait, all: &[(JobId, DateTime<Utc>)]) -> Result<(), DbErr> {
    match all {
        [] => return Ok(()),
        [(job, at)] => {
            let noted = Entity::update_many().col_expr(Column::Since, Expr::value(*at));
            noted.filter(Column::JobId.eq(*job)).filter(Column::Since.lt(*at)).exec(tx).await?;
        }
        all => {
            let mut sql = Binds::new(tx.get_database_backend(), "WITH v (job_id, at) AS (VALUES ");
            for (number, (job, at)) in all.iter().enumerate() {
                sql.sql(if number == 0 { "(" } else { ", (" }).value(job.0, "uuid").sql(", ");
                sql.value(*at, "timestamptz").sql(")");
            }
            sql.sql(
                ") UPDATE job_success SET since = v.at FROM v \
                 WHERE job_success.job_id = v.job_id AND job_success.since < v.at",
            );
            tx.execute_raw(sql.statement()).await?;
        }
    }
    Ok(())
}

/// The jobs of a rule that have had no success since before a time, of which it has no alert yet; the longest first.
///
/// # Errors
/// When the query fails.
pub async fn list_idle_jobs(
    db: &impl ConnectionTrait,
    (rule, groups): (&Rule, &[GroupId]),
    before: DateTime<Utc>,
    limit: u64,
) -> Result<Vec<IdleJob>, DbErr> {
    let mut sql = Binds::new(db.get_database_backend(), "SELECT s.job_id, j.environment_id, s.since");
    of_rule(&mut sql, rule, groups);
    sql.sql(" AND s.since <= ").value(before, "timestamptz");
    sql.sql(" AND NOT EXISTS (SELECT 1 FROM alert a WHERE a.rule_id = ").value(rule.id.0, "uuid");
    sql.sql(" AND a.subject_id = s.job_id) ORDER BY s.since LIMIT ");
    sql.value(i64::try_from(limit).unwrap_or(i64::MAX), "bigint");
    let rows = db.query_all_raw(sql.statement()).await?;
    rows.iter()
        .map(|row| {
            Ok(IdleJob {
                job: JobId(row.try_get_by_index(0)?),
                environment: EnvironmentId(row.try_get_by_index(1)?),
                since: row.try_get_by_index(2)?,
            })
        })
        .collect()
}

/// The oldest success after a time among the jobs of a rule: the next one that could be too long ago.
///
/// # Errors
/// When the query fails.
pub async fn next_idle_job(
    db: &impl ConnectionTrait,
    (rule, groups): (&Rule, &[GroupId]),
    after: DateTime<Utc>,
) -> Result<Option<DateTime<Utc>>, DbErr> {
    let mut sql = Binds::new(db.get_database_backend(), "SELECT s.since");
    of_rule(&mut sql, rule, groups);
    sql.sql(" AND s.since > ").value(after, "timestamptz").sql(" ORDER BY s.since LIMIT 1");
    let row = db.query_one_raw(sql.statement()).await?;
    row.map(|row| row.try_get_by_index(0)).transpose()
}

/// The jobs that a rule covers. A job without a schedule counts only if it is the target itself.
fn of_rule(sql: &mut Binds, rule: &Rule, groups: &[GroupId]) {
    sql.sql(" FROM job_success s JOIN job j ON j.id = s.job_id");
    if matches!(rule.target, Target::Project | Target::Cluster) {
        sql.sql(" JOIN environment e ON e.id = j.environment_id");
    }
    sql.sql(" WHERE s.organization_id = ").value(rule.organization_id.0, "uuid");
    if rule.target != Target::Job {
        sql.sql(" AND j.job_type <> 'LIFECYCLE'");
    }
    match (rule.target, rule.project_id, rule.environment_id, rule.job_id) {
        (Target::Organization, ..) => {}
        (Target::Project, Some(project), ..) => {
            sql.sql(" AND e.project_id = ").value(project.0, "uuid");
        }
        (Target::Cluster, ..) => {
            sql.sql(" AND e.cluster_id = ").value(rule.cluster_id.0, "uuid");
        }
        (Target::Environment, _, Some(environment), _) => {
            sql.sql(" AND j.environment_id = ").value(environment.0, "uuid");
        }
        (Target::Job, _, _, Some(job)) => {
            sql.sql(" AND s.job_id = ").value(job.0, "uuid");
        }
        (Target::Label, ..) if !groups.is_empty() => {
            sql.sql(" AND s.job_id IN (SELECT g.job_id FROM job_group g WHERE g.group_id IN (");
            for (place, group) in groups.iter().enumerate() {
                sql.sql(if place == 0 { "" } else { ", " }).value(group.0, "uuid");
            }
            sql.sql("))");
        }
        (Target::Project | Target::Environment | Target::Job | Target::Label, ..) => {
            sql.sql(" AND 1 = 0");
        }
    }
}

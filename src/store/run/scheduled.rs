//! New runs for times of schedules. There may be very many of them, so only the columns that differ are sent.

use chrono::{DateTime, Utc};
use entity::id::{JobId, RunId};
use entity::run::SERVER_SLOTS;
use entity::run_spec::RunSpec;
use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement};

use crate::store::binds::Binds;
use crate::store::counter::take_run_numbers;

/// The number of rows per statement, within the limits of both databases on bound values.
const ROWS: usize = 1000;

/// A run for a time of a schedule.
#[derive(Clone, Debug)]
pub struct ScheduledRun {
    pub id: RunId,
    pub job_id: JobId,
    pub scheduled_for: DateTime<Utc>,
    pub spec: RunSpec,
    /// Whether the run waits for older runs of the schedule to end.
    pub in_turn: bool,
}

/// Stores and numbers runs, which are queued from now on. A time that already has a run is skipped.
///
/// # Errors
/// When a statement fails.
pub async fn create(tx: &impl ConnectionTrait, rows: &[ScheduledRun], now: DateTime<Utc>) -> Result<(), DbErr> {
    if rows.is_empty() {
        return Ok(());
    }
    let count = i64::try_from(rows.len()).unwrap_or(i64::MAX);
    let mut number = take_run_numbers(tx, count).await?;
    for chunk in rows.chunks(ROWS) {
        tx.execute_raw(statement(tx.get_database_backend(), chunk, number, now)?).await?;
        number += i64::try_from(chunk.len()).unwrap_or(0);
    }
    Ok(())
}

fn statement(
    backend: DbBackend,
    rows: &[ScheduledRun],
    first_number: i64,
    now: DateTime<Utc>,
) -> Result<Statement, DbErr> {
    let mut sql = Binds::new(backend, "WITH v (id, number, job_id, scheduled_for, spec, in_turn) AS (VALUES ");
    for (row, number) in rows.iter().zip(first_number..) {
        let spec = serde_json::to_string(&row.spec).map_err(|error| DbErr::Json(error.to_string()))?;
        sql.sql(if number == first_number { "(" } else { ", (" });
        sql.value(row.id, "uuid").sql(", ").value(number, "bigint").sql(", ").value(row.job_id, "uuid").sql(", ");
        sql.value(row.scheduled_for, "timestamptz").sql(", ").value(spec, "jsonb").sql(", ");
        sql.value(row.in_turn, "boolean").sql(")");
    }
    sql.sql("), moment (now) AS (VALUES (");
    sql.value(now, "timestamptz").sql(
        ")) \
         INSERT INTO run (id, number, job_id, created_at, updated_at, trigger, event, scheduled_for, state, attempt, \
         spec, not_before, attempt_lines, total_lines, in_turn, log_bytes, log_cut, organization_id, slots) \
         SELECT v.id, v.number, v.job_id, now, now, 'SCHEDULE', 'CRON', v.scheduled_for, 'QUEUED', 1, v.spec, now, 0, 0, \
         v.in_turn, 0, false, job.organization_id, CASE WHEN cluster.kind <> 'LOCAL' THEN cluster.id ELSE ",
    );
    sql.value(SERVER_SLOTS, "uuid").sql(
        " END FROM v CROSS JOIN moment JOIN job ON job.id = v.job_id \
         JOIN environment ON environment.id = job.environment_id JOIN cluster ON cluster.id = environment.cluster_id \
         WHERE true ON CONFLICT (job_id, scheduled_for) DO NOTHING",
    );
    Ok(sql.statement())
}

//! New runs for times of schedules: very many at once, so only what differs between them is sent to the database.

use chrono::{DateTime, Utc};
use entity::id::{JobId, RunId};
use entity::run::RunSpec;
use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement, Value};

/// How many rows one statement inserts: below the limits on bound values of both databases.
const ROWS: usize = 1000;

/// A run for a time of a schedule.
#[derive(Clone, Debug)]
pub struct ScheduledRun {
    pub id: RunId,
    pub job_id: JobId,
    pub scheduled_for: DateTime<Utc>,
    pub spec: RunSpec,
    /// Not claimed while an older run of the job's schedule is open.
    pub in_turn: bool,
}

/// Stores runs that are queued from now on, and numbers them; a time that has its run already is left out.
///
/// # Errors
/// When a statement fails.
pub async fn create(tx: &impl ConnectionTrait, rows: &[ScheduledRun], now: DateTime<Utc>) -> Result<(), DbErr> {
    if rows.is_empty() {
        return Ok(());
    }
    let count = i64::try_from(rows.len()).unwrap_or(i64::MAX);
    let mut number = super::take_numbers(tx, entity::counter::RUN, count).await?;
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
    use std::fmt::Write as _;
    let kinds = match backend {
        DbBackend::Postgres => ["::uuid", "::bigint", "::uuid", "::timestamptz", "::jsonb", "::boolean"],
        _ => [""; 6],
    };
    let mut places = String::with_capacity(rows.len() * 60);
    let mut values: Vec<Value> = Vec::with_capacity(rows.len() * kinds.len() + 1);
    values.push(now.into());
    for (row, number) in rows.iter().zip(first_number..) {
        places.push_str(if places.is_empty() { "(" } else { ", (" });
        for (place, kind) in (values.len() + 1..).zip(kinds) {
            let comma = if place == values.len() + 1 { "" } else { ", " };
            // Writing to a String cannot fail.
            let _written = write!(places, "{comma}${place}{kind}");
        }
        places.push(')');
        let spec = serde_json::to_string(&row.spec).map_err(|error| DbErr::Json(error.to_string()))?;
        values.extend([
            row.id.into(),
            number.into(),
            row.job_id.into(),
            row.scheduled_for.into(),
            spec.into(),
            row.in_turn.into(),
        ]);
    }
    let sql = format!(
        "WITH v (id, number, job_id, scheduled_for, spec, in_turn) AS (VALUES {places}) \
         INSERT INTO run (id, number, job_id, created_at, updated_at, trigger, event, scheduled_for, state, attempt, \
         spec, not_before, attempt_lines, total_lines, in_turn, log_bytes, log_cut) \
         SELECT v.id, v.number, v.job_id, $1, $1, 'SCHEDULE', 'CRON', v.scheduled_for, 'QUEUED', 1, v.spec, $1, 0, 0, \
         v.in_turn, 0, false FROM v WHERE true ON CONFLICT (job_id, scheduled_for) DO NOTHING"
    );
    Ok(Statement::from_sql_and_values(backend, sql, values))
}

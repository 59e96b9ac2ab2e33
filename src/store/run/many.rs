//! Hand-overs and ends of several running runs, each in one statement.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use chrono::DateTime;
use entity::id::{JobId, RunId};
use entity::run::Event;
use entity::run_spec::RunSpec;
use entity::{log_chunk, run};
use sea_orm::{
    ActiveEnum as _, ActiveModelTrait as _, ActiveValue, ColumnTrait as _, ColumnType, Condition, ConnectionTrait,
    DbBackend, DbErr, IdenStatic as _, Iterable as _,
};
use uuid::Uuid;

use super::open::lock_in_order;
use super::transition::{Follows, Handover, IS_WATCHED, changeable, is_beyond, kept};
use crate::store::binds::Binds;

/// A run of a server, and where it is to be handed over to.
#[derive(Clone, Debug)]
pub struct HandOverRequest {
    pub id: RunId,
    pub owner: Option<Uuid>,
    pub to: Handover,
}

/// The end of a running run, with the last lines of its log.
#[derive(Clone, Debug)]
pub struct RunEnding {
    pub owner: Option<Uuid>,
    pub row: run::Model,
    pub chunks: Vec<log_chunk::Model>,
}

/// Whoever changes several runs locks them in the order of their numbers. SQLite has a single writer.
async fn lock(tx: &impl ConnectionTrait, ids: impl Iterator<Item = RunId>) -> Result<(), DbErr> {
    if tx.get_database_backend() == DbBackend::Postgres {
        lock_in_order(tx, Condition::all().add(run::Column::Id.is_in(ids))).await?;
    }
    Ok(())
}

/// Records where runs are about to be started, as `hand_over` does for one. Returns those that their owners have not lost.
///
/// # Errors
/// When a statement fails.
pub async fn hand_over_all(tx: &impl ConnectionTrait, all: &[HandOverRequest]) -> Result<HashSet<RunId>, DbErr> {
    lock(tx, all.iter().map(|one| one.id)).await?;
    let mut sql = Binds::new(tx.get_database_backend(), "WITH v (id, owner, runner, place, masks, step) AS (VALUES ");
    for (number, HandOverRequest { id, owner, to }) in all.iter().enumerate() {
        let Handover { runner, place, masks, step } = to.clone();
        sql.sql(if number == 0 { "(" } else { ", (" }).value(id.0, "uuid").sql(", ").value(*owner, "uuid");
        sql.sql(", ").value(runner.to_value(), "text").sql(", ").value(place, "text");
        sql.sql(", ").value(masks, "bytea").sql(", ").value(step, "text").sql(")");
    }
    // A build that is started again writes its log from the beginning.
    sql.sql(
        ") UPDATE run SET runner = v.runner, place = v.place, masks = v.masks, step = v.step, attempt_lines = 0 FROM v \
         WHERE run.id = v.id AND run.state = 'RUNNING' AND run.lease_owner = v.owner RETURNING run.id",
    );
    let rows = tx.query_all_raw(sql.statement()).await?;
    rows.iter().map(|row| row.try_get_by_index(0)).collect()
}

/// The columns that an end may change, each with its PostgreSQL type.
static OF_END: LazyLock<Vec<(run::Column, &'static str)>> = LazyLock::new(|| {
    let any = run::Model::queued(None, Event::Cron, RunSpec::default(), DateTime::UNIX_EPOCH);
    let any = changeable(any, false);
    let changes =
        |column: &run::Column| !matches!(column, run::Column::Id) && matches!(any.get(*column), ActiveValue::Set(_));
    run::Column::iter().filter(changes).map(|column| (column, kind(column))).collect()
});

fn kind(column: run::Column) -> &'static str {
    match column.def().get_column_type() {
        ColumnType::Uuid => "uuid",
        ColumnType::TimestampWithTimeZone => "timestamptz",
        ColumnType::Integer => "integer",
        ColumnType::BigInteger => "bigint",
        ColumnType::Boolean => "boolean",
        ColumnType::Json | ColumnType::JsonBinary => "jsonb",
        ColumnType::Binary(_) | ColumnType::VarBinary(_) | ColumnType::Blob => "bytea",
        _ => "text",
    }
}

/// Ends runs that are still as expected, as `advance` does for one. Returns those that were, with what follows.
///
/// # Errors
/// When a statement fails.
pub async fn advance_all(tx: &impl ConnectionTrait, all: &[RunEnding]) -> Result<HashMap<RunId, Follows>, DbErr> {
    lock(tx, all.iter().map(|end| end.row.id)).await?;
    let mut ended = HashMap::new();
    let mut left: Vec<&RunEnding> = all.iter().collect();
    while !left.is_empty() {
        let (some, others) = alike(left);
        left = others;
        advance_some(tx, &some, &mut ended).await?;
    }
    Ok(ended)
}

/// The ends that one statement can make, and the others: they keep as many runs, and are of different jobs, because a statement does
/// not count what it changes itself.
fn alike(all: Vec<&RunEnding>) -> (Vec<&RunEnding>, Vec<&RunEnding>) {
    let as_first = all.first().and_then(|end| kept(&end.row));
    let mut jobs: HashSet<JobId> = HashSet::new();
    all.into_iter().partition(|end| kept(&end.row) == as_first && end.row.job_id.is_none_or(|job| jobs.insert(job)))
}

async fn advance_some(
    tx: &impl ConnectionTrait,
    some: &[&RunEnding],
    ended: &mut HashMap<RunId, Follows>,
) -> Result<(), DbErr> {
    let Some((states, kept)) = some.first().and_then(|end| kept(&end.row)) else { return Ok(()) };
    let mut sql = Binds::new(tx.get_database_backend(), "WITH v (of_id, of_owner");
    for (column, _) in OF_END.iter() {
        sql.sql(", ").sql(column.as_str());
    }
    sql.sql(") AS (VALUES ");
    for (number, end) in some.iter().enumerate() {
        sql.sql(if number == 0 { "(" } else { ", (" });
        sql.value(end.row.id.0, "uuid").sql(", ").value(end.owner, "uuid");
        let row = changeable(end.row.clone(), false);
        for (column, kind) in OF_END.iter() {
            sql.sql(", ");
            match row.get(*column) {
                ActiveValue::Set(value) | ActiveValue::Unchanged(value) => sql.value(value, kind),
                ActiveValue::NotSet => sql.sql("NULL"),
            };
        }
        sql.sql(")");
    }
    sql.sql(") UPDATE run SET ");
    for (number, (column, _)) in OF_END.iter().enumerate() {
        let (comma, name) = (if number == 0 { "" } else { ", " }, column.as_str());
        sql.sql(&format!("{comma}{name} = v.{name}"));
    }
    sql.sql(
        " FROM v WHERE run.id = v.of_id AND run.state = 'RUNNING' AND run.lease_owner = v.of_owner RETURNING run.id, ",
    );
    sql.sql(IS_WATCHED).sql(", ").sql(&is_beyond(states, kept));
    for row in tx.query_all_raw(sql.statement()).await? {
        let follows = Follows { is_watched: row.try_get_by_index(1)?, is_beyond: row.try_get_by_index(2)? };
        ended.insert(row.try_get_by_index(0)?, follows);
    }
    Ok(())
}

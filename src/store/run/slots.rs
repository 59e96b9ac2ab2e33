//! Runs that wait for slots, and who holds slots. Both are read through indexes, so that a long queue costs no more than a short
//! one.

use chrono::{DateTime, Utc};
use entity::id::{OrganizationId, RunId};
use entity::run;
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QuerySelect, Statement};
use uuid::Uuid;

use super::in_turn::ITS_TURN;
use crate::store::binds::Binds;

/// Whose turn it may be: the slots that are needed, and the organization that needs them.
pub type Queue = (Uuid, OrganizationId);

/// The most queues that are considered at once.
const QUEUES: usize = 1000;
/// The most queues that one statement reads.
const TOGETHER: usize = 100;

/// The queues that are not empty. Skips from one to the next in the index.
const QUEUES_SQL: &str = "WITH RECURSIVE waiting (slots, organization_id) AS ( \
     SELECT slots, organization_id FROM (SELECT slots, organization_id FROM run WHERE state = 'QUEUED' \
     ORDER BY slots, organization_id LIMIT 1) AS first_one \
     UNION ALL \
     SELECT run.slots, run.organization_id FROM waiting JOIN run ON run.id = (SELECT later.id FROM run AS later \
     WHERE later.state = 'QUEUED' AND (later.slots, later.organization_id) > (waiting.slots, waiting.organization_id) \
     ORDER BY later.slots, later.organization_id LIMIT 1)) \
     SELECT slots, organization_id FROM waiting LIMIT ";

/// A run that waits for a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WaitingRun {
    pub id: RunId,
    pub organization: OrganizationId,
    pub since: DateTime<Utc>,
    pub number: i64,
}

/// The organizations that wait, by the slots that they need.
///
/// # Errors
/// When the query fails.
pub async fn list_queues(db: &impl ConnectionTrait) -> Result<Vec<Queue>, DbErr> {
    let sql = format!("{QUEUES_SQL}{QUEUES}");
    let rows = db.query_all_raw(Statement::from_string(db.get_database_backend(), sql)).await?;
    rows.iter().map(|row| Ok((row.try_get_by_index(0)?, row.try_get_by_index(1)?))).collect()
}

/// How many slots each organization holds on a server.
///
/// # Errors
/// When the query fails.
pub async fn count_held(db: &impl ConnectionTrait, owner: Uuid) -> Result<Vec<(Uuid, OrganizationId, i64)>, DbErr> {
    run::Entity::find()
        .select_only()
        .columns([run::Column::Slots, run::Column::OrganizationId])
        .column_as(run::Column::LeaseOwner.count(), "runs")
        // Only running runs have an owner. With these columns alone, the index suffices.
        .filter(run::Column::LeaseOwner.eq(owner))
        .filter(run::Column::Slots.ne(run::NO_SLOTS))
        .group_by(run::Column::Slots)
        .group_by(run::Column::OrganizationId)
        .into_tuple()
        .all(db)
        .await
}

/// The first `limit` runs of each queue that are due.
///
/// # Errors
/// When a query fails.
pub async fn list_waiting(
    db: &impl ConnectionTrait,
    queues: &[Queue],
    now: DateTime<Utc>,
    limit: u64,
) -> Result<Vec<WaitingRun>, DbErr> {
    let (mut waiting, most) = (Vec::new(), i64::try_from(limit).unwrap_or(i64::MAX));
    for chunk in queues.chunks(TOGETHER) {
        let mut sql = Binds::new(db.get_database_backend(), "");
        for (place, (slots, organization)) in chunk.iter().enumerate() {
            sql.sql(if place == 0 { "SELECT * FROM (" } else { " UNION ALL SELECT * FROM (" });
            sql.sql("SELECT run.id, run.organization_id, run.not_before, run.number FROM run WHERE run.state = 'QUEUED' AND run.slots = ");
            sql.value(*slots, "uuid").sql(" AND run.organization_id = ").value(*organization, "uuid");
            sql.sql(" AND run.not_before <= ").value(now, "timestamptz").sql(" AND ").sql(ITS_TURN);
            sql.sql(" ORDER BY run.not_before, run.number LIMIT ").value(most, "bigint");
            sql.sql(&format!(") AS queue_{place}"));
        }
        for row in db.query_all_raw(sql.statement()).await? {
            waiting.push(WaitingRun {
                id: row.try_get_by_index(0)?,
                organization: row.try_get_by_index(1)?,
                since: row.try_get_by_index(2)?,
                number: row.try_get_by_index(3)?,
            });
        }
    }
    Ok(waiting)
}

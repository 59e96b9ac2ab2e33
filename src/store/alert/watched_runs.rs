//! Open runs that may be late, or take too long. Each organization has a share of its own, so that many of one hide none of another.

use chrono::{DateTime, Utc};
use entity::id::{EnvironmentId, JobId, OrganizationId, RunId};
use sea_orm::{ConnectionTrait, DbErr};

use crate::store::binds::Binds;

/// The most runs of all organizations together; each of them gets its first ones before any gets more.
const TOGETHER: u32 = 5000;

/// An open run of a job.
#[derive(Clone, Copy, Debug)]
pub struct WatchedRun {
    pub id: RunId,
    pub organization: OrganizationId,
    pub environment: EnvironmentId,
    pub job: JobId,
    /// Since when it is late: its scheduled time, or when it started.
    pub since: DateTime<Utc>,
}

/// Which runs are looked at.
struct Look {
    /// The time since which they are watched.
    since: &'static str,
    /// Beside that they are open, in the words of the partial indexes.
    holds: &'static str,
    /// Of the runs of a job, numbered from the oldest.
    of_job: &'static str,
}

async fn list(
    db: &impl ConnectionTrait,
    look: Look,
    organizations: &[OrganizationId],
    before: DateTime<Utc>,
    share: u32,
) -> Result<Vec<WatchedRun>, DbErr> {
    if organizations.is_empty() {
        return Ok(Vec::new());
    }
    let Look { since, holds, of_job } = look;
    // SQLite takes the open runs first, and not all jobs, because of CROSS JOIN.
    let mut sql = Binds::new(
        db.get_database_backend(),
        &format!(
            "SELECT listed.id, listed.organization_id, listed.environment_id, listed.job_id, listed.since FROM (SELECT found.*, \
         ROW_NUMBER() OVER (PARTITION BY found.organization_id ORDER BY found.since, found.id) AS place FROM (SELECT run.id, \
         j.organization_id, j.environment_id, run.job_id, run.{since} AS since, \
         ROW_NUMBER() OVER (PARTITION BY run.job_id ORDER BY run.{since}, run.id) AS turn FROM run CROSS JOIN job j \
         WHERE j.id = run.job_id AND run.state IN ('QUEUED', 'RUNNING') AND {holds} AND run.{since} <= "
        ),
    );
    sql.value(before, "timestamptz").sql(" AND j.organization_id IN (");
    for (place, organization) in organizations.iter().enumerate() {
        sql.sql(if place == 0 { "" } else { ", " }).value(organization.0, "uuid");
    }
    sql.sql(&format!(
        ")) found WHERE {of_job}) listed WHERE listed.place <= {share} ORDER BY listed.place, listed.since LIMIT {TOGETHER}"
    ));
    let rows = db.query_all_raw(sql.statement()).await?;
    rows.iter()
        .map(|row| {
            Ok(WatchedRun {
                id: RunId(row.try_get_by_index(0)?),
                organization: OrganizationId(row.try_get_by_index(1)?),
                environment: EnvironmentId(row.try_get_by_index(2)?),
                job: JobId(row.try_get_by_index(3)?),
                since: row.try_get_by_index(4)?,
            })
        })
        .collect()
}

/// Of each job of some organizations the oldest scheduled run that has not started, the oldest first, up to `share` of an organization.
/// The runs of backfills wait on purpose, and one that waits for another attempt has started.
///
/// # Errors
/// When the query fails.
pub async fn list_late_runs(
    db: &impl ConnectionTrait,
    organizations: &[OrganizationId],
    before: DateTime<Utc>,
    share: u32,
) -> Result<Vec<WatchedRun>, DbErr> {
    let look = Look {
        since: "scheduled_for",
        holds: "run.state = 'QUEUED' AND run.started_at IS NULL AND run.backfill_id IS NULL",
        of_job: "found.turn = 1",
    };
    list(db, look, organizations, before, share).await
}

/// Running runs of jobs of some organizations that started before a time or at it, the oldest first, up to `share` of an organization.
///
/// # Errors
/// When the query fails.
pub async fn list_long_runs(
    db: &impl ConnectionTrait,
    organizations: &[OrganizationId],
    before: DateTime<Utc>,
    share: u32,
) -> Result<Vec<WatchedRun>, DbErr> {
    let look = Look { since: "started_at", holds: "run.state = 'RUNNING'", of_job: "found.turn >= 1" };
    list(db, look, organizations, before, share).await
}

//! Whether anything has happened to runs, at the price of four index lookups.

use sea_orm::{ConnectionTrait, DbErr, FromQueryResult, Statement};

/// The most running runs that are counted.
const COUNTED: usize = 1000;

/// Differs from an earlier one when a run was created, started or has ended in between. More than 1,000 running runs count as 1,000.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct Activity {
    newest: Option<i64>,
    /// When the runs that ended last expire.
    expires_at: Option<chrono::DateTime<chrono::Utc>>,
    running: i64,
    queued: i64,
}

/// What has happened to runs so far.
///
/// # Errors
/// When the query fails.
pub async fn activity(db: &impl ConnectionTrait) -> Result<Activity, DbErr> {
    let open = |state: &str| {
        format!("(SELECT count(*) FROM (SELECT 1 FROM run WHERE state = '{state}' LIMIT {COUNTED}) AS counted)")
    };
    let sql = format!(
        "SELECT (SELECT max(number) FROM run) AS newest, \
         (SELECT max(expires_at) FROM run WHERE expires_at IS NOT NULL) AS expires_at, {} AS running, {} AS queued",
        open("RUNNING"),
        open("QUEUED")
    );
    let found = Activity::find_by_statement(Statement::from_string(db.get_database_backend(), sql)).one(db).await?;
    found.ok_or_else(|| DbErr::RecordNotFound("the activity of runs".into()))
}

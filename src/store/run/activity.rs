//! Whether anything has happened to runs, at the price of four index lookups.

use std::time::{Duration, Instant};

use sea_orm::{ConnectionTrait, DbErr, FromQueryResult, Statement};
use tokio::sync::Mutex;

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

/// The activity of the last moment, which all open pages of a server share.
#[derive(Default)]
pub struct SharedActivity(Mutex<Option<(Instant, Activity)>>);

impl SharedActivity {
    /// What has happened to runs until now, or until `age` ago. Of those who ask together, one makes the query.
    ///
    /// # Errors
    /// When the query fails.
    pub async fn read(&self, db: &impl ConnectionTrait, age: Duration) -> Result<Activity, DbErr> {
        let mut kept = self.0.lock().await;
        if let Some((at, known)) = &*kept
            && at.elapsed() < age
        {
            return Ok(known.clone());
        }
        let found = activity(db).await?;
        *kept = Some((Instant::now(), found.clone()));
        Ok(found)
    }
}

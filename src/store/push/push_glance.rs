//! What the loop of pushes waits for, in one statement: most of the time, nothing is due.

use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, DbErr, Statement};

use super::head_row::ASKED;
use super::push_row::WAITING;
use crate::store::row_changes::Watched;

/// The tables at which `glance` looks.
pub const GLANCED: [Watched; 3] = [Watched::RepositoryHead, Watched::WorkspacePush, Watched::WorkspaceWebhook];

/// When something is due that the loop does; `None` if there is nothing of that kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PushGlance {
    /// The paths of a push are to be read.
    pub waiting: Option<DateTime<Utc>>,
    /// A repository is to be polled.
    pub poll: Option<DateTime<Utc>>,
    /// A branch is to be polled.
    pub head: Option<DateTime<Utc>>,
    /// A branch waits since then, because a push was delivered for it.
    pub asked_head: Option<DateTime<Utc>>,
}

/// Glances at everything that the loop does.
///
/// # Errors
/// When the query fails.
pub async fn glance(db: &impl ConnectionTrait) -> Result<PushGlance, DbErr> {
    let first = |column: &str, of: &str| format!("(SELECT {column} FROM {of} ORDER BY {column} LIMIT 1)");
    let columns = [
        first("next_attempt_at", &format!("workspace_push WHERE {WAITING}")),
        first("next_poll_at", "workspace_webhook WHERE next_poll_at IS NOT NULL"),
        first("next_poll_at", "repository_head"),
        first("asked_at", &format!("repository_head WHERE {ASKED}")),
    ];
    let sql = format!("SELECT {}", columns.join(", "));
    let row = db.query_one_raw(Statement::from_string(db.get_database_backend(), sql)).await?;
    let row = row.ok_or_else(|| DbErr::RecordNotFound("a row of constants".into()))?;
    Ok(PushGlance {
        waiting: row.try_get_by_index(0)?,
        poll: row.try_get_by_index(1)?,
        head: row.try_get_by_index(2)?,
        asked_head: row.try_get_by_index(3)?,
    })
}

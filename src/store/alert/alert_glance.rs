//! What the loop that decides about alerts waits for, in one statement: most of the time, nothing has happened.

use sea_orm::{ActiveEnum as _, ConnectionTrait, DbErr, Statement};

use super::rule_rows::TIMED;
use crate::store::row_changes::Watched;

/// The tables at which `glance` looks.
pub const GLANCED: [Watched; 4] = [Watched::Alert, Watched::AlertCause, Watched::AlertRule, Watched::Webhook];

/// What there is for the loop to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AlertGlance {
    /// Whether anything was stored that no server has decided about.
    pub causes: bool,
    /// Whether there is an alert that may end, or anything whose time is watched.
    pub watches: bool,
}

/// Glances at everything that the loop decides about.
///
/// # Errors
/// When the query fails.
pub async fn glance(db: &impl ConnectionTrait) -> Result<AlertGlance, DbErr> {
    let timed = TIMED.map(|condition| format!("'{}'", condition.to_value())).join(", ");
    let sql = format!(
        "SELECT CASE WHEN (SELECT id FROM alert_cause ORDER BY id LIMIT 1) IS NOT NULL THEN 1 ELSE 0 END, \
         CASE WHEN (SELECT id FROM alert ORDER BY id LIMIT 1) IS NOT NULL \
         OR EXISTS (SELECT 1 FROM alert_rule WHERE enabled AND condition IN ({timed})) \
         OR EXISTS (SELECT 1 FROM webhook WHERE enabled AND own_events IS NOT NULL) THEN 1 ELSE 0 END"
    );
    let row = db.query_one_raw(Statement::from_string(db.get_database_backend(), sql)).await?;
    let row = row.ok_or_else(|| DbErr::RecordNotFound("a row of constants".into()))?;
    let is = |column: usize| Ok::<_, DbErr>(row.try_get_by_index::<i32>(column)? != 0);
    Ok(AlertGlance { causes: is(0)?, watches: is(1)? })
}

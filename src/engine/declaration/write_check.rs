//! Stores a declared check, with its event.

use entity::id::JobId;
use sea_orm::DatabaseTransaction;

use super::step::CheckState;
use super::written_so_far::Written;
use crate::engine::job_check::{CheckChange, CheckDefinition, Labels, create_in, delete_in, update_in};
use crate::error::{Error, Result};

/// Creates, changes or deletes a check.
pub(super) async fn write(
    written: &mut Written<'_>,
    tx: &DatabaseTransaction,
    id: JobId,
    (before, after): (Option<&CheckState>, Option<&CheckState>),
) -> Result<()> {
    let (app, by, environment, now) = (written.app, written.by, &written.stored.environment, written.now);
    let Some(CheckState { name, spec }) = after.cloned() else {
        let Some(row) = written.stored.checks.iter().find(|row| row.id == id) else {
            return Err(Error::NotFound("check"));
        };
        return delete_in(app, by, tx, environment, row).await;
    };
    let definition = CheckDefinition { name, spec };
    if before.is_none() {
        return create_in(app, by, tx, environment, (id, definition), now).await.map(|_| ());
    }
    let change = CheckChange { id, definition, labels: Labels::AsDefined };
    let (_, _, settled) = update_in(app, by, tx, environment, change, now).await?;
    written.settled.add(settled);
    Ok(())
}

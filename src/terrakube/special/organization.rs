//! Creating an organization.

use sea_orm::DatabaseTransaction;

use crate::bootstrap;
use crate::store::resource::{Cell, Row};
use crate::terrakube::changes::{Changes, WriteMethod, conflict};
use crate::terrakube::error::Result;
use crate::terrakube::session::Session;

/// Creates an organization with its cluster and templates. The caller becomes its owner.
pub(super) async fn organization(session: &Session, tx: &DatabaseTransaction, changes: &Changes) -> Result<Row> {
    let person = session.caller.person().ok_or_else(|| WriteMethod::Create.denied())?;
    bootstrap::may_create_organization(&session.app, person, session.caller.email()).await?;
    let name = changes.text("name").unwrap_or_default();
    let text = |column| changes.text(column);
    let row = entity::organization::Model {
        description: text("description"),
        execution_mode: text("execution_mode"),
        icon: text("icon"),
        disabled: changes.get("disabled").is_some_and(Cell::is_true),
        plan: session.app.config.organization_plan.clone(),
        ..entity::organization::Model::new(&name, session.now)
    };
    let row = bootstrap::create_organization(&session.app, tx, row, person, session.now).await.map_err(conflict)?;
    let mut made: Row = changes.0.iter().map(|(column, cell)| (column.name, cell.clone())).collect();
    made.insert("id", Cell::Id(row.id.0));
    Ok(made)
}

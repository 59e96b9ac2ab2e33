//! Whose rights the jobs of a schedule act with.

use entity::id::TemplateId;
use sea_orm::DatabaseTransaction;

use crate::access::principal;
use crate::engine::template::PLAN;
use crate::engine::workspace::Flow;
use crate::store;
use crate::store::resource::{Cell, Kind, Row};
use crate::terrakube::changes::Changes;
use crate::terrakube::error::{Problem, Result};
use crate::terrakube::path_context::PathContext;
use crate::terrakube::session::Session;

/// Whoever creates, changes or enables a schedule needs the rights for what it starts, and stands behind it from then on. Disabling one
/// takes only the right to manage the workspace.
pub(super) async fn require_flow(
    session: &Session,
    tx: &DatabaseTransaction,
    found: &PathContext,
    row: Option<&Row>,
    changes: &mut Changes,
) -> Result<()> {
    let kept = |column: &str| changes.get(column).or(row.and_then(|row| row.get(column))).cloned();
    let text =
        |column: &str| kept(column).and_then(|cell| cell.text().map(str::to_owned)).filter(|text| !text.is_empty());
    if !kept("enabled").is_none_or(|cell| cell.is_true()) {
        return Ok(());
    }
    if kept("refresh_only").is_some_and(|cell| cell.is_true()) {
        if text("template_reference").is_some() || text("tcl").is_some() {
            return Err(Problem::bad(
                "refreshOnly: a schedule that only looks for drift has neither a templateReference nor a tcl",
            ));
        }
        Flow::of_default(PLAN)?.require(session.rights(found))?;
        changes.set("principal", Kind::Text, Cell::Text(principal::stored(&session.caller)));
        return Ok(());
    }
    let organization = found.organization.ok_or_else(|| Problem::bad("a schedule must belong to a workspace"))?;
    let template = match text("template_reference") {
        Some(id) => {
            let unknown = || Problem::bad(format!("templateReference: Unknown identifier {id} for template"));
            Some(TemplateId(id.parse().map_err(|_| unknown())?))
        }
        None if text("tcl").is_none() => default_template(tx, found).await?,
        None => None,
    };
    let flow = Flow::load(tx, organization, template, text("tcl").as_deref()).await?;
    flow.require(session.rights(found))?;
    changes.set("principal", Kind::Text, Cell::Text(principal::stored(&session.caller)));
    Ok(())
}

/// The default template of the workspace.
async fn default_template(tx: &DatabaseTransaction, found: &PathContext) -> Result<Option<TemplateId>> {
    let Some(id) = found.workspace else { return Ok(None) };
    let row = store::row::by_id::<entity::workspace::Model>(tx, id).await?;
    Ok(row.and_then(|row| row.default_template?.parse().ok()).map(TemplateId))
}

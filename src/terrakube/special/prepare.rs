//! Derived columns, and checks beyond the type of an attribute.

use entity::id::ClusterId;
use sea_orm::DatabaseTransaction;

use crate::engine::{approval_team, template, workspace, workspace_cluster, workspace_definition};
use crate::store;
use crate::store::resource::{Cell, Kind, Row};
use crate::terrakube::attribute_value::scalar;
use crate::terrakube::changes::Changes;
use crate::terrakube::document::ResourceObject;
use crate::terrakube::error::{Problem, Result};
use crate::terrakube::path_context::PathContext;
use crate::terrakube::session::Session;

/// Older clients send only `manageJob`; it stands for both `planJob` and `approveJob`.
pub(super) fn split_legacy_right(given: &ResourceObject, changes: &mut Changes) {
    let says = |name: &str| given.attributes.get(name).is_some_and(|value| !value.is_null());
    let manages = changes.get("manage_job").is_some_and(Cell::is_true);
    if manages && !says("planJob") && !says("approveJob") {
        changes.set("plan_job", Kind::Flag, Cell::Flag(true));
        changes.set("approve_job", Kind::Flag, Cell::Flag(true));
    }
}

/// Rejects a template that could not be run, of its own or of a job. Called before a transaction is open, because parsing takes a while.
pub(in crate::terrakube) fn check_template(given: &ResourceObject) -> Result<()> {
    let text = |name: &str| given.attributes.get(name).and_then(scalar);
    let is_read = match given.kind.as_str() {
        "template" | "job" => true,
        // A template takes precedence, and clients send an empty text for none.
        "schedule" => {
            text("templateReference").is_none_or(|id| id.is_empty()) && text("tcl").is_some_and(|tcl| !tcl.is_empty())
        }
        _ => false,
    };
    let Some(tcl) = text("tcl").filter(|_| is_read) else { return Ok(()) };
    let checked = template::parse(&tcl).and_then(|steps| template::refuse_logins(&steps));
    checked.map_err(|refused| Problem::bad(format!("tcl: {}", refused.0)))
}

/// Rejects a template whose approvals ask teams that do not exist.
pub(super) async fn check_teams(tx: &DatabaseTransaction, found: &PathContext, changes: &Changes) -> Result<()> {
    let (Some(tcl), Some(organization)) = (changes.text("tcl"), found.organization) else { return Ok(()) };
    let flow = template::parse(&tcl).map_err(|refused| Problem::bad(format!("tcl: {}", refused.0)))?;
    Ok(approval_team::check(tx, organization, &flow).await?)
}

/// Whether a document asks for a tool, a version of it or a place to run it; then `check_tool` needs to know the installed ones.
pub(in crate::terrakube) fn names_tool(given: &ResourceObject) -> bool {
    let has = |name: &&str| given.attributes.contains_key(*name) || given.relationships.contains_key(*name);
    given.kind == "workspace" && ["iacType", "terraformVersion", "executionMode", "agent"].iter().any(has)
}

/// Rejects a range of versions of the tool that none can satisfy.
pub(super) async fn check_tool(
    session: &Session,
    tx: &DatabaseTransaction,
    found: &PathContext,
    row: Option<&Row>,
    changes: &Changes,
) -> Result<()> {
    if ["terraform_version", "iac_type", "execution_mode", "cluster_id"]
        .iter()
        .all(|column| changes.get(column).is_none())
    {
        return Ok(());
    }
    let kept = |column: &str| {
        let cell = changes.get(column).or(row.and_then(|row| row.get(column)));
        cell.and_then(Cell::text).unwrap_or_default().to_owned()
    };
    let (tool, range) = (kept("iac_type"), kept("terraform_version"));
    let Some(organization) = found.organization else { return Ok(()) };
    let mode = kept("execution_mode");
    let cluster = changes.get("cluster_id").or(row.and_then(|row| row.get("cluster_id"))).and_then(Cell::id);
    let place = (organization, cluster.map(ClusterId));
    Ok(workspace_definition::check_tool(&session.app, tx, place, &mode, (&tool, &range)).await?)
}

/// Rejects a cluster that cannot execute the steps of a workspace.
pub(super) async fn check_cluster(
    tx: &DatabaseTransaction,
    found: &PathContext,
    row: Option<&Row>,
    changes: &Changes,
) -> Result<()> {
    let stored = row.and_then(|row| row.get("cluster_id")).and_then(Cell::id);
    match (changes.get("cluster_id").and_then(Cell::id), found.organization) {
        (Some(id), Some(organization)) if stored != Some(id) => {
            Ok(workspace_cluster::check(tx, organization, ClusterId(id)).await?)
        }
        _ => Ok(()),
    }
}

/// Notes who blocks a workspace for new jobs, and since when.
pub(super) fn note_lock(session: &Session, row: Option<&Row>, changes: &mut Changes) {
    let Some(locked) = changes.get("locked").map(Cell::is_true) else { return };
    if row.and_then(|row| row.get("locked")).is_some_and(Cell::is_true) == locked {
        return;
    }
    let (by, at) = match locked {
        true => (Cell::Text(session.author().to_owned()), Cell::Time(session.now)),
        false => (Cell::Null, Cell::Null),
    };
    changes.set("locked_by", Kind::Text, by);
    changes.set("locked_at", Kind::Time, at);
}

/// Rejects a folder outside the repository.
pub(super) fn check_folder(changes: &Changes) -> Result<()> {
    let Some(folder) = changes.text("folder") else { return Ok(()) };
    workspace_definition::check_folder(&folder).map_err(|allowed| Problem::bad(format!("folder {allowed}")))
}

pub(super) fn set_next_run(session: &Session, row: Option<&Row>, changes: &mut Changes) -> Result<()> {
    let kept = |column: &str| changes.get(column).or(row.and_then(|row| row.get(column))).cloned();
    let cron = kept("cron").and_then(|cell| cell.text().map(str::to_owned)).unwrap_or_default();
    let enabled = kept("enabled").is_none_or(|cell| cell.is_true());
    let next = workspace::next_time(&cron, session.now)?.filter(|_| enabled);
    changes.set("next_run_at", Kind::Time, next.map_or(Cell::Null, Cell::Time));
    Ok(())
}

/// Checks that a workspace tag refers to a tag of the same organization.
pub(super) async fn check_tag(tx: &DatabaseTransaction, found: &PathContext, changes: &Changes) -> Result<()> {
    let Some(Cell::Id(id)) = changes.get("tag_id") else { return Ok(()) };
    let tag = store::row::by_id::<entity::tag::Model>(tx, entity::id::TagId(*id)).await?;
    if tag.is_some_and(|tag| Some(tag.organization_id) == found.organization) {
        return Ok(());
    }
    Err(Problem::unknown(&id.to_string(), "tag"))
}

pub(super) fn set_name_key(changes: &mut Changes) {
    if let Some(name) = changes.text("name") {
        changes.set("name_key", Kind::Text, Cell::Text(entity::name_key(&name)));
    }
}

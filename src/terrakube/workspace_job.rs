//! Workspace jobs: creating them, changing their status, and deleting them.

use entity::id::TemplateId;
use entity::workspace_job::{self, JobStatus};
use poem::http::StatusCode;
use sea_orm::{ActiveEnum as _, DatabaseTransaction};
use serde_json::Value;

use super::changes::Changes;
use super::document::ResourceObject;
use super::error::{Problem, Result};
use super::path_context::PathContext;
use super::session::Session;
use crate::access::{Action, Location, principal};
use crate::engine::limits;
use crate::engine::workspace::{self, NewJob, Reviewer};
use crate::engine::workspace_event::{self, By, kind};
use crate::engine::workspace_removal;
use crate::store;
use crate::store::resource::{Cell, Row};
use crate::store::workspace::StepsOf;

/// The default templates behind the commands of the Terrakube command line.
const COMMANDS: [(&str, &str); 3] = [("plan", "Plan"), ("apply", "Plan and apply"), ("destroy", "Destroy")];

/// Stores a new job with its steps.
pub(super) async fn create(
    session: &Session,
    tx: &DatabaseTransaction,
    found: &PathContext,
    given: &ResourceObject,
    changes: &Changes,
) -> Result<Row> {
    let id = found.workspace.ok_or_else(|| Problem::bad("relationships.workspace must not be null"))?;
    let organization = found.organization.ok_or_else(|| Problem::bad("a job must be created below an organization"))?;
    let rights = session.reach.in_workspace(organization, id);
    if !rights.plan {
        return Err(Problem::denied("CreatePermission"));
    }
    if changes.text("status").is_some_and(|status| status != "pending") {
        return Err(Problem::bad("Invalid value: the status of a new job must be pending"));
    }
    let row = store::workspace::lock(tx, id).await?.filter(|row| !row.deleted);
    let row = row.ok_or_else(|| Problem::unknown(&id.to_string(), "workspace"))?;
    let named = changes.text("template_reference");
    let template = match named {
        Some(text) => {
            let unknown = || Problem::bad(format!("templateReference: Unknown identifier {text} for template"));
            Some(TemplateId(text.parse().map_err(|_| unknown())?))
        }
        None => of_command(tx, &row, given).await?,
    };
    let texts = |column: &str| match changes.get(column) {
        Some(Cell::Json(list)) => serde_json::from_value(list.clone()).unwrap_or_default(),
        _ => Vec::new(),
    };
    let wanted = NewJob {
        template,
        tcl: changes.text("tcl"),
        comments: changes.text("comments"),
        commit_id: commit_of(changes)?,
        override_branch: changes.text("override_branch"),
        via: changes.text("via").unwrap_or_default(),
        refresh: changes.get("refresh").is_some_and(Cell::is_true),
        refresh_only: changes.get("refresh_only").is_some_and(Cell::is_true),
        targets: texts("target_addrs"),
        replacements: texts("replace_addrs"),
        by: session.author().to_owned(),
        requester: Some(session.requester()),
        principal: Some(principal::stored(&session.caller)),
        rights,
        cloud: None,
        push: None,
    };
    let job = workspace::create(tx, &row, wanted, session.now).await?;
    Ok(Row::from([
        ("id", Cell::Number(job.id)),
        ("organization_id", Cell::Id(organization.0)),
        ("workspace_id", Cell::Id(id.0)),
    ]))
}

/// The commit to run, instead of the newest one.
fn commit_of(changes: &Changes) -> Result<Option<String>> {
    let given = changes.text("commit_id").filter(|text| !text.is_empty());
    given.map(|text| limits::commit("commitId", &text).map_err(Problem::from)).transpose()
}

/// The template of the `command` attribute, if there is one.
async fn of_command(
    tx: &DatabaseTransaction,
    row: &entity::workspace::Model,
    given: &ResourceObject,
) -> Result<Option<TemplateId>> {
    let Some(Value::String(word)) = given.attributes.get("command") else { return Ok(None) };
    if word.is_empty() {
        return Ok(None);
    }
    let name = COMMANDS.iter().find(|(known, _)| known == word).map(|(_, name)| *name);
    let name = name.ok_or_else(|| {
        Problem::bad(format!("Invalid value: {word} for command: must be one of plan, apply, destroy"))
    })?;
    let template = store::workspace::template_by_name(tx, row.organization_id, name).await?;
    let template =
        template.ok_or_else(|| Problem::bad(format!("command: the organization has no template named {name}")))?;
    Ok(Some(template.id))
}

/// Updates the comments of a job, or changes its status.
pub(super) async fn update(
    session: &Session,
    tx: &DatabaseTransaction,
    found: &PathContext,
    row: &Row,
    changes: &Changes,
) -> Result<()> {
    let job = load(tx, row).await?;
    let comments = match changes.get("comments") {
        Some(cell) => cell.text().map(str::to_owned),
        None => job.comments.clone(),
    };
    let job =
        workspace_job::Model { comments, updated_at: session.now, updated_by: session.author().to_owned(), ..job };
    let same = job.status.to_value();
    let Some(status) = changes.text("status").filter(|status| *status != same) else {
        store::row::update(tx, job).await?;
        return Ok(());
    };
    let rights = session.rights(found);
    if !rights.approve {
        return Err(Problem::denied("UpdatePermission"));
    }
    let cannot = || Problem::new(StatusCode::CONFLICT, format!("status: a client cannot set the status {status}"));
    let to = JobStatus::try_from_value(&status).map_err(|_| cannot())?;
    // Members whose role lets them deploy approve for any team; so do those who manage the teams.
    let deploys = found.organization.is_some_and(|id| session.caller.may(id, Action::Deploy, &Location::default()));
    let who = session.requester();
    let by = Reviewer { who: &who, groups: &session.caller.identity.groups, above: rights.teams || deploys };
    workspace::turn(&session.app, tx, job, to, &by, session.now).await?;
    Ok(())
}

/// Expires the logs of a job that has ended.
pub(super) async fn delete(session: &Session, tx: &DatabaseTransaction, row: &Row) -> Result<()> {
    let job = load(tx, row).await?;
    if !job.status.is_final() {
        return Err(Problem::new(StatusCode::CONFLICT, "the job has not ended; cancel it first"));
    }
    workspace_removal::refuse_open_run(tx, StepsOf::Job(job.id)).await?;
    store::workspace::expire_runs(tx, StepsOf::Job(job.id), session.now).await?;
    let (who, at) = (session.requester(), session.now);
    Ok(workspace_event::job(tx, By { who: &who, at }, kind::DELETE, &job).await?)
}

async fn load(tx: &DatabaseTransaction, row: &Row) -> Result<workspace_job::Model> {
    let id = row.get("id").and_then(Cell::number).unwrap_or_default();
    store::workspace::lock_job(tx, id).await?.ok_or_else(|| Problem::unknown(&id.to_string(), "job"))
}

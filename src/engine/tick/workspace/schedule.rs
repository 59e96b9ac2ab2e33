//! The pass that creates workspace jobs for due schedules, and the creation of the schedules that a step names.

use chrono::{DateTime, Utc};
use entity::id::{TemplateId, WorkspaceScheduleId};
use entity::{workspace_job, workspace_schedule};
use sea_orm::DatabaseTransaction;

use crate::app::App;
use crate::engine::tick::pass::{BATCH, Wish, report, succeeded};
use crate::engine::workspace::{Flow, NewJob, create, create_failed, next_time, rights_of};
use crate::engine::workspace_drift::{self, JobRequester};
use crate::error::{Error, Result};
use crate::liveness::passes::Pass;
use crate::store;

const PASS: Pass = Pass::WorkspaceSchedules;

/// Creates jobs for the workspace schedules that are due, and sets their next times.
///
/// # Errors
/// Database errors.
pub(in crate::engine::tick) async fn run_once(app: &App, now: DateTime<Utc>) -> Result<bool> {
    let due = store::workspace::due_schedules(&app.db, app.setbacks.paused(PASS, now), now, BATCH).await?;
    let more = due.len() as u64 == BATCH;
    for id in due {
        match store::write(&app.db, async |tx| one(tx, id, now).await).await {
            Ok(()) => succeeded(app, PASS, id),
            // A schedule has no end; it is tried again after the longest pause.
            Err(error) => {
                report(app, (PASS, "workspace schedule"), id, &error, Wish::Process, now);
            }
        }
    }
    Ok(more)
}

async fn one(tx: &DatabaseTransaction, id: WorkspaceScheduleId, now: DateTime<Utc>) -> Result<()> {
    let Some(row) = store::workspace::lock_due_schedule(tx, id, now).await? else { return Ok(()) };
    // After an outage, one missed time is caught up late; the others are dropped.
    let next = next_time(&row.cron, now).unwrap_or_else(|refused| {
        // An earlier release took expressions that Quartz refuses.
        tracing::warn!(schedule = %row.id, reason = refused.public(), "workspace schedule has no next time");
        None
    });
    let next_run_at = next.filter(|_| row.enabled);
    let moved = workspace_schedule::Model { next_run_at, ..row.clone() };
    store::row::update(tx, moved).await?;
    create_job(tx, row, now).await
}

async fn create_job(tx: &DatabaseTransaction, row: workspace_schedule::Model, now: DateTime<Utc>) -> Result<()> {
    let Some(workspace) = store::workspace::lock(tx, row.workspace_id).await? else { return Ok(()) };
    if workspace.deleted || workspace.locked {
        tracing::info!(schedule = %row.id, workspace = %workspace.id, "time skipped: the workspace is locked or deleted");
        return Ok(());
    }
    let rights = rights_of(tx, row.principal.as_deref(), (row.organization_id, row.workspace_id)).await?;
    let principal = row.principal.clone();
    let of = JobRequester { by: "serviceAccount".into(), requester: None, principal, rights, via: "Schedule".into() };
    let planned = |of: JobRequester| NewJob {
        template: row.template_reference.as_ref().and_then(|id| id.parse().ok()).map(TemplateId),
        tcl: row.tcl.clone().filter(|tcl| !tcl.is_empty()),
        via: of.via,
        refresh: true,
        by: of.by,
        rights: of.rights,
        principal: of.principal,
        ..NewJob::default()
    };
    let wanted = if row.refresh_only { workspace_drift::check(of) } else { planned(of) };
    // Jobs of a workspace are carried out one after the other. While one waits, perhaps for days until it is approved, each time would add
    // another one behind it that does the same, and they would never be worked off. The one that has not begun stands for all times until
    // then, like the one after an outage.
    let unbegun = store::workspace::unbegun_jobs(tx, workspace.id).await?;
    if let Some(job) = unbegun.into_iter().find(|job| wanted.is_like(&workspace, job)) {
        tracing::info!(schedule = %row.id, job = job.id, "time skipped: the job of an earlier time has not begun");
        return Ok(());
    }
    let reason = match create(tx, &workspace, wanted.clone(), now).await {
        Ok(_) => return Ok(()),
        Err(Error::Forbidden(reason)) => format!("whoever set up the schedule may no longer do this: {reason}"),
        Err(error @ (Error::Invalid { .. } | Error::Conflict(_))) => error.public(),
        Err(error) => return Err(error),
    };
    tracing::warn!(schedule = %row.id, reason, "the job of a workspace schedule could not be started");
    create_failed(tx, &workspace, wanted, format!("the schedule could not start this job: {reason}"), now).await?;
    Ok(())
}

/// Creates the schedule that a step names.
///
/// # Errors
/// `Invalid` if the template does not exist, if whoever is behind the job may not use it, or if the expression cannot be parsed.
pub(super) async fn schedule_template(
    tx: &DatabaseTransaction,
    of: &workspace_job::Model,
    (name, cron): (&str, &str),
    now: DateTime<Utc>,
) -> Result<()> {
    let template = store::workspace::template_by_name(tx, of.organization_id, name).await?;
    let template = template.ok_or_else(|| Error::invalid("templates", format!("there is no template {name}")))?;
    let flow = Flow::load(tx, of.organization_id, Some(template.id), None).await?;
    let rights = rights_of(tx, of.principal.as_deref(), (of.organization_id, of.workspace_id)).await?;
    flow.require(rights).map_err(|refused| Error::invalid("templates", format!("{name}: {}", refused.public())))?;
    let row = workspace_schedule::Model {
        id: WorkspaceScheduleId::create(),
        organization_id: of.organization_id,
        workspace_id: of.workspace_id,
        created_at: now,
        updated_at: now,
        created_by: of.created_by.clone(),
        updated_by: of.created_by.clone(),
        cron: cron.to_owned(),
        tcl: None,
        template_reference: Some(template.id.to_string()),
        description: None,
        enabled: true,
        next_run_at: next_time(cron, now)?,
        principal: of.principal.clone(),
        refresh_only: false,
    };
    store::row::create(tx, row).await?;
    Ok(())
}

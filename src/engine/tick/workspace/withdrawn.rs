//! The pass over workspace jobs that wait for an approval: it ends those of hidden workspaces, those whose requester has lost the right to
//! them, those that have waited for too long and those that a newer push supersedes, and says so of those whose plan is stale.

use std::sync::atomic::Ordering;

use chrono::{DateTime, Utc};
use entity::workspace_job::JobStatus;
use entity::{workspace, workspace_job, workspace_step};
use sea_orm::ConnectionTrait;

use crate::app::App;
use crate::engine::job_withdrawal::{HIDDEN, withdraw};
use crate::engine::push::superseded;
use crate::engine::tick::give_up;
use crate::engine::tick::pass::{BATCH, Verdict, Wish, reason as reason_of, report, succeeded};
use crate::engine::workspace::{AUTO_APPLY, rights_of};
use crate::engine::{approval_wait, destroy_protection, template};
use crate::error::Result;
use crate::liveness::passes::Pass;
use crate::store;

const PASS: Pass = Pass::WorkspaceApprovals;

/// Checks a batch of waiting jobs, beginning after the last one that was checked.
pub(in crate::engine::tick) async fn run_once(app: &App, now: DateTime<Utc>) -> Result<bool> {
    let after = app.approvals_checked.load(Ordering::Relaxed);
    let jobs = store::workspace::waiting(&app.db, app.setbacks.paused(PASS, now), after, BATCH).await?;
    let more = jobs.len() as u64 == BATCH;
    let last = jobs.last().filter(|_| more).map_or(0, |job| job.id);
    app.approvals_checked.store(last, Ordering::Relaxed);
    for job in jobs {
        match one(app, &job, now).await {
            Ok(()) => succeeded(app, PASS, job.id),
            Err(error) => {
                if report(app, (PASS, "workspace job"), job.id, &error, Wish::Process, now) == Verdict::GiveUp {
                    give_up::workspace_job(app, job.id, reason_of("the job", &error), now).await;
                }
            }
        }
    }
    Ok(more)
}

async fn one(app: &App, job: &workspace_job::Model, now: DateTime<Utc>) -> Result<()> {
    let days = app.config.approval_days;
    let why = match reason(&app.db, job).await? {
        Some(why) => Some(why),
        None if approval_wait::is_over(job, days, now) => Some(approval_wait::not_given(days)),
        None => superseded::reason(&app.db, job).await?,
    };
    let Some(why) = why else { return note_stale(app, job).await };
    store::write(&app.db, async |tx| {
        let Some(job) = store::workspace::lock_job(tx, job.id).await? else { return Ok(()) };
        if job.status == JobStatus::WaitingApproval { withdraw(app, tx, job, why.clone(), now).await } else { Ok(()) }
    })
    .await
}

/// Says so if the plan of a job is stale, and no longer if it is not.
async fn note_stale(app: &App, job: &workspace_job::Model) -> Result<()> {
    match approval_wait::stale(app, &app.db, job).await? {
        Some(text) => {
            store::write_one(&app.db, async |db| store::workspace::set_output(&db, job.id, &text).await).await?;
        }
        // Variables may become what they were.
        None if job.output.as_ref().is_some_and(|text| text.starts_with(approval_wait::STALE)) => {
            store::write_one(&app.db, async |db| {
                store::workspace::clear_output(&db, job.id, approval_wait::STALE).await
            })
            .await?;
        }
        None => {}
    }
    Ok(())
}

/// Why a job may not go on; none if it may. Asked before each step.
pub(super) async fn stops(
    db: &impl ConnectionTrait,
    job: &workspace_job::Model,
    steps: &[workspace_step::Model],
) -> Result<Option<String>> {
    match reason(db, job).await? {
        Some(why) => Ok(Some(why)),
        None => destroy_protection::stops(db, job, steps).await,
    }
}

/// Whether the workspace of a job is hidden.
pub(super) async fn is_hidden(db: &impl ConnectionTrait, job: &workspace_job::Model) -> Result<bool> {
    let of = store::row::by_id::<workspace::Model>(db, job.workspace_id).await?;
    Ok(of.is_some_and(|of| of.deleted))
}

/// The same for a job that waits: its workspace was hidden, or its requester has lost the right to it.
async fn reason(db: &impl ConnectionTrait, job: &workspace_job::Model) -> Result<Option<String>> {
    if is_hidden(db, job).await? {
        return Ok(Some(HIDDEN.to_owned()));
    }
    let Ok(flow) = template::parse(&job.tcl) else { return Ok(None) };
    let rights = rights_of(db, job.principal.as_deref(), (job.organization_id, job.workspace_id)).await?;
    let is_own = job.template_reference.is_none() && !template::is_default(&job.tcl);
    let not_asking = (job.auto_apply && !rights.approve).then_some(AUTO_APPLY);
    let lost = template::refusal(&flow, is_own, rights).or(not_asking);
    Ok(lost.map(|lost| format!("cancelled: {} may no longer do this: {lost}", job.created_by)))
}

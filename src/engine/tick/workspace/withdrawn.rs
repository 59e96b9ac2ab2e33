//! The pass that ends workspace jobs that wait for an approval, when whoever asked for them has lost the right to it.

use std::sync::atomic::Ordering;

use chrono::{DateTime, Utc};
use entity::workspace_job;
use entity::workspace_job::JobStatus;
use sea_orm::{ConnectionTrait, DatabaseTransaction};

use crate::app::App;
use crate::engine::template;
use crate::engine::tick::give_up;
use crate::engine::tick::pass::{BATCH, Verdict, Wish, reason as reason_of, report, succeeded};
use crate::engine::workspace::rights_of;
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
    let Some(lost) = reason(&app.db, job).await? else { return Ok(()) };
    store::write(&app.db, async |tx| {
        let Some(job) = store::workspace::lock_job(tx, job.id).await? else { return Ok(()) };
        if job.status == JobStatus::WaitingApproval { end(tx, job, lost, now).await } else { Ok(()) }
    })
    .await
}

/// Why a job may not go on; none if it may.
pub(super) async fn reason(db: &impl ConnectionTrait, job: &workspace_job::Model) -> Result<Option<&'static str>> {
    let Ok(flow) = template::parse(&job.tcl) else { return Ok(None) };
    let rights = rights_of(db, job.principal.as_deref(), (job.organization_id, job.workspace_id)).await?;
    Ok(template::refusal(&flow, job.template_reference.is_none(), rights))
}

/// Cancels a job, and says why.
pub(super) async fn end(
    tx: &DatabaseTransaction,
    job: workspace_job::Model,
    reason: &str,
    now: DateTime<Utc>,
) -> Result<()> {
    store::workspace::turn_steps(tx, job.id, (JobStatus::Pending, JobStatus::Cancelled), now).await?;
    let output = Some(format!("cancelled: {} may no longer do this: {reason}", job.created_by));
    let job = workspace_job::Model { status: JobStatus::Cancelled, output, updated_at: now, ..job };
    tracing::info!(job = job.id, reason, "workspace job cancelled: rights were withdrawn");
    store::workspace::update_job(tx, job).await?;
    Ok(())
}

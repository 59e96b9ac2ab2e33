//! The pass that advances workspace jobs: starts or completes the next step, asks for its approval, or ends the job.

use chrono::{DateTime, Utc};
use entity::deployment::Origin;
use entity::workspace_job::JobStatus;
use entity::{workspace, workspace_job, workspace_step};
use sea_orm::DatabaseTransaction;

use super::schedule::schedule_template;
use super::withdrawn;
use crate::app::App;
use crate::engine::flow::{self, Decision, JobFacts, StepFacts};
use crate::engine::job_withdrawal::{HIDDEN, withdraw, withdraw_others};
use crate::engine::news;
use crate::engine::push::superseded;
use crate::engine::requester::Requester;
use crate::engine::template::TERRAFORM_CLI;
use crate::engine::tick::give_up;
use crate::engine::tick::pass::{BATCH, Verdict, Wish, reason, report, succeeded};
use crate::engine::workspace::{has_scripts, spec, start_step};
use crate::engine::workspace_event;
use crate::error::{Error, Result};
use crate::liveness::passes::Pass;
use crate::store;

const PASS: Pass = Pass::WorkspaceJobs;

/// Advances all workspace jobs that can be advanced.
pub(in crate::engine::tick) async fn run_once(app: &App, now: DateTime<Utc>) -> Result<bool> {
    let due = store::workspace::due(&app.db, app.setbacks.paused(PASS, now), BATCH).await?;
    let mut more = due.len() as u64 == BATCH;
    for id in due {
        match store::write(&app.db, async |tx| one(app, tx, id, now).await).await {
            Ok(again) => {
                succeeded(app, PASS, id);
                more |= again;
                // A step may have been queued.
                app.wake.now();
            }
            Err(error) => {
                if report(app, (PASS, "workspace job"), id, &error, Wish::Process, now) == Verdict::GiveUp {
                    give_up::workspace_job(app, id, reason("the job", &error), now).await;
                }
            }
        }
    }
    Ok(more)
}

/// Advances one job. Returns true if it can be advanced again at once.
async fn one(app: &App, tx: &DatabaseTransaction, id: i32, now: DateTime<Utc>) -> Result<bool> {
    let Some(job) = store::workspace::lock_job(tx, id).await? else { return Ok(false) };
    let steps = store::workspace::steps(tx, id).await?;
    let mut facts = Vec::with_capacity(steps.len());
    let mut auto_apply = job.auto_apply;
    for step in &steps {
        let spec = spec(step)?;
        auto_apply &= spec.team.as_deref().is_none_or(|team| team.is_empty() || team == TERRAFORM_CLI);
        facts.push(StepFacts { kind: spec.kind, status: step.status, has_scripts: has_scripts(&spec) });
    }
    let of_job = JobFacts {
        status: job.status,
        cancel_requested: job.cancel_requested_at.is_some(),
        plan_changes: job.plan_changes || job.allow_empty_apply,
        plan_only: job.plan_only,
        auto_apply,
    };
    let decision = flow::next(of_job, &facts);
    if !matches!(decision, Decision::Wait | Decision::End { .. })
        && let Some(why) = withdrawn::stops(tx, &job, &steps).await?
    {
        withdraw(app, tx, job, why, now).await?;
        return Ok(true);
    }
    // A step that was asked to end for this says only that it was cancelled.
    if matches!(decision, Decision::End { status: JobStatus::Cancelled, .. }) && withdrawn::is_hidden(tx, &job).await? {
        withdraw(app, tx, job, HIDDEN.to_owned(), now).await?;
        return Ok(true);
    }
    let at = |place: usize| steps.get(place).ok_or_else(|| Error::internal("a step of a workspace job is missing"));
    let job = workspace_job::Model { updated_at: now, ..job };
    match decision {
        Decision::Wait => return Ok(false),
        Decision::Start(place) => {
            start_step(app, tx, at(place)?, JobStatus::Queue, now).await?;
            store::workspace::update_job(tx, workspace_job::Model { status: JobStatus::Queue, ..job }).await?;
            return Ok(false);
        }
        Decision::Ask(place) => {
            let Some(job) = superseded::end_if_older(app, tx, job, now).await? else { return Ok(true) };
            let approval_team = Some(spec(at(place)?)?.team.unwrap_or_default());
            let asked_at = Some(now);
            let job = workspace_job::Model { status: JobStatus::WaitingApproval, approval_team, asked_at, ..job };
            let job = store::workspace::update_job(tx, job).await?;
            news::approval_waiting(app, tx, &job, now).await?;
            return Ok(false);
        }
        Decision::Approve(_) => {
            let approved_by = Some(job.created_by.clone());
            let approved_at = Some(now);
            let job = workspace_job::Model { status: JobStatus::Approved, approved_by, approved_at, ..job };
            store::workspace::update_job(tx, job).await?;
        }
        Decision::Pass(place) => {
            store::workspace::set_step(tx, at(place)?.id, JobStatus::Completed, now).await?;
            store::workspace::update_job(tx, workspace_job::Model { status: JobStatus::Pending, ..job }).await?;
        }
        Decision::Schedule(place) => schedule(tx, job, at(place)?, now).await?,
        Decision::Disable(place) => {
            store::workspace::set_step(tx, at(place)?.id, JobStatus::Completed, now).await?;
            disable(app, tx, &job, now).await?;
            end(tx, job, (JobStatus::Completed, JobStatus::NotExecuted), now).await?;
        }
        Decision::End { status, rest } => end(tx, job, (status, rest), now).await?,
    }
    Ok(true)
}

async fn end(
    tx: &DatabaseTransaction,
    job: workspace_job::Model,
    (status, rest): (JobStatus, JobStatus),
    now: DateTime<Utc>,
) -> Result<()> {
    store::workspace::turn_steps(tx, job.id, (JobStatus::Pending, rest), now).await?;
    store::workspace::update_job(tx, workspace_job::Model { status, ..job }).await?;
    Ok(())
}

/// Creates the schedules that a step names. If one cannot be created, the step and the job fail.
async fn schedule(
    tx: &DatabaseTransaction,
    job: workspace_job::Model,
    step: &workspace_step::Model,
    now: DateTime<Utc>,
) -> Result<()> {
    let mut failed = None;
    for template in spec(step)?.templates {
        match schedule_template(tx, &job, (&template.name, &template.schedule), now).await {
            Ok(()) => {}
            Err(error @ (Error::Invalid { .. } | Error::Faults(_))) => failed = Some(error.public()),
            Err(error) => return Err(error),
        }
    }
    let status = if failed.is_some() { JobStatus::Failed } else { JobStatus::Completed };
    store::workspace::set_step(tx, step.id, status, now).await?;
    let output = failed.or(job.output);
    store::workspace::update_job(tx, workspace_job::Model { status: JobStatus::Pending, output, ..job }).await?;
    Ok(())
}

/// Marks a workspace as deleted: hides it, frees its name, cancels its other jobs, and disables its schedules.
async fn disable(app: &App, tx: &DatabaseTransaction, job: &workspace_job::Model, now: DateTime<Utc>) -> Result<()> {
    // Whoever asks for a job locks the workspace, too: none is added between the list of the others and the end.
    if store::workspace::lock(tx, job.workspace_id).await?.is_none() {
        return Ok(());
    }
    withdraw_others(app, tx, job, HIDDEN, now).await?;
    store::workspace::disable_schedules(tx, job.workspace_id).await?;
    // The jobs that were cancelled have changed it.
    let Some(row) = store::workspace::lock(tx, job.workspace_id).await? else { return Ok(()) };
    let name = format!("DELETED_{}", row.id);
    let updated_by = job.created_by.clone();
    let hidden = workspace::Model { deleted: true, name, updated_at: now, updated_by, ..row.clone() };
    let hidden = store::row::update(tx, hidden).await?;
    let who = Requester { name: job.created_by.clone(), email: None, origin: Origin::Api, user_agent: None };
    workspace_event::saved(tx, workspace_event::By { who: &who, at: now }, Some(&row), &hidden).await
}

//! Commands for workspace jobs: approve, reject or cancel one. They store the request and wake the engine.

use chrono::{DateTime, Utc};
use entity::id::{OrganizationId, WorkspaceId};
use entity::run::{Event, SERVER_SLOTS, Trigger};
use entity::run_spec::RunSpec;
use entity::workspace_job::JobStatus;
use entity::{run, workspace_job, workspace_step};
use sea_orm::{ActiveEnum as _, ActiveValue, ConnectionTrait, DatabaseTransaction};

use super::approval_wait;
use super::cron;
use super::flow::{self, StatusChange};
pub use super::job_creation::{AUTO_APPLY, CloudRun, Flow, NewJob, PushedBy, create, create_failed};
use super::news;
use super::requester::Requester;
use super::template::{self, FlowStep, FlowType};
use super::workspace_cluster::cluster_for_steps;
use super::workspace_event;
use crate::access::principal;
use crate::access::reach::Rights;
use crate::app::App;
use crate::error::{Error, Result};
use crate::store;

/// How many seconds an interrupted Terraform process has to store its state before it is killed.
const GRACE_SECONDS: i32 = 300;

/// The user name of the credential with which a step accesses its state.
pub const STATE_USER: &str = "step";

/// What whoever is behind a job or a schedule may do in its workspace now. Earlier releases did not store who that is.
///
/// # Errors
/// Database errors.
pub async fn rights_of(
    db: &impl ConnectionTrait,
    principal: Option<&str>,
    (organization, workspace): (OrganizationId, WorkspaceId),
) -> Result<Rights> {
    let standing = match principal {
        Some(principal) => principal::standing(db, principal).await?,
        None => principal::owner_standing(db, organization).await?,
    };
    Ok(standing.in_workspace(organization, workspace))
}

/// The entry of the flow that a step was created from.
///
/// # Errors
/// If the stored entry cannot be read.
pub fn spec(step: &workspace_step::Model) -> Result<FlowStep> {
    serde_json::from_value(step.spec.clone()).map_err(Error::internal)
}

/// Queues the run that executes a step.
///
/// # Errors
/// Database errors.
pub async fn start_step(
    app: &App,
    tx: &DatabaseTransaction,
    step: &workspace_step::Model,
    status: JobStatus,
    now: DateTime<Utc>,
) -> Result<()> {
    let spec = RunSpec { stop_grace_seconds: Some(GRACE_SECONDS), ..RunSpec::default() };
    let chosen = store::workspace::cluster_of(tx, step.workspace_id).await?;
    let cluster = cluster_for_steps(app, tx, step.organization_id, chosen).await?;
    let run = run::Model {
        trigger: Trigger::Manual,
        organization_id: step.organization_id,
        slots: cluster.map_or(SERVER_SLOTS, |(id, _)| id.0),
        ..run::Model::queued(None, Event::Workspace, spec, now)
    };
    let change = workspace_step::ActiveModel {
        status: ActiveValue::Set(status),
        run_id: ActiveValue::Set(Some(run.id)),
        updated_at: ActiveValue::Set(now),
        ..Default::default()
    };
    store::run::create(tx, vec![run]).await?;
    store::workspace::change_step(tx, step.id, change).await?;
    Ok(())
}

/// Who approves, rejects or cancels.
#[derive(Clone, Debug)]
pub struct Reviewer<'a> {
    pub who: &'a Requester,
    /// Their groups.
    pub groups: &'a [String],
    /// Whether they may approve for any team.
    pub above: bool,
}

/// Approves, rejects or cancels a workspace job.
///
/// # Errors
/// `Conflict` if its status does not allow that; `Forbidden` if the approval of another team is required.
pub async fn turn(
    app: &App,
    tx: &DatabaseTransaction,
    job: workspace_job::Model,
    to: JobStatus,
    by: &Reviewer<'_>,
    now: DateTime<Utc>,
) -> Result<workspace_job::Model> {
    let word = |status: JobStatus| status.to_value();
    let refused = || Error::Conflict(format!("a job that is {} cannot become {}", word(job.status), word(to)));
    let change = flow::status_change(job.status, to).ok_or_else(refused)?;
    if matches!(change, StatusChange::Approve | StatusChange::Reject) {
        let team = job.approval_team.as_deref().unwrap_or_default();
        let theirs = team.is_empty() || team == template::TERRAFORM_CLI || by.groups.iter().any(|group| group == team);
        if !theirs && !by.above {
            return Err(Error::Forbidden("another team must approve this job"));
        }
    }
    if change == StatusChange::Approve
        && let Some(stale) = approval_wait::stale(app, tx, &job).await?
    {
        return Err(Error::Conflict(stale));
    }
    let waited = job.status == JobStatus::WaitingApproval;
    let kind = match change {
        StatusChange::None => None,
        StatusChange::Approve => Some(workspace_event::kind::APPROVE),
        StatusChange::Reject => Some(workspace_event::kind::REJECT),
        StatusChange::Cancel => Some(workspace_event::kind::CANCEL),
    };
    let changed = workspace_job::Model { updated_at: now, updated_by: by.who.name.clone(), ..job };
    let judged = |job: workspace_job::Model, status| workspace_job::Model {
        status,
        approval_team: Some(String::new()),
        approved_by: Some(by.who.name.clone()),
        approved_at: Some(now),
        ..job
    };
    let job = match change {
        StatusChange::None => return Ok(store::row::update(tx, changed).await?),
        StatusChange::Approve => {
            let output = approval_wait::without_stale(changed.output.clone());
            judged(workspace_job::Model { output, ..changed }, JobStatus::Approved)
        }
        StatusChange::Reject => {
            reject(app, tx, &changed, now).await?;
            judged(changed, JobStatus::Rejected)
        }
        StatusChange::Cancel => cancel(tx, changed, now).await?,
    };
    app.wake.now();
    let job = store::workspace::update_job(tx, job).await?;
    if let Some(kind) = kind {
        workspace_event::job(tx, workspace_event::By { who: by.who, at: now }, kind, &job).await?;
    }
    if waited && job.status != JobStatus::WaitingApproval {
        news::approval_decided(app, tx, &job, now).await?;
    }
    Ok(job)
}

/// Ends the steps of a rejected job, and queues its rejection scripts.
async fn reject(app: &App, tx: &DatabaseTransaction, job: &workspace_job::Model, now: DateTime<Utc>) -> Result<()> {
    let steps = store::workspace::steps(tx, job.id).await?;
    if let Some(step) = steps.iter().find(|step| step.status == JobStatus::Pending) {
        if spec(step)?.on_reject.is_empty() {
            store::workspace::set_step(tx, step.id, JobStatus::Rejected, now).await?;
        } else {
            start_step(app, tx, step, JobStatus::Rejected, now).await?;
        }
    }
    store::workspace::turn_steps(tx, job.id, (JobStatus::Pending, JobStatus::NotExecuted), now).await?;
    Ok(())
}

/// Cancels a job at once if none of its steps is being executed; otherwise requests the cancellation of the running step. A job
/// whose steps have all ended stays as it is.
async fn cancel(
    tx: &DatabaseTransaction,
    job: workspace_job::Model,
    now: DateTime<Utc>,
) -> Result<workspace_job::Model> {
    let steps = store::workspace::steps(tx, job.id).await?;
    let busy = steps.iter().any(|step| matches!(step.status, JobStatus::Queue | JobStatus::Running));
    let left = steps.iter().any(|step| step.status == JobStatus::Pending);
    if busy || !left {
        store::workspace::cancel_runs(tx, job.id, now).await?;
        let since = job.cancel_requested_at.or(Some(now));
        return Ok(workspace_job::Model { cancel_requested_at: since, ..job });
    }
    store::workspace::turn_steps(tx, job.id, (JobStatus::Pending, JobStatus::Cancelled), now).await?;
    Ok(workspace_job::Model { status: JobStatus::Cancelled, cancel_requested_at: Some(now), ..job })
}

/// The next time of a workspace schedule, in UTC.
///
/// # Errors
/// `Invalid` if the expression cannot be parsed.
pub fn next_time(cron: &str, after: DateTime<Utc>) -> Result<Option<DateTime<Utc>>> {
    let schedule = cron::from_quartz(cron).map_err(|refused| Error::invalid("cron", refused.0))?;
    if !schedule.can_fire() {
        return Err(Error::invalid("cron", "never fires: none of its months has such a day"));
    }
    Ok(schedule.next(after, &Utc))
}

/// Whether a step executes something.
pub(super) fn has_scripts(step: &FlowStep) -> bool {
    step.kind != FlowType::Approval || !step.commands.is_empty() || step.import_commands.is_some()
}

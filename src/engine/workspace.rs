//! Commands for workspace jobs: create one; approve, reject or cancel it. They store the request and wake the engine.

use chrono::{DateTime, Utc};
use entity::id::{AddressId, ClusterId, OrganizationId, TemplateId, WorkspaceId, WorkspaceStepId};
use entity::run::{Event, SERVER_SLOTS, Trigger};
use entity::run_spec::RunSpec;
use entity::workspace_job::JobStatus;
use entity::{run, workspace, workspace_address, workspace_job, workspace_step};
use sea_orm::{ActiveEnum as _, ActiveValue, ConnectionTrait, DatabaseTransaction};

use super::approval_team;
use super::cron;
use super::flow::{self, StatusChange};
use super::template::{self, FlowStep, FlowType};
use crate::access::principal;
use crate::access::reach::Rights;
use crate::app::App;
use crate::error::{Error, Result};
use crate::store;

/// How many seconds an interrupted Terraform process has to store its state before it is killed.
const GRACE_SECONDS: i32 = 300;

/// The user name of the credential with which a step accesses its state.
pub const STATE_USER: &str = "step";

/// A requested workspace job.
#[derive(Clone, Debug, Default)]
pub struct NewJob {
    pub template: Option<TemplateId>,
    /// A flow as base64 of YAML, instead of a template.
    pub tcl: Option<String>,
    pub comments: Option<String>,
    pub commit_id: Option<String>,
    pub override_branch: Option<String>,
    pub via: String,
    pub refresh: bool,
    pub refresh_only: bool,
    pub targets: Vec<String>,
    pub replacements: Vec<String>,
    pub by: String,
    /// With whose rights the job acts, as `access::principal` writes it.
    pub principal: Option<String>,
    /// What they may do in the workspace now.
    pub rights: Rights,
}

/// A flow, and where it comes from.
pub struct Flow {
    pub steps: Vec<FlowStep>,
    /// Whether the caller wrote it, instead of naming a template of the organization.
    pub is_own: bool,
    tcl: String,
}

impl Flow {
    /// Reads the flow of a template, or one of the caller's own. A template takes precedence.
    ///
    /// # Errors
    /// `Invalid` if the template does not exist, or if the flow cannot be parsed; database errors.
    pub async fn load(
        db: &impl ConnectionTrait,
        organization: OrganizationId,
        template: Option<TemplateId>,
        own: Option<&str>,
    ) -> Result<Self> {
        let unknown = |id| Error::invalid("templateReference", format!("Unknown identifier {id} for template"));
        let tcl = match (template, own) {
            (Some(id), _) => store::workspace::template(db, organization, id).await?.ok_or_else(|| unknown(id))?.tcl,
            (None, Some(tcl)) => tcl.to_owned(),
            (None, None) => {
                let text = "is missing, and the workspace has no default template";
                return Err(Error::invalid("templateReference", text));
            }
        };
        let steps = template::parse(&tcl).map_err(|refused| Error::invalid("tcl", refused.0))?;
        if template.is_none() {
            approval_team::check(db, organization, &steps).await?;
        }
        Ok(Self { steps, is_own: template.is_none(), tcl })
    }

    /// Checks that somebody with these rights may have the flow carried out.
    ///
    /// # Errors
    /// `Forbidden`, with the permission that is missing.
    pub fn require(&self, rights: Rights) -> Result<()> {
        template::refusal(&self.steps, self.is_own, rights).map_or(Ok(()), |text| Err(Error::Forbidden(text)))
    }
}

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

/// Stores a workspace job with the steps of its template.
///
/// # Errors
/// `Invalid` if the template does not exist or cannot be parsed; `Forbidden` if whoever is behind the job may not have a step of it
/// carried out; database errors.
pub async fn create(
    tx: &DatabaseTransaction,
    of: &workspace::Model,
    new: NewJob,
    now: DateTime<Utc>,
) -> Result<workspace_job::Model> {
    let default = of.default_template.as_ref().and_then(|id| id.parse().ok()).map(TemplateId);
    let named = new.template.or(if new.tcl.is_none() { default } else { None });
    let flow = Flow::load(tx, of.organization_id, named, new.tcl.as_deref()).await?;
    flow.require(new.rights)?;
    let steps =
        flow.steps.iter().zip(0..).map(|(step, place)| step_row(of, step, place, now)).collect::<Result<_>>()?;
    let addresses = new.targets.iter().map(|name| address_row(of, &new, (name, "TARGET"), now));
    let replaced = new.replacements.iter().map(|name| address_row(of, &new, (name, "REPLACE"), now));
    let addresses = addresses.chain(replaced).collect();
    let job = job_row(of, new, (flow.tcl, named), now);
    Ok(store::workspace::create_job(tx, job, steps, addresses).await?)
}

/// Stores a workspace job that could not be started, so that people see why.
///
/// # Errors
/// Database errors.
pub async fn create_failed(
    tx: &DatabaseTransaction,
    of: &workspace::Model,
    new: NewJob,
    reason: String,
    now: DateTime<Utc>,
) -> Result<workspace_job::Model> {
    let (tcl, template) = (new.tcl.clone().unwrap_or_default(), new.template);
    let job = job_row(of, new, (tcl, template), now);
    let job = workspace_job::Model { status: JobStatus::Failed, output: Some(reason), ..job };
    Ok(store::workspace::create_job(tx, job, Vec::new(), Vec::new()).await?)
}

fn job_row(
    of: &workspace::Model,
    new: NewJob,
    (tcl, template): (String, Option<TemplateId>),
    now: DateTime<Utc>,
) -> workspace_job::Model {
    let list = |names: &[String]| (!names.is_empty()).then(|| serde_json::json!(names));
    workspace_job::Model {
        id: 0,
        organization_id: of.organization_id,
        workspace_id: of.id,
        created_at: now,
        updated_at: now,
        created_by: new.by.clone(),
        updated_by: new.by,
        status: JobStatus::Pending,
        comments: new.comments,
        output: None,
        commit_id: new.commit_id,
        approval_team: None,
        tcl,
        override_source: None,
        override_branch: new.override_branch,
        template_reference: template.map(|id| id.to_string()),
        via: new.via,
        refresh: new.refresh,
        refresh_only: new.refresh_only,
        plan_changes: true,
        target_addrs: list(&new.targets),
        replace_addrs: list(&new.replacements),
        cancel_requested_at: None,
        approved_by: None,
        approved_at: None,
        context: None,
        principal: new.principal,
    }
}

fn address_row(
    of: &workspace::Model,
    new: &NewJob,
    (name, kind): (&str, &str),
    now: DateTime<Utc>,
) -> workspace_address::Model {
    workspace_address::Model {
        id: AddressId::create(),
        organization_id: of.organization_id,
        workspace_id: of.id,
        job_id: 0,
        created_at: now,
        updated_at: now,
        created_by: new.by.clone(),
        updated_by: new.by.clone(),
        name: name.to_owned(),
        kind: kind.to_owned(),
    }
}

fn step_row(
    of: &workspace::Model,
    step: &FlowStep,
    position: i32,
    now: DateTime<Utc>,
) -> Result<workspace_step::Model> {
    Ok(workspace_step::Model {
        id: WorkspaceStepId::create(),
        organization_id: of.organization_id,
        workspace_id: of.id,
        job_id: 0,
        created_at: now,
        updated_at: now,
        position,
        number: step.step,
        name: step.name.clone().unwrap_or_else(|| format!("Running Step{}", step.step)),
        status: JobStatus::Pending,
        spec: serde_json::to_value(step).map_err(Error::internal)?,
        run_id: None,
        plan: None,
        inputs: None,
        token: None,
        writes_state: None,
    })
}

/// The entry of the flow that a step was created from.
///
/// # Errors
/// If the stored entry cannot be read.
pub fn spec(step: &workspace_step::Model) -> Result<FlowStep> {
    serde_json::from_value(step.spec.clone()).map_err(Error::internal)
}

/// The cluster that executes the workspace steps of an organization; none if they are executed by the server. A cluster is used if
/// it is preferred, or if nothing else is available, as for an organization without the cluster `local`.
///
/// # Errors
/// Database errors.
pub(super) async fn cluster_for_steps(
    app: &App,
    db: &impl ConnectionTrait,
    id: OrganizationId,
) -> Result<Option<ClusterId>> {
    let nothing_else =
        !store::cluster::has_local(db, id).await? || app.runners.local.is_err() && !app.runners.processes;
    if !app.config.workspaces_in_clusters && !nothing_else {
        return Ok(None);
    }
    Ok(store::cluster_objects::clusters_of(db, id).await?.first().copied())
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
    let cluster = cluster_for_steps(app, tx, step.organization_id).await?;
    let run = run::Model {
        trigger: Trigger::Manual,
        organization_id: step.organization_id,
        slots: cluster.map_or(SERVER_SLOTS, |id| id.0),
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
    pub name: &'a str,
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
    let changed = workspace_job::Model { updated_at: now, updated_by: by.name.to_owned(), ..job };
    let judged = |job: workspace_job::Model, status| workspace_job::Model {
        status,
        approval_team: Some(String::new()),
        approved_by: Some(by.name.to_owned()),
        approved_at: Some(now),
        ..job
    };
    let job = match change {
        StatusChange::None => return Ok(store::row::update(tx, changed).await?),
        StatusChange::Approve => judged(changed, JobStatus::Approved),
        StatusChange::Reject => {
            reject(app, tx, &changed, now).await?;
            judged(changed, JobStatus::Rejected)
        }
        StatusChange::Cancel => cancel(tx, changed, now).await?,
    };
    app.wake.now();
    Ok(store::workspace::update_job(tx, job).await?)
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

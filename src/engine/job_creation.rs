//! New workspace jobs: the flow that somebody asks for, whether they may have it, and the rows that it becomes.

use chrono::{DateTime, Utc};
use entity::id::{AddressId, ConfigurationVersionId, OrganizationId, TemplateId, WorkspacePushId, WorkspaceStepId};
use entity::workspace_job::JobStatus;
use entity::{workspace, workspace_address, workspace_job, workspace_step};
use sea_orm::{ConnectionTrait, DatabaseTransaction};

use super::approval_team;
use super::destroy_protection;
use super::requester::Requester;
use super::template::{self, DefaultTemplate, FlowStep};
use super::workspace_event;
use crate::access::reach::Rights;
use crate::error::{Error, Result};
use crate::store;

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
    /// Who asks for it, if somebody does: a schedule and a push do not.
    pub requester: Option<Requester>,
    /// With whose rights the job acts, as `access::principal` writes it.
    pub principal: Option<String>,
    /// What they may do in the workspace now.
    pub rights: Rights,
    pub cloud: Option<CloudRun>,
    pub push: Option<PushedBy>,
}

impl NewJob {
    /// The template of its flow: the one that it names, or that of its workspace if it has no flow of its own.
    fn template_in(&self, of: &workspace::Model) -> Option<TemplateId> {
        let default = of.default_template.as_ref().and_then(|id| id.parse().ok()).map(TemplateId);
        self.template.or(if self.tcl.is_none() { default } else { None })
    }

    /// Whether a job of the workspace does the same, for the same people.
    #[must_use]
    pub fn is_like(&self, of: &workspace::Model, job: &workspace_job::Model) -> bool {
        let template = self.template_in(of).map(|id| id.to_string());
        let is_same_flow = template.is_some() || self.tcl.as_ref() == Some(&job.tcl);
        let asks_for = (&template, self.refresh_only, &self.via, &self.by, &self.principal);
        is_same_flow
            && asks_for == (&job.template_reference, job.refresh_only, &job.via, &job.created_by, &job.principal)
    }
}

/// What pushed a job.
#[derive(Clone, Copy, Debug)]
pub struct PushedBy {
    pub push: WorkspacePushId,
    /// The pull request, which is only planned.
    pub pr_number: Option<i32>,
}

/// What a client of the cloud API asks of a job besides.
#[derive(Clone, Debug)]
pub struct CloudRun {
    pub configuration: ConfigurationVersionId,
    /// What is given to this job alone, as `given_variables::sealed` writes it.
    pub variables: Option<Vec<u8>>,
    pub plan_only: bool,
    pub auto_apply: bool,
    pub save_plan: bool,
    /// Whether a plan without changes is applied like any other.
    pub allow_empty_apply: bool,
    pub is_destroy: bool,
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
        let is_own = template.is_none() && !template::is_default(&tcl);
        Ok(Self { steps, is_own, tcl })
    }

    /// The flow of a default template, whatever the organization has made of the template.
    ///
    /// # Errors
    /// If it cannot be parsed.
    pub fn of_default(one: DefaultTemplate) -> Result<Self> {
        let tcl = one.stored();
        let steps = template::parse(&tcl).map_err(|refused| Error::invalid("tcl", refused.0))?;
        Ok(Self { steps, is_own: false, tcl })
    }

    /// Checks that somebody with these rights may have the flow carried out.
    ///
    /// # Errors
    /// `Forbidden`, with the permission that is missing.
    pub fn require(&self, rights: Rights) -> Result<()> {
        template::refusal(&self.steps, self.is_own, rights).map_or(Ok(()), |text| Err(Error::Forbidden(text)))
    }
}

/// Why somebody may not approve a plan beforehand.
pub const AUTO_APPLY: &str = "applying a plan without asking needs the permission approveJob";

/// Stores a workspace job with the steps of its template.
///
/// # Errors
/// `Invalid` if the template does not exist or cannot be parsed; `Forbidden` if whoever is behind the job may not have a step of it
/// carried out; `Conflict` if it would destroy a protected workspace; database errors.
pub async fn create(
    tx: &DatabaseTransaction,
    of: &workspace::Model,
    new: NewJob,
    now: DateTime<Utc>,
) -> Result<workspace_job::Model> {
    let named = new.template_in(of);
    let flow = Flow::load(tx, of.organization_id, named, new.tcl.as_deref()).await?;
    flow.require(new.rights)?;
    if new.cloud.as_ref().is_some_and(|run| run.auto_apply) && !new.rights.approve {
        return Err(Error::Forbidden(AUTO_APPLY));
    }
    let steps =
        flow.steps.iter().zip(0..).map(|(step, place)| step_row(of, step, place, now)).collect::<Result<_>>()?;
    let addresses = new.targets.iter().map(|name| address_row(of, &new, (name, "TARGET"), now));
    let replaced = new.replacements.iter().map(|name| address_row(of, &new, (name, "REPLACE"), now));
    let addresses = addresses.chain(replaced).collect();
    let bare = !flow.steps.is_empty() && flow.steps.iter().all(FlowStep::is_bare_plan);
    let requester = new.requester.clone();
    let job = job_row(of, new, (flow.tcl, named), now);
    let job = workspace_job::Model { plan_only: job.plan_only || bare, ..job };
    if !job.plan_only {
        destroy_protection::refuse_flow(of, &flow.steps)?;
    }
    let job = store::workspace::create_job(tx, job, steps, addresses).await?;
    if let Some(who) = &requester {
        let by = workspace_event::By { who, at: now };
        workspace_event::job(tx, by, workspace_event::kind::CREATE, &job).await?;
    }
    Ok(job)
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
    let is = |asked: fn(&CloudRun) -> bool| new.cloud.as_ref().is_some_and(asked);
    workspace_job::Model {
        plan_only: is(|run| run.plan_only) || new.push.is_some_and(|by| by.pr_number.is_some()),
        auto_apply: is(|run| run.auto_apply),
        save_plan: is(|run| run.save_plan),
        allow_empty_apply: is(|run| run.allow_empty_apply),
        is_destroy: is(|run| run.is_destroy),
        configuration_version_id: new.cloud.as_ref().map(|run| run.configuration),
        variables: new.cloud.as_ref().and_then(|run| run.variables.clone()),
        asked_at: None,
        planned_state_id: None,
        push_id: new.push.map(|by| by.push),
        pr_number: new.push.and_then(|by| by.pr_number),
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

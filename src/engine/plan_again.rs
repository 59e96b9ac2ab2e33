//! A job whose plan is stale is planned again: a new job with the same flow, options and files takes its place.

use chrono::{DateTime, Utc};
use entity::workspace_job::JobStatus;
use entity::{workspace, workspace_job};
use sea_orm::{ConnectionTrait, DatabaseTransaction};

use super::approval_wait;
use super::job_creation::{CloudRun, NewJob, PushedBy, create};
use super::job_withdrawal::withdraw;
use super::requester::Requester;
use crate::access::reach::Rights;
use crate::app::App;
use crate::error::{Error, Result};
use crate::store;

/// Who asks for it.
#[derive(Clone, Debug)]
pub struct Planner {
    pub who: Requester,
    /// As `access::principal` writes it.
    pub principal: String,
    pub rights: Rights,
}

/// Whether somebody may have a job planned again, which ends it: who may cancel it, and who asked for it.
#[must_use]
pub fn may_plan_again(job: &workspace_job::Model, principal: &str, rights: Rights) -> bool {
    rights.plan && (rights.approve || job.principal.as_deref() == Some(principal))
}

/// Creates a job that plans the same again, and cancels the one whose plan is stale. The workspace is locked.
///
/// # Errors
/// `Conflict` if the plan of the job is not stale, or no longer waits; `Forbidden` if the requester may not do this; the errors of a new job.
pub async fn plan_again(
    app: &App,
    tx: &DatabaseTransaction,
    (of, job): (&workspace::Model, i32),
    by: &Planner,
    now: DateTime<Utc>,
) -> Result<workspace_job::Model> {
    let job = store::workspace::lock_job(tx, job).await?.ok_or(Error::NotFound("job"))?;
    if job.status != JobStatus::WaitingApproval || approval_wait::stale(app, tx, &job).await?.is_none() {
        return Err(Error::Conflict("the plan of the job is not stale, or no longer waits for an approval".into()));
    }
    if !may_plan_again(&job, &by.principal, by.rights) {
        return Err(Error::Forbidden("planning again needs the permissions planJob and approveJob"));
    }
    let again = create(tx, of, same(tx, &job, by).await?, now).await?;
    let why = format!("cancelled: the plan was stale, and job {} plans again", again.id);
    withdraw(app, tx, job, why, now).await?;
    app.wake.now();
    Ok(again)
}

/// What somebody asked for with a job, asked for by somebody else.
async fn same(db: &impl ConnectionTrait, job: &workspace_job::Model, by: &Planner) -> Result<NewJob> {
    let addresses = store::workspace::addresses(db, job.id).await?;
    let of_kind = |kind: &str| {
        addresses.iter().filter(|address| address.kind == kind).map(|address| address.name.clone()).collect()
    };
    let template = job.template_reference.as_ref().and_then(|id| id.parse().ok()).map(entity::id::TemplateId);
    Ok(NewJob {
        template,
        tcl: template.is_none().then(|| job.tcl.clone()),
        comments: job.comments.clone(),
        commit_id: job.commit_id.clone(),
        override_branch: job.override_branch.clone(),
        via: "UI".into(),
        refresh: job.refresh,
        refresh_only: job.refresh_only,
        targets: of_kind("TARGET"),
        replacements: of_kind("REPLACE"),
        by: by.who.author().to_owned(),
        requester: Some(by.who.clone()),
        principal: Some(by.principal.clone()),
        rights: by.rights,
        cloud: job.configuration_version_id.map(|configuration| CloudRun {
            configuration,
            variables: job.variables.clone(),
            plan_only: job.plan_only,
            auto_apply: job.auto_apply,
            save_plan: job.save_plan,
            allow_empty_apply: job.allow_empty_apply,
            is_destroy: job.is_destroy,
        }),
        push: job.push_id.map(|push| PushedBy { push, pr_number: job.pr_number }),
    })
}

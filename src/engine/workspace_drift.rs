//! Drift of workspaces: jobs that look for it, what they found, and the jobs that accept it or revert it.

use chrono::{DateTime, Utc};
use entity::id::WorkspaceId;
use entity::{workspace, workspace_job};

use super::opened_plan::{self, ShownPlan};
use super::plan_view::ResourceChange;
use super::requester::Requester;
use super::template::{APPLY, DefaultTemplate, PLAN};
use super::workspace::{NewJob, create};
use crate::access::reach::Rights;
use crate::app::App;
use crate::error::{Error, Result};
use crate::store;

/// What was changed outside of the tool, and not settled since.
#[derive(Clone, Debug)]
pub struct FoundDrift {
    /// The job that found it last.
    pub job: i32,
    /// When it was found first.
    pub since: DateTime<Utc>,
    /// When it was found last.
    pub checked_at: DateTime<Utc>,
    /// How many resources; not all of them may be listed.
    pub count: usize,
    pub resources: Vec<ResourceChange>,
}

/// The drift of a workspace, until another plan finds none, an apply succeeds or a state is stored.
///
/// # Errors
/// Database errors; if no key opens the plan.
pub async fn found_drift(app: &App, id: WorkspaceId) -> Result<Option<FoundDrift>> {
    let Some(open) = store::workspace::open_drift(&app.db, id).await? else { return Ok(None) };
    let resources = match opened_plan::open(app, &open.plan)? {
        ShownPlan::Plan(view) => view.drift,
        ShownPlan::TooLarge => Vec::new(),
    };
    Ok(Some(FoundDrift {
        job: open.plan.job_id,
        since: open.since,
        checked_at: open.plan.created_at,
        count: usize::try_from(open.plan.drift).unwrap_or_default(),
        resources,
    }))
}

/// Who asks for a job, and how.
#[derive(Clone, Debug, Default)]
pub struct JobRequester {
    /// Whom the job names.
    pub by: String,
    /// Who asks, if somebody does.
    pub requester: Option<Requester>,
    /// With whose rights it acts, as `access::principal` writes it.
    pub principal: Option<String>,
    pub rights: Rights,
    pub via: String,
}

fn job(of: JobRequester, flow: DefaultTemplate, refresh_only: bool, comments: &str) -> NewJob {
    let JobRequester { by, requester, principal, rights, via } = of;
    NewJob {
        tcl: Some(flow.stored()),
        refresh: true,
        refresh_only,
        comments: Some(comments.to_owned()),
        via,
        by,
        requester,
        principal,
        rights,
        ..NewJob::default()
    }
}

/// A job that looks for drift. It changes nothing, so that it takes no lock and waits for no other job.
#[must_use]
pub fn check(of: JobRequester) -> NewJob {
    job(of, PLAN, true, "Looks for drift")
}

/// What becomes of drift.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settlement {
    /// The state takes over what was changed.
    Accept,
    /// What was changed is made again as it is configured.
    Revert,
}

/// Starts the job that settles drift.
///
/// # Errors
/// `Conflict` if no drift is known; `Forbidden` if the requester may not apply; database errors.
pub async fn settle(
    app: &App,
    id: WorkspaceId,
    settlement: Settlement,
    of: JobRequester,
) -> Result<workspace_job::Model> {
    let now = app.clock.now();
    let wanted = match settlement {
        Settlement::Accept => job(of, APPLY, true, "Accepts drift: the state takes over what was changed"),
        Settlement::Revert => job(of, APPLY, false, "Reverts drift: what was changed is made again as configured"),
    };
    let created = store::write(&app.db, async |tx| {
        let row: Option<workspace::Model> = store::workspace::lock(tx, id).await?;
        let row = row.filter(|row| !row.deleted).ok_or(Error::NotFound("workspace"))?;
        if store::workspace::open_drift(tx, id).await?.is_none() {
            return Err(Error::Conflict(
                "no drift is known: the newest plan found none, or an apply or a new state has settled it".to_owned(),
            ));
        }
        create(tx, &row, wanted.clone(), now).await
    })
    .await?;
    app.wake.now();
    Ok(created)
}

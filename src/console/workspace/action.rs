//! Locks and unlocks workspaces; approves, rejects and cancels their jobs, and plans again.

use std::sync::Arc;

use entity::id::{OrganizationId, WorkspaceId};
use entity::workspace_job::{self, JobStatus};
use poem::web::{Data, Path};
use poem::{Response, handler};
use uuid::Uuid;

use crate::access::{self, Action, Caller, Location, principal, require_right};
use crate::app::App;
use crate::console::form::Form;
use crate::console::viewer::Viewer;
use crate::console::{notice, paths};
use crate::engine::plan_again::{Planner, plan_again};
use crate::engine::workspace::{self, Reviewer};
use crate::engine::workspace_lock;
use crate::error::{Error, Result};
use crate::store;

/// The longest comment of a job, in characters.
pub(super) const COMMENT: usize = 512;

/// The longest reason for a lock, in characters.
const REASON: usize = 2048;

/// Who creates and changes rows: the email address of a person, the name of a token or a group.
pub(in crate::console) fn author(caller: &Caller) -> &str {
    caller.email().unwrap_or(caller.name())
}

/// A text of limited length.
pub(super) fn short(field: &str, text: &str, most: usize) -> Result<Option<String>> {
    let text = text.trim();
    if text.chars().count() > most {
        return Err(Error::invalid(field, format!("must have at most {most} characters")));
    }
    Ok(Some(text.to_owned()).filter(|text| !text.is_empty()))
}

#[handler]
pub(super) async fn lock(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path(id): Path<Uuid>,
    form: Form,
) -> poem::Result<Response> {
    let reason = short("reason", form.text("reason"), REASON)?.unwrap_or_default();
    set_locked(app, &viewer, WorkspaceId(id), Some(reason)).await?;
    Ok(notice::lead(&paths::workspace(WorkspaceId(id)), "locked"))
}

#[handler]
pub(super) async fn unlock(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path(id): Path<Uuid>,
    _form: Form,
) -> poem::Result<Response> {
    set_locked(app, &viewer, WorkspaceId(id), None).await?;
    Ok(notice::lead(&paths::workspace(WorkspaceId(id)), "unlocked"))
}

async fn set_locked(app: &App, viewer: &Viewer, id: WorkspaceId, locked: Option<String>) -> Result<()> {
    let (row, rights) = access::workspace(&app.db, &viewer.caller, id).await?;
    require_right(rights.workspaces)?;
    workspace_lock::set_blocked(app, row.id, locked, &viewer.requester()).await
}

#[handler]
pub(super) async fn unlock_state(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path(id): Path<Uuid>,
    _form: Form,
) -> poem::Result<Response> {
    let (row, rights) = access::workspace(&app.db, &viewer.caller, WorkspaceId(id)).await?;
    require_right(rights.states)?;
    workspace_lock::force_unlock(app, row.id, &viewer.requester()).await?;
    Ok(notice::lead(&paths::workspace(row.id), "state-unlocked"))
}

/// Whether the caller approves for any team.
pub(super) fn is_above(caller: &Caller, organization: OrganizationId, rights: access::reach::Rights) -> bool {
    rights.teams || caller.may(organization, Action::Deploy, &Location::default())
}

#[handler]
pub(super) async fn review(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path((id, word)): Path<(i32, String)>,
    form: Form,
) -> poem::Result<Response> {
    let (job, of, rights) = access::workspace_job(&app.db, &viewer.caller, id).await?;
    let (to, said) = match word.as_str() {
        "approve" => (Some(JobStatus::Approved), "job-approved"),
        "reject" => (Some(JobStatus::Rejected), "job-rejected"),
        "cancel" => (Some(JobStatus::Cancelled), "job-cancelled"),
        "comment" => (None, "comment-saved"),
        _ => return Err(Error::NotFound("action").into()),
    };
    require_right(if to.is_some() { rights.approve } else { rights.plan || rights.approve })?;
    let comments = short("comments", form.text("comments"), COMMENT)?;
    let above = is_above(&viewer.caller, of.organization_id, rights);
    let caller = &viewer.caller;
    let who = viewer.requester();
    let by = Reviewer { who: &who, groups: &caller.identity.groups, above };
    let now = app.clock.now();
    store::write(&app.db, async |tx| {
        let job = store::workspace::lock_job(tx, job.id).await?.ok_or(Error::NotFound("job"))?;
        let comments = comments.or_else(|| job.comments.clone());
        let updated_by = author(caller).to_owned();
        let job = workspace_job::Model { comments, updated_at: now, updated_by, ..job };
        match to {
            Some(to) => drop(workspace::turn(app, tx, job, to, &by, now).await?),
            None => drop(store::row::update(tx, job).await?),
        }
        Ok::<_, Error>(())
    })
    .await?;
    Ok(notice::lead(&paths::workspace_job(id), said))
}

#[handler]
pub(super) async fn again(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path(id): Path<i32>,
    _form: Form,
) -> poem::Result<Response> {
    let (job, of, rights) = access::workspace_job(&app.db, &viewer.caller, id).await?;
    let caller = &viewer.caller;
    let by = Planner { who: viewer.requester(), principal: principal::stored(caller), rights };
    let now = app.clock.now();
    let new = store::write(&app.db, async |tx| {
        let of = store::workspace::lock(tx, of.id).await?.filter(|of| !of.deleted);
        let of = of.ok_or(Error::NotFound("workspace"))?;
        plan_again(app, tx, (&of, job.id), &by, now).await
    })
    .await?;
    Ok(notice::lead(&paths::workspace_job(new.id), "job-created"))
}

//! Locking and unlocking a workspace. Programs need the workspace in the answer, and read from the title of an error who holds the lock.

use std::sync::Arc;

use poem::http::StatusCode;
use poem::web::{Data, Path};
use poem::{Body, Request, Response, Route, handler, post};
use serde::Deserialize;

use super::caller::SeenWorkspace;
use super::error::{Problem, Result, answered, guarded};
use super::json_api::plain;
use super::state_visit::StateVisit;
use super::workspace_answer::shown;
use crate::access::require_right;
use crate::app::App;
use crate::engine::workspace_lock::{self, Holder, Outcome};

pub(super) fn routes(route: Route) -> Route {
    route
        .at("/api/v2/workspaces/:id/actions/lock", guarded(post(lock)))
        .at("/api/v2/workspaces/:id/actions/unlock", guarded(post(unlock)))
        .at("/api/v2/workspaces/:id/actions/force-unlock", guarded(post(force_unlock)))
}

#[derive(Default, Deserialize)]
struct LockRequest {
    #[serde(default)]
    reason: Option<String>,
}

/// A workspace whose lock the caller may take and release.
async fn lockable(app: &Arc<App>, request: &Request, id: &str) -> Result<(StateVisit, SeenWorkspace)> {
    let visit = StateVisit::of(app, request).await?;
    let seen = visit.workspace(id).await?;
    require_right(seen.rights.states)?;
    Ok((visit, seen))
}

#[handler]
async fn lock(app: Data<&Arc<App>>, request: &Request, id: Path<String>, body: Body) -> Response {
    answered(
        async {
            let (visit, seen) = lockable(app.0, request, &id.0).await?;
            let LockRequest { reason } = plain(request, body).await?;
            let holder = Holder { id: &visit.holder(), name: &visit.author(), step: visit.step() };
            let reason = reason.unwrap_or_default();
            let by = visit.requester();
            let outcome = workspace_lock::lock(app.0, seen.row.id, (holder, &by), reason, visit.now).await?;
            done(app.0, seen, outcome, "workspace already locked").await
        }
        .await,
    )
}

#[handler]
async fn unlock(app: Data<&Arc<App>>, request: &Request, id: Path<String>) -> Response {
    answered(
        async {
            let (visit, seen) = lockable(app.0, request, &id.0).await?;
            let holder = Holder { id: &visit.holder(), name: &visit.author(), step: visit.step() };
            let outcome = workspace_lock::unlock(app.0, seen.row.id, (holder, &visit.requester())).await?;
            done(app.0, seen, outcome, "unable to unlock the workspace").await
        }
        .await,
    )
}

#[handler]
async fn force_unlock(app: Data<&Arc<App>>, request: &Request, id: Path<String>) -> Response {
    answered(
        async {
            let (visit, seen) = lockable(app.0, request, &id.0).await?;
            let outcome = workspace_lock::force_unlock(app.0, seen.row.id, &visit.requester()).await?;
            done(app.0, seen, outcome, "unable to unlock the workspace").await
        }
        .await,
    )
}

/// The response to a request that had this outcome. Programs look for the words after the colon of the title.
async fn done(app: &App, seen: SeenWorkspace, outcome: Outcome, failed: &str) -> Result<Response> {
    let name = seen.row.name.clone();
    match outcome {
        Outcome::Done(row) => shown(app, StatusCode::OK, &SeenWorkspace { row: *row, ..seen }).await,
        Outcome::NotLocked => Err(Problem::conflict("workspace already unlocked", format!("{name} is not locked"))),
        Outcome::HeldByJob(job) => {
            let title = format!("{failed}: {name} is locked by Run run-{job}");
            Err(Problem::conflict(title, format!("a step of job {job} holds the lock of the state")))
        }
        Outcome::HeldByOther(words) => Err(Problem::conflict(format!("{failed}: {name} is locked by User"), words)),
    }
}

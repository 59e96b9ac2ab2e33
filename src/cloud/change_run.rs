//! What may be done with a run: to apply, discard or cancel it, and to say something about it; and lists that programs ask for.

use std::sync::Arc;

use entity::workspace_job::{self, JobStatus};
use poem::http::StatusCode;
use poem::web::{Data, Path};
use poem::{Body, Request, Response, Route, get, handler, post};
use serde::Deserialize;
use serde_json::{Value, json};

use super::caller::{SeenWorkspace, Visit};
use super::error::{Problem, Result, answered, guarded};
use super::json_api::{document, plain, time};
use super::run_of_job::shown_run;
use super::runs::seen_run;
use crate::access::{Action, Location, require_right};
use crate::app::App;
use crate::engine::lock_wait;
use crate::engine::workspace::{Reviewer, turn};
use crate::error::Error;
use crate::store;
use crate::store::workspace::Hindrance;

pub(super) fn routes(route: Route) -> Route {
    route
        .at("/api/v2/runs/:id/actions/:action", guarded(post(act)))
        .at("/api/v2/runs/:id/run-events", guarded(get(list_events)))
        .at("/api/v2/runs/:id/policy-checks", guarded(get(nothing)))
        .at("/api/v2/runs/:id/task-stages", guarded(get(nothing)))
        .at("/api/v2/runs/:id/comments", guarded(get(list_comments)))
}

#[derive(Default, Deserialize)]
struct ActionRequest {
    comment: Option<String>,
}

#[handler]
async fn act(app: Data<&Arc<App>>, request: &Request, names: Path<(String, String)>, body: Body) -> Response {
    let (id, action) = names.0;
    answered(done(app.0, request, (&id, &action), body).await)
}

async fn done(app: &Arc<App>, request: &Request, (id, action): (&str, &str), body: Body) -> Result<Response> {
    let visit = Visit::of(app, request).await?;
    let to = match action {
        "apply" => JobStatus::Approved,
        "discard" => JobStatus::Rejected,
        "cancel" => JobStatus::Cancelled,
        _ => return Err(Problem::missing("action")),
    };
    let (job, seen) = seen_run(&visit, id).await?;
    let run = shown_run(&visit, job, seen.rights).await?;
    require_right(if to == JobStatus::Approved { seen.rights.approve } else { run.may_end() })?;
    let ActionRequest { comment } = plain(request, body).await?;
    let SeenWorkspace { organization, rights, .. } = &seen;
    let deploys = visit.caller.may(organization.id, Action::Deploy, &Location::default());
    let above = rights.teams || deploys || to == JobStatus::Rejected && run.is_own;
    let who = visit.requester();
    let reviewer = Reviewer { who: &who, groups: &visit.caller.identity.groups, above };
    store::write(&app.db, async |tx| {
        let locked = store::workspace::lock_job(tx, run.job.id).await?.ok_or(Error::NotFound("run"))?;
        if locked.status == to || to == JobStatus::Rejected && locked.status != JobStatus::WaitingApproval {
            return Err(Error::Conflict(format!(
                "the run cannot be changed by {action}: its status does not permit that"
            )));
        }
        let comments = with_comment(locked.comments, visit.caller.name(), comment.as_deref().unwrap_or_default());
        let job = workspace_job::Model { comments, ..locked };
        turn(app, tx, job, to, &reviewer, visit.now).await
    })
    .await?;
    Ok(Response::builder().status(StatusCode::ACCEPTED).finish())
}

/// The message of a run, and below it what somebody said who acted on the run.
fn with_comment(said: Option<String>, by: &str, comment: &str) -> Option<String> {
    if comment.is_empty() {
        return said;
    }
    let before = said.map_or_else(String::new, |said| format!("{said}\n"));
    Some(format!("{before}{by}: {comment}"))
}

/// The only action of an event that programs print, as a warning, besides two about policies and tasks.
const WARNING: &str = "ignored_policy_sets";

/// What a run waits for, if that is a lock: programs read it as soon as they have asked for the run, and say nothing else about who holds it.
#[handler]
async fn list_events(app: Data<&Arc<App>>, request: &Request, id: Path<String>) -> Response {
    let answer = async {
        let visit = Visit::of(app.0, request).await?;
        let (job, _) = seen_run(&visit, &id.0).await?;
        let words = match store::workspace::hindrance(&app.db, &job).await? {
            Some(Hindrance::StateLock(lock)) => Some(lock_wait::waiting(&lock)),
            Some(Hindrance::Lock(of)) => {
                let why = of.lock_description.unwrap_or_else(|| "no reason was given".to_owned());
                Some(format!("the workspace is blocked for new jobs: {why}"))
            }
            Some(Hindrance::Job { .. } | Hindrance::Rejection { .. }) | None => None,
        };
        let event = |words: String| {
            let text = format!("The run waits: {words}");
            let attributes = json!({"action": WARNING, "description": text, "created-at": time(visit.now)});
            json!({"id": format!("re-{}", job.id), "type": "run-events", "attributes": attributes})
        };
        let list: Vec<Value> = words.map(event).into_iter().collect();
        Ok(document(StatusCode::OK, &json!({"data": list})))
    };
    answered(answer.await)
}

/// A list that is always empty: there are no such checks or stages. Without it, programs end with an error.
#[handler]
async fn nothing(app: Data<&Arc<App>>, request: &Request, id: Path<String>) -> Response {
    let answer = async {
        let visit = Visit::of(app.0, request).await?;
        seen_run(&visit, &id.0).await?;
        Ok(document(StatusCode::OK, &json!({"data": []})))
    };
    answered(answer.await)
}

/// What was said about a run: its message, and the comments of those who acted on it.
#[handler]
async fn list_comments(app: Data<&Arc<App>>, request: &Request, id: Path<String>) -> Response {
    let answer = async {
        let visit = Visit::of(app.0, request).await?;
        let (job, _) = seen_run(&visit, &id.0).await?;
        let shown =
            |text: &String| json!({"id": format!("wsc-{}", job.id), "type": "comments", "attributes": {"body": text}});
        let list: Vec<Value> = job.comments.iter().map(shown).collect();
        Ok(document(StatusCode::OK, &json!({"data": list})))
    };
    answered(answer.await)
}

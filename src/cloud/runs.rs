//! Runs: the routes of single ones, of lists, and of what may be done with a run. A run is a workspace job.

use std::sync::Arc;

use entity::workspace_job;
use poem::http::{StatusCode, header};
use poem::web::{Data, Path};
use poem::{Body, Request, Response, Route, get, handler, post};
use serde_json::{Value, json};

use super::caller::{SeenWorkspace, Visit};
use super::error::{Problem, Result, answered, guarded};
use super::json_api::{document, resource};
use super::query_page::ListQuery;
use super::run_document::{ShownRun, job_of};
use super::run_of_job::shown_run;
use super::run_request::WantedRun;
use super::workspace_answer::workspace_resource;
use crate::app::App;
use crate::engine::workspace;
use crate::store;

pub(super) fn routes(route: Route) -> Route {
    route
        .at("/api/v2/runs", guarded(post(create)))
        .at("/api/v2/runs/:id", guarded(get(read)))
        .at("/api/v2/workspaces/:id/runs", guarded(get(list)))
        .at("/app/:organization/:workspace/runs/:id", guarded(get(run_page)))
        .at("/api/v2/organizations/:organization/runs/queue", guarded(get(queue)))
        .at("/api/v2/organizations/:organization/capacity", guarded(get(capacity)))
}

/// A run of a workspace that the caller sees.
pub(super) async fn seen_run(visit: &Visit, id: &str) -> Result<(workspace_job::Model, SeenWorkspace)> {
    let missing = || Problem::missing("run");
    let id = job_of(id).ok_or_else(missing)?;
    let job = store::row::by_id::<workspace_job::Model>(&visit.app.db, id).await?.ok_or_else(missing)?;
    let seen = visit.workspace(&job.workspace_id.to_string()).await.map_err(|_| missing())?;
    Ok((job, seen))
}

/// Programs print this address; it leads to the page of the job.
#[handler]
fn run_page(names: Path<(String, String, String)>) -> Response {
    let found = job_of(&names.0.2).ok_or_else(|| Problem::missing("run"));
    let response = Response::builder().status(StatusCode::SEE_OTHER);
    answered(found.map(|job| response.header(header::LOCATION, format!("/console/workspace-job/{job}")).finish()))
}

#[handler]
async fn create(app: Data<&Arc<App>>, request: &Request, body: Body) -> Response {
    answered(created(app.0, request, body).await)
}

async fn created(app: &Arc<App>, request: &Request, body: Body) -> Result<Response> {
    let visit = Visit::of(app, request).await?;
    let wanted = WantedRun::of(&visit, request, body).await?;
    let id = wanted.seen.row.id;
    let job = store::write(&app.db, async |tx| {
        let row = store::workspace::lock(tx, id).await?.filter(|row| !row.deleted);
        let row = row.ok_or_else(|| Problem::missing("workspace"))?;
        let job = wanted.job(&visit, tx, &row).await?;
        Ok::<_, Problem>(workspace::create(tx, &row, job, visit.now).await?)
    })
    .await?;
    app.wake.now();
    let run = shown_run(&visit, job, wanted.seen.rights).await?;
    Ok(resource(StatusCode::CREATED, &run.resource()))
}

#[handler]
async fn read(app: Data<&Arc<App>>, request: &Request, id: Path<String>) -> Response {
    answered(one(app.0, request, &id.0).await)
}

/// A run, with the resources that `include` names. What it names besides is ignored: programs ask for what only others have.
async fn one(app: &Arc<App>, request: &Request, id: &str) -> Result<Response> {
    let visit = Visit::of(app, request).await?;
    let (job, seen) = seen_run(&visit, id).await?;
    let run = shown_run(&visit, job, seen.rights).await?;
    let query = ListQuery::of(request.params().unwrap_or_default()).map_err(Problem::bad)?;
    let mut included: Vec<Value> = Vec::new();
    for name in query.list("include") {
        match (name, run.plan, run.apply) {
            ("workspace", ..) => included.push(workspace_resource(&visit.app, &seen).await?),
            ("plan", Some(id), _) => included.push(run.plan(id, &super::log_bytes::address(&visit, &run, id)?)),
            ("apply", _, Some(id)) => included.push(run.apply(id, &super::log_bytes::address(&visit, &run, id)?)),
            _ => {}
        }
    }
    let mut body = json!({"data": run.resource()});
    if let (Value::Object(body), false) = (&mut body, included.is_empty()) {
        body.insert("included".into(), included.into());
    }
    Ok(document(StatusCode::OK, &body))
}

#[handler]
async fn list(app: Data<&Arc<App>>, request: &Request, id: Path<String>) -> Response {
    let answer = async {
        let visit = Visit::of(app.0, request).await?;
        let seen = visit.workspace(&id.0).await?;
        let query = ListQuery::of(request.params().unwrap_or_default()).map_err(Problem::bad)?;
        let (jobs, total) = store::workspace::jobs_of(&app.db, seen.row.id, query.range()).await?;
        let mut runs = Vec::with_capacity(jobs.len());
        for job in jobs {
            runs.push(shown_run(&visit, job, seen.rights).await?.resource());
        }
        Ok(document(StatusCode::OK, &json!({"data": runs, "meta": query.meta(total)})))
    };
    answered(answer.await)
}

/// The runs of an organization that wait and that the caller sees, in the order in which they came.
async fn waiting(visit: &Visit, organization: &str) -> Result<(String, Vec<ShownRun>, usize)> {
    let (organization, _) = visit.organization(organization).await?;
    let jobs = store::workspace::open_jobs(&visit.app.db, organization.id).await?;
    let running = jobs.iter().filter(|job| job.status != workspace_job::JobStatus::Pending).count();
    let mut runs = Vec::new();
    for job in jobs.into_iter().filter(|job| job.status == workspace_job::JobStatus::Pending) {
        let Ok(seen) = visit.workspace(&job.workspace_id.to_string()).await else { continue };
        let run = shown_run(visit, job, seen.rights).await?;
        runs.push(ShownRun { position: runs.len() + 1, ..run });
    }
    Ok((organization.name, runs, running))
}

#[handler]
async fn queue(app: Data<&Arc<App>>, request: &Request, organization: Path<String>) -> Response {
    let answer = async {
        let visit = Visit::of(app.0, request).await?;
        let query = ListQuery::of(request.params().unwrap_or_default()).map_err(Problem::bad)?;
        let (_, runs, _) = waiting(&visit, &organization.0).await?;
        let (offset, limit) = query.range();
        let place = |at: u64| usize::try_from(at).unwrap_or(usize::MAX);
        let page: Vec<Value> = runs.iter().skip(place(offset)).take(place(limit)).map(ShownRun::resource).collect();
        Ok(document(StatusCode::OK, &json!({"data": page, "meta": query.meta(runs.len() as u64)})))
    };
    answered(answer.await)
}

#[handler]
async fn capacity(app: Data<&Arc<App>>, request: &Request, organization: Path<String>) -> Response {
    let answer = async {
        let visit = Visit::of(app.0, request).await?;
        let (name, runs, running) = waiting(&visit, &organization.0).await?;
        let attributes = json!({"organization": name, "pending": runs.len(), "running": running});
        Ok(resource(StatusCode::OK, &json!({"id": name, "type": "organization-capacity", "attributes": attributes})))
    };
    answered(answer.await)
}

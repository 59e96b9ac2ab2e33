//! /service/status: the running services.

use std::collections::HashMap;

use entity::id::{JobId, OrganizationId, ProjectId};
use entity::{environment, run};
use poem::web::websocket::{BoxWebSocketUpgraded, WebSocket};
use poem::{Request, handler};
use serde_json::{Value, json};

use super::connection::{FrameSource, upgrade};
use super::request::{app, caller, id, requested_environment};
use super::run_pod::{pod, running_state};
use super::status_stream::changed;
use crate::access::{self, Action};
use crate::app::App;
use crate::error::{Error, Result};
use crate::store;

/// Number of runs shown per job.
const RUNS: usize = 5;

/// Maximum environments per socket.
const ENVIRONMENTS: usize = 200;

#[handler]
pub(in crate::api) async fn service_status(request: &Request, socket: WebSocket) -> Result<BoxWebSocketUpgraded> {
    let app = app(request)?;
    let caller = caller(&app, request).await?;
    let environments = match (id(request, "environment")?, id(request, "project")?, id(request, "organization")?) {
        (Some(_), _, _) => vec![requested_environment(&app, &caller, request).await?],
        (None, Some(project), _) => {
            let project = access::project(&app.db, &caller, Action::View, ProjectId(project)).await?;
            store::environment::list_by_project(&app.db, project.id).await?
        }
        (None, None, Some(organization)) => {
            let id = OrganizationId(organization);
            access::organization(&app.db, &caller, Action::View, id).await?;
            let rows = store::environment::list_by_organization(&app.db, id).await?;
            let mut seen = Vec::new();
            for row in rows {
                // Not every role can see every project.
                if let Ok(row) = access::environment(&app.db, &caller, Action::View, row.id).await {
                    seen.push(row);
                }
            }
            seen
        }
        (None, None, None) => return Err(Error::invalid("environment", "is missing")),
    };
    let environments = environments.into_iter().take(ENVIRONMENTS).collect();
    Ok(upgrade(socket, app, ServiceStatusSource { environments, last: String::new() }))
}

/// The running services of environments, sent whenever they change.
struct ServiceStatusSource {
    environments: Vec<environment::Model>,
    last: String,
}

impl FrameSource for ServiceStatusSource {
    async fn next_frames(&mut self, app: &App) -> Result<Vec<String>> {
        let mut shown = Vec::new();
        for environment in &self.environments {
            shown.push(environment_frame(app, environment).await?);
        }
        Ok(changed(&mut self.last, json!({"environments": shown}).to_string()))
    }
}

async fn environment_frame(app: &App, environment: &environment::Model) -> Result<Value> {
    let jobs = store::job::list_by_environment(&app.db, environment.id, None, store::PAGE).await?;
    let ids: Vec<JobId> = jobs.iter().map(|job| job.id).collect();
    let mut runs: HashMap<JobId, Vec<run::Model>> = HashMap::new();
    for run in store::run::list_newest_of_jobs(&app.db, ids, RUNS).await? {
        if let Some(job) = run.job_id {
            runs.entry(job).or_default().push(run);
        }
    }
    let mut states = Vec::new();
    let mut services = Vec::new();
    for job in &jobs {
        let runs = runs.get(&job.id).map(Vec::as_slice).unwrap_or_default();
        let state = running_state(runs, job.failures_cleared_at);
        states.push(state);
        let pods: Vec<Value> = runs.iter().map(|run| pod(job, run)).collect();
        services.push(json!({"id": job.id, "state": state, "pods": pods, "certificates": []}));
    }
    let overall = ["ERROR", "WARNING", "RUNNING", "STARTING", "COMPLETED"].into_iter();
    let overall = overall.into_iter().find(|state| states.contains(state)).unwrap_or("STOPPED");
    Ok(json!({
        "id": environment.id,
        "project_id": environment.project_id,
        "state": overall,
        "jobs": services,
        "applications": [], "containers": [], "databases": [], "helms": [], "terraform": [],
        "argocd_apps": [], "agentic_workflows": [],
    }))
}

//! /service/status: the running services.

use std::collections::HashMap;

use entity::id::{EnvironmentId, JobId, OrganizationId, ProjectId};
use entity::{environment, job, run};
use poem::web::websocket::{BoxWebSocketUpgraded, WebSocket};
use poem::{Request, handler};
use serde_json::{Value, json};

use super::connection::{FrameSource, upgrade};
use super::request::{app, caller, id, requested_environment};
use super::run_pod::{pod, running_state};
use super::status_stream::changed;
use crate::access::{self, Action, Caller};
use crate::app::App;
use crate::error::{Error, Result};
use crate::store;

/// Number of runs shown per job.
const RUNS: u32 = 5;

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
            store::environment::list_by_organization(&app.db, id).await?
        }
        (None, None, None) => return Err(Error::invalid("environment", "is missing")),
    };
    let environments = environments.into_iter().filter(|row| seen(&caller, row)).take(ENVIRONMENTS).collect();
    Ok(upgrade(socket, app, caller, ServiceStatusSource { environments, last: String::new() }))
}

/// Not every role can see every environment.
fn seen(caller: &Caller, row: &environment::Model) -> bool {
    caller.may(row.organization_id, Action::View, &access::location(row))
}

/// The running services of environments, sent whenever they change.
struct ServiceStatusSource {
    environments: Vec<environment::Model>,
    last: String,
}

impl FrameSource for ServiceStatusSource {
    /// Two queries, however many environments and jobs there are.
    async fn next_frames(&mut self, app: &App, caller: &Caller) -> Result<Vec<String>> {
        let there = !self.environments.is_empty();
        self.environments.retain(|row| seen(caller, row));
        if there && self.environments.is_empty() {
            return Err(Error::NotFound("environment"));
        }
        let ids: Vec<EnvironmentId> = self.environments.iter().map(|row| row.id).collect();
        let mut runs: HashMap<JobId, Vec<run::Model>> = HashMap::new();
        for run in store::run::list_newest_of_environments(&app.db, &ids, RUNS).await? {
            if let Some(job) = run.job_id {
                runs.entry(job).or_default().push(run);
            }
        }
        let mut jobs: HashMap<EnvironmentId, Vec<job::Model>> = HashMap::new();
        for job in store::job::list_by_environments(&app.db, ids).await? {
            jobs.entry(job.environment_id).or_default().push(job);
        }
        let of = |row: &environment::Model| jobs.get(&row.id).map(Vec::as_slice).unwrap_or_default();
        let shown: Vec<Value> = self.environments.iter().map(|row| environment_frame(row, of(row), &runs)).collect();
        Ok(changed(&mut self.last, json!({"environments": shown}).to_string()))
    }
}

fn environment_frame(
    environment: &environment::Model,
    jobs: &[job::Model],
    runs: &HashMap<JobId, Vec<run::Model>>,
) -> Value {
    let mut states = Vec::new();
    let mut services = Vec::new();
    for job in jobs {
        let runs = runs.get(&job.id).map(Vec::as_slice).unwrap_or_default();
        let state = running_state(runs, job.failures_cleared_at);
        states.push(state);
        let pods: Vec<Value> = runs.iter().map(|run| pod(job, run)).collect();
        services.push(json!({"id": job.id, "state": state, "pods": pods, "certificates": []}));
    }
    let overall = ["ERROR", "WARNING", "RUNNING", "STARTING", "COMPLETED"].into_iter();
    let overall = overall.into_iter().find(|state| states.contains(state)).unwrap_or("STOPPED");
    json!({
        "id": environment.id,
        "project_id": environment.project_id,
        "state": overall,
        "jobs": services,
        "applications": [], "containers": [], "databases": [], "helms": [], "terraform": [],
        "argocd_apps": [], "agentic_workflows": [],
    })
}

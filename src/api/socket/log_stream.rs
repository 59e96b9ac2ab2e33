//! /service/logs: the lines of a job's runs; /deployment/logs: the log of a deployment.

use std::collections::{BTreeMap, HashSet};

use entity::id::{DeploymentId, JobId, RunId};
use entity::{environment, job, run};
use poem::web::websocket::{BoxWebSocketUpgraded, WebSocket};
use poem::{Request, handler};
use serde_json::json;

use super::connection::{FrameSource, upgrade};
use super::request::{app, caller, id, requested_environment, text};
use super::run_pod::pod_name;
use crate::access::{self, Action, Caller};
use crate::api::environment::deployment_log::deployment_log_entries;
use crate::app::App;
use crate::error::{Error, Result};
use crate::store;
use crate::store::log_chunk::{LogLine, LogStream};

/// Number of runs whose logs are read, newest first.
const RUNS: u64 = 20;

/// Default maximum number of lines sent at the start.
const LINES: i64 = 1000;

#[handler]
pub(in crate::api) async fn service_logs(request: &Request, socket: WebSocket) -> Result<BoxWebSocketUpgraded> {
    let app = app(request)?;
    let caller = caller(&app, request).await?;
    let service = id(request, "service")?.ok_or_else(|| Error::invalid("service", "is missing"))?;
    let job = access::job_row(&app.db, &caller, Action::View, JobId(service)).await?;
    let limit =
        text(request, "limit").and_then(|limit| limit.parse::<i64>().ok()).unwrap_or(LINES).clamp(0, 10 * LINES);
    let source = JobLogSource {
        job,
        pod: text(request, "pod_name"),
        deployment: id(request, "deployment_id")?.map(DeploymentId),
        limit,
        read: None,
    };
    Ok(upgrade(socket, app, caller, source))
}

/// The log lines of the runs of a job: the newest existing lines, then new lines as they arrive.
struct JobLogSource {
    job: job::Model,
    pod: Option<String>,
    deployment: Option<DeploymentId>,
    limit: i64,
    /// The position up to which each run has been read; `None` before the first poll.
    read: Option<BTreeMap<RunId, i64>>,
}

impl FrameSource for JobLogSource {
    async fn next_frames(&mut self, app: &App, caller: &Caller) -> Result<Vec<String>> {
        self.job = access::job_row(&app.db, caller, Action::View, self.job.id).await?;
        let mut runs = store::run::list_by_job(&app.db, self.job.id, None, RUNS).await?;
        runs.retain(|run| self.deployment.is_none_or(|id| run.deployment_id == Some(id)));
        runs.retain(|run| self.pod.as_ref().is_none_or(|pod| *pod == pod_name(&self.job, run)));
        let read = match &self.read {
            Some(read) => read.clone(),
            None => self.begin(&runs),
        };
        let mut frames = Vec::new();
        let mut next = BTreeMap::new();
        for run in runs.iter().rev() {
            let mut position = read.get(&run.id).copied().unwrap_or(0);
            while position < run.total_lines {
                let lines = store::log_chunk::list_by_run(&app.db, run.id, position).await?;
                let Some(last) = lines.last() else { break };
                position = last.position;
                frames.extend(lines.iter().map(|line| self.frame(run, line)));
            }
            next.insert(run.id, position);
        }
        self.read = Some(next);
        Ok(frames)
    }
}

impl JobLogSource {
    /// The start position in each run, so that the newest lines are sent, up to the limit.
    fn begin(&self, runs: &[run::Model]) -> BTreeMap<RunId, i64> {
        let mut left = self.limit;
        let begin = runs.iter().map(|run| {
            let taken = left.min(run.total_lines);
            left -= taken;
            (run.id, run.total_lines - taken)
        });
        begin.collect()
    }

    fn frame(&self, run: &run::Model, line: &LogLine) -> String {
        let tag = run.spec.image_tag.as_deref().or(run.spec.built_image.as_deref()).unwrap_or_default();
        json!({
            "created_at": line.at.timestamp_millis(),
            "message": line.text,
            "version": tag,
            "pod_name": pod_name(&self.job, run),
            "container_name": self.job.name,
            "severity_text": if line.stream == LogStream::Stderr { "ERROR" } else { "INFO" },
            "labels": {"windlass.run": run.id.to_string(), "windlass.line": line.position.to_string()},
            "from_kube": false,
        })
        .to_string()
    }
}

#[handler]
pub(in crate::api) async fn deployment_logs(request: &Request, socket: WebSocket) -> Result<BoxWebSocketUpgraded> {
    let app = app(request)?;
    let caller = caller(&app, request).await?;
    let environment = requested_environment(&app, &caller, request).await?;
    let source = DeploymentLogSource { environment, version: text(request, "version"), sent: HashSet::new() };
    Ok(upgrade(socket, app, caller, source))
}

/// The log of a deployment, each entry once.
struct DeploymentLogSource {
    environment: environment::Model,
    version: Option<String>,
    sent: HashSet<String>,
}

impl FrameSource for DeploymentLogSource {
    async fn next_frames(&mut self, app: &App, caller: &Caller) -> Result<Vec<String>> {
        self.environment = access::environment(&app.db, caller, Action::View, self.environment.id).await?;
        let mut frames = Vec::new();
        for entry in deployment_log_entries(app, &self.environment, self.version.as_deref()).await? {
            let frame = serde_json::to_string(&entry).map_err(Error::internal)?;
            if self.sent.insert(frame.clone()) {
                frames.push(frame);
            }
        }
        Ok(frames)
    }
}

//! The logs of deployments, as data, made from what the engine has recorded.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use entity::deployment::{Action as DeploymentAction, Progress};
use entity::id::{DeploymentId, EnvironmentId, JobId};
use entity::{deployment, deployment_job, environment};
use poem_openapi::param::{Path, Query};
use poem_openapi::{Enum, Object, OpenApi};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use uuid::Uuid;

use super::super::Tag;
use super::super::caller::Auth;
use super::super::history::durations::named;
use super::super::status::execution_id;
use super::super::wire::{Answer, Found, Results, Timestamp};
use crate::access::{self, Action};
use crate::app::App;
use crate::error::Result;
use crate::store;

/// The most entries that are answered (official limit).
const MOST: usize = 1000;
/// The newest deployments that the older list tells of.
const DEPLOYMENTS: u64 = 20;

#[derive(Debug, Serialize, Deserialize, Object)]
struct Transmitter {
    id: Uuid,
    name: String,
    #[serde(rename = "type")]
    #[oai(rename = "type")]
    kind: String,
}

#[derive(Debug, Serialize, Deserialize, Object)]
struct LogStage {
    step: String,
    id: Option<Uuid>,
    name: Option<String>,
}

#[derive(Debug, Serialize, Deserialize, Object)]
struct LogDetails {
    organization_id: Uuid,
    cluster_id: Uuid,
    execution_id: String,
    transmitter: Transmitter,
    stage: LogStage,
}

#[derive(Debug, Serialize, Deserialize, Object)]
struct LogMessage {
    safe_message: String,
}

#[derive(Debug, Serialize, Deserialize, Object)]
struct LogError {
    tag: String,
    user_log_message: String,
}

#[derive(Debug, Serialize, Deserialize, Object)]
pub(in crate::api) struct EnvironmentLogs {
    #[serde(rename = "type")]
    #[oai(rename = "type")]
    kind: String,
    timestamp: Timestamp,
    details: LogDetails,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<LogError>,
    message: LogMessage,
}

#[derive(Debug, Serialize, Deserialize, Enum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[oai(rename_all = "SCREAMING_SNAKE_CASE")]
enum EnvironmentLogTypeEnum {
    Environment,
}

#[derive(Debug, Serialize, Deserialize, Enum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[oai(rename_all = "SCREAMING_SNAKE_CASE")]
enum StatusKindEnum {
    Canceled,
    Deleted,
    DeleteError,
    DeleteInProgress,
    Deployed,
    DeploymentError,
    DeploymentInProgress,
    Paused,
    PauseError,
    PauseInProgress,
    Waiting,
}

#[derive(Debug, Serialize, Deserialize, Object)]
struct LogScope {
    #[serde(rename = "type")]
    #[oai(rename = "type")]
    kind: EnvironmentLogTypeEnum,
    name: String,
    id: Uuid,
}

#[derive(Debug, Serialize, Deserialize, Object)]
struct EnvironmentLog {
    id: Uuid,
    created_at: Timestamp,
    scope: LogScope,
    state: StatusKindEnum,
    message: Option<String>,
    execution_id: String,
}

/// The handlers.
pub(in super::super) struct LogApi(pub(in super::super) Arc<App>);

#[OpenApi]
impl LogApi {
    #[oai(path = "/environment/:environmentId/logs", method = "get", operation_id = "listEnvironmentLogs", tag = Tag::EnvironmentLogs)]
    async fn list_environment_logs(
        &self,
        auth: Auth,
        #[oai(name = "environmentId")] environment_id: Path<Uuid>,
        version: Query<Option<String>>,
    ) -> Result<Found<Vec<EnvironmentLogs>>> {
        let id = EnvironmentId(environment_id.0);
        let environment = access::environment(&self.0.db, &auth.0, Action::View, id).await?;
        Ok(Answer(entries(&self.0, &environment, version.0.as_deref()).await?))
    }

    #[oai(path = "/environment/:environmentId/log", method = "get", operation_id = "listEnvironmentLog", tag = Tag::EnvironmentLogs)]
    async fn list_environment_log(
        &self,
        auth: Auth,
        #[oai(name = "environmentId")] environment_id: Path<Uuid>,
    ) -> Result<Found<Results<EnvironmentLog>>> {
        let id = EnvironmentId(environment_id.0);
        let environment = access::environment(&self.0.db, &auth.0, Action::View, id).await?;
        let rows = store::deployment::list_newest(&self.0.db, environment.id, None, DEPLOYMENTS).await?;
        let answer = |row: deployment::Model| EnvironmentLog {
            id: row.id.0,
            created_at: Timestamp(row.created_at),
            scope: LogScope {
                kind: EnvironmentLogTypeEnum::Environment,
                name: environment.name.clone(),
                id: environment.id.0,
            },
            state: kind(&row),
            message: Some(format!("{} by {}", word(row.action), row.triggered_by)),
            execution_id: execution_id(&row),
        };
        Ok(Answer(Results { results: rows.into_iter().map(answer).collect() }))
    }
}

/// What is told of a deployment: of the newest one, or of the one of an execution id.
pub(in crate::api) async fn entries(
    app: &App,
    environment: &environment::Model,
    version: Option<&str>,
) -> Result<Vec<EnvironmentLogs>> {
    let row = match version {
        Some(version) => named_version(app, environment, version).await?,
        None => store::deployment::newest_by_environment(&app.db, environment.id).await?,
    };
    let Some(row) = row else { return Ok(Vec::new()) };
    let parts = store::deployment::list_parts(&app.db, row.id).await?;
    let runs = store::run::list_by_ids(&app.db, named(&parts)).await?;
    let jobs = store::job::list_by_ids(&app.db, parts.iter().map(|part| part.job_id).collect()).await?;
    let names = jobs.into_iter().map(|job| (job.id, job.name)).collect();
    let teller = Teller { environment, row: &row, names };
    let mut entries = teller.tell(&parts, &runs);
    for part in &parts {
        let build = runs.iter().find(|run| Some(run.id) == part.build_run_id);
        let Some(build) = build else { continue };
        // The end of a long log is what tells why it ended so.
        let after = (build.total_lines - i64::try_from(MOST).unwrap_or(0)).max(0);
        entries.extend(teller.build(part, build, &store::log_chunk::list_by_run(&app.db, build.id, after).await?));
    }
    entries.sort_by_key(|entry| entry.timestamp.0);
    let skipped = entries.len().saturating_sub(MOST);
    Ok(entries.into_iter().skip(skipped).collect())
}

/// The deployment of an execution id: its own id, a hyphen, its number.
async fn named_version(
    app: &App,
    environment: &environment::Model,
    version: &str,
) -> Result<Option<deployment::Model>> {
    let id = version.get(..36).and_then(|id| id.parse().ok()).map(DeploymentId);
    let Some(id) = id else { return Ok(None) };
    let row = store::row::by_id::<deployment::Model>(&app.db, id).await?;
    Ok(row.filter(|row| row.environment_id == environment.id && execution_id(row) == version))
}

fn word(action: DeploymentAction) -> &'static str {
    match action {
        DeploymentAction::Deploy => "deployment",
        DeploymentAction::Stop => "stop",
        DeploymentAction::Delete => "deletion",
        DeploymentAction::Uninstall => "uninstallation",
    }
}

fn kind(row: &deployment::Model) -> StatusKindEnum {
    match (row.action, row.progress) {
        (_, Progress::Queued) => StatusKindEnum::Waiting,
        (_, Progress::Cancelled) => StatusKindEnum::Canceled,
        (DeploymentAction::Deploy, Progress::Running) => StatusKindEnum::DeploymentInProgress,
        (DeploymentAction::Deploy, Progress::Succeeded) => StatusKindEnum::Deployed,
        (DeploymentAction::Deploy, Progress::Failed) => StatusKindEnum::DeploymentError,
        (DeploymentAction::Stop, Progress::Running) => StatusKindEnum::PauseInProgress,
        (DeploymentAction::Stop, Progress::Succeeded) => StatusKindEnum::Paused,
        (DeploymentAction::Stop, Progress::Failed) => StatusKindEnum::PauseError,
        (DeploymentAction::Delete | DeploymentAction::Uninstall, Progress::Running) => StatusKindEnum::DeleteInProgress,
        (DeploymentAction::Delete | DeploymentAction::Uninstall, Progress::Succeeded) => StatusKindEnum::Deleted,
        (DeploymentAction::Delete | DeploymentAction::Uninstall, Progress::Failed) => StatusKindEnum::DeleteError,
    }
}

/// The official names of the steps of an action: while it goes on, when it went well, when it did not.
fn steps(action: DeploymentAction) -> (&'static str, &'static str, &'static str) {
    match action {
        DeploymentAction::Deploy => ("Deploy", "Deployed", "DeployedError"),
        DeploymentAction::Stop => ("Pause", "Paused", "PausedError"),
        DeploymentAction::Delete | DeploymentAction::Uninstall => ("Delete", "Deleted", "DeletedError"),
    }
}

/// Tells of one deployment.
struct Teller<'a> {
    environment: &'a environment::Model,
    row: &'a deployment::Model,
    names: HashMap<JobId, String>,
}

impl Teller<'_> {
    fn tell(&self, parts: &[deployment_job::Model], runs: &[entity::run::Model]) -> Vec<EnvironmentLogs> {
        let row = self.row;
        let (going, well, badly) = steps(row.action);
        let mut entries = Vec::new();
        let what = word(row.action);
        entries.push(self.entry(
            row.created_at,
            "Start",
            None,
            format!("the {what} was asked for by {}", row.triggered_by),
        ));
        if let Some(at) = row.started_at {
            entries.push(self.entry(at, going, None, format!("the {what} has begun")));
        }
        for part in parts {
            if let Some(at) = part.started_at {
                entries.push(self.entry(at, going, Some(part), format!("the {what} of this job has begun")));
            }
            let Some(at) = part.finished_at else { continue };
            let run = runs.iter().find(|run| Some(run.id) == part.run_id);
            let reason = run.and_then(|run| run.reason.clone());
            entries.push(match part.progress {
                Progress::Failed => {
                    let text = reason.unwrap_or_else(|| format!("the {what} of this job has failed"));
                    self.failed(at, badly, Some(part), text)
                }
                Progress::Cancelled => {
                    self.entry(at, "Cancelled", Some(part), format!("the {what} of this job was cancelled"))
                }
                Progress::Queued | Progress::Running | Progress::Succeeded => {
                    self.entry(at, well, Some(part), format!("the {what} of this job has succeeded"))
                }
            });
        }
        if let Some(at) = row.finished_at {
            entries.push(match row.progress {
                Progress::Failed => self.failed(at, badly, None, format!("the {what} has failed")),
                Progress::Cancelled => self.entry(at, "Cancelled", None, format!("the {what} was cancelled")),
                Progress::Queued | Progress::Running | Progress::Succeeded => {
                    self.entry(at, well, None, format!("the {what} has succeeded"))
                }
            });
        }
        entries
    }

    /// What was said while the image of a job was built.
    fn build(
        &self,
        part: &deployment_job::Model,
        build: &entity::run::Model,
        lines: &[store::log_chunk::LogLine],
    ) -> Vec<EnvironmentLogs> {
        let lines = lines.iter().map(|line| self.entry(line.at, "Build", Some(part), line.text.clone()));
        let mut entries: Vec<_> = lines.collect();
        if let Some(at) = build.finished_at {
            entries.push(match (build.state, &build.built) {
                (entity::run::RunState::Succeeded, Some(built)) => {
                    self.entry(at, "Built", Some(part), format!("the image {} is ready", built.image))
                }
                _ => {
                    let reason = build.reason.clone().unwrap_or_else(|| "the image could not be built".into());
                    self.failed(at, "BuiltError", Some(part), reason)
                }
            });
        }
        entries
    }

    fn entry(
        &self,
        at: DateTime<Utc>,
        step: &str,
        part: Option<&deployment_job::Model>,
        text: String,
    ) -> EnvironmentLogs {
        let transmitter = match part {
            Some(part) => Transmitter {
                id: part.job_id.0,
                name: self.names.get(&part.job_id).cloned().unwrap_or_default(),
                kind: "Job".into(),
            },
            None => Transmitter {
                id: self.environment.id.0,
                name: self.environment.name.clone(),
                kind: "Environment".into(),
            },
        };
        EnvironmentLogs {
            kind: "info".into(),
            timestamp: Timestamp(at),
            details: LogDetails {
                organization_id: self.environment.organization_id.0,
                cluster_id: self.environment.cluster_id.0,
                execution_id: execution_id(self.row),
                transmitter,
                stage: LogStage {
                    step: step.to_owned(),
                    id: part.and_then(|part| part.stage_id).map(|id| id.0),
                    name: part.and_then(|part| part.stage_name.clone()),
                },
            },
            error: None,
            message: LogMessage { safe_message: text },
        }
    }

    fn failed(
        &self,
        at: DateTime<Utc>,
        step: &str,
        part: Option<&deployment_job::Model>,
        text: String,
    ) -> EnvironmentLogs {
        let error = Some(LogError { tag: "JOB_FAILURE".into(), user_log_message: text.clone() });
        EnvironmentLogs { kind: "error".into(), error, ..self.entry(at, step, part, text) }
    }
}

//! The bodies of answers about deployments, made from what the engine has recorded.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use entity::deployment::Action as DeploymentAction;
use entity::deployment::Progress;
use entity::id::{DeploymentId, JobId};
use entity::job_spec::{Command, JobSpec, Schedule, Source};
use entity::{deployment, deployment_job, job};
use poem_openapi::{Enum, Object};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::super::job::{JobCommandResponse, JobTypeEnum, ServiceTypeEnum};
use super::super::status::{self, EventOriginEnum, StageStatusEnum, StateEnum, StatusDetails};
use super::super::wire::Timestamp;
use super::commit::{Builds, Commit};
use crate::app::App;
use crate::engine::deployment::events;
use crate::error::Result;
use crate::store;

/// A page of a history; the first one is the only one.
#[derive(Debug, Serialize, Deserialize, Object)]
pub(super) struct Page<T: poem_openapi::types::ParseFromJSON + poem_openapi::types::ToJSON> {
    pub(super) page: i32,
    pub(super) page_size: i32,
    pub(super) results: Vec<T>,
}

#[derive(Debug, Serialize, Deserialize, Enum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[oai(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum JobScheduleEvent {
    OnStart,
    OnStop,
    OnDelete,
    Cron,
}

#[derive(Debug, Serialize, Deserialize, Object)]
pub(super) struct HistorySchedule {
    pub(super) event: JobScheduleEvent,
    pub(super) schedule_at: Option<String>,
}

#[derive(Debug, Serialize, Deserialize, Object)]
pub(super) struct DeploymentHistoryJobResponse {
    pub(super) id: Uuid,
    pub(super) created_at: Timestamp,
    pub(super) updated_at: Timestamp,
    pub(super) name: String,
    pub(super) status: StateEnum,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) image_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tag: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) commit: Option<Commit>,
    pub(super) schedule: HistorySchedule,
    pub(super) arguments: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) entrypoint: Option<String>,
}

#[derive(Debug, Serialize, Deserialize, Object)]
pub(super) struct DeploymentHistoryEnvironment {
    pub(super) id: Uuid,
    pub(super) created_at: Timestamp,
    pub(super) updated_at: Timestamp,
    pub(super) status: StateEnum,
    pub(super) origin: EventOriginEnum,
    pub(super) triggered_by: String,
    pub(super) jobs: Vec<DeploymentHistoryJobResponse>,
}

#[derive(Debug, Serialize, Deserialize, Object)]
pub(super) struct ServiceIdentifier {
    pub(super) name: String,
    pub(super) service_id: Uuid,
    pub(super) service_type: ServiceTypeEnum,
    pub(super) execution_id: String,
}

#[derive(Debug, Serialize, Deserialize, Object)]
pub(super) struct DeploymentHistoryAuditingData {
    pub(super) created_at: Timestamp,
    pub(super) updated_at: Timestamp,
    pub(super) triggered_by: String,
    pub(super) origin: EventOriginEnum,
}

#[derive(Debug, Serialize, Deserialize, Object)]
pub(super) struct CronJobHistory {
    pub(super) arguments: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) entrypoint: Option<String>,
    pub(super) scheduled_at: String,
    pub(super) timezone: String,
}

#[derive(Debug, Default, Serialize, Deserialize, Object)]
pub(super) struct ScheduleHistory {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) on_start: Option<JobCommandResponse>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) on_stop: Option<JobCommandResponse>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) on_delete: Option<JobCommandResponse>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cron_job: Option<CronJobHistory>,
}

#[derive(Debug, Serialize, Deserialize, Object)]
pub(super) struct JobDetails {
    pub(super) image_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) commit: Option<Commit>,
    pub(super) tag: String,
    pub(super) schedule: ScheduleHistory,
    pub(super) job_type: JobTypeEnum,
    pub(super) build_pod_name: Option<String>,
}

#[derive(Debug, Serialize, Deserialize, Object)]
pub(super) struct DeploymentHistoryService {
    pub(super) identifier: ServiceIdentifier,
    pub(super) status: StateEnum,
    pub(super) auditing_data: DeploymentHistoryAuditingData,
    pub(super) details: JobDetails,
    pub(super) status_details: StatusDetails,
    pub(super) icon_uri: String,
    pub(super) total_duration: String,
}

#[derive(Debug, Serialize, Deserialize, Object)]
pub(super) struct DeploymentHistoryStage {
    pub(super) name: String,
    pub(super) status: StageStatusEnum,
    pub(super) duration: String,
    pub(super) services: Vec<DeploymentHistoryService>,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize, Enum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[oai(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum DeploymentHistoryTriggerAction {
    Deploy,
    Delete,
    Stop,
    Uninstall,
}

impl From<DeploymentAction> for DeploymentHistoryTriggerAction {
    fn from(action: DeploymentAction) -> Self {
        match action {
            DeploymentAction::Deploy => Self::Deploy,
            DeploymentAction::Delete => Self::Delete,
            DeploymentAction::Stop => Self::Stop,
            DeploymentAction::Uninstall => Self::Uninstall,
        }
    }
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize, Enum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[oai(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum DeploymentHistoryActionStatus {
    Queued,
    Ongoing,
    Success,
    Error,
    Canceled,
    Canceling,
}

#[derive(Debug, Serialize, Deserialize, Object)]
pub(super) struct EnvironmentIdentifier {
    pub(super) execution_id: String,
    pub(super) environment_id: Uuid,
}

#[derive(Debug, Serialize, Deserialize, Object)]
pub(super) struct DeploymentHistoryEnvironmentV2 {
    pub(super) identifier: EnvironmentIdentifier,
    pub(super) auditing_data: DeploymentHistoryAuditingData,
    pub(super) status: StateEnum,
    pub(super) trigger_action: DeploymentHistoryTriggerAction,
    pub(super) total_duration: String,
    pub(super) stages: Vec<DeploymentHistoryStage>,
    pub(super) action_status: DeploymentHistoryActionStatus,
}

#[derive(Debug, Serialize, Deserialize, Object)]
pub(super) struct QueuedAuditingData {
    pub(super) triggered_by: String,
    pub(super) origin: EventOriginEnum,
}

#[derive(Debug, Serialize, Deserialize, Object)]
pub(super) struct QueuedIdentifier {
    pub(super) deployment_request_id: Uuid,
    pub(super) environment_id: Uuid,
}

#[derive(Debug, Serialize, Deserialize, Object)]
pub(super) struct QueuedServiceIdentifier {
    pub(super) service_id: Uuid,
    pub(super) service_type: ServiceTypeEnum,
    pub(super) name: String,
}

#[derive(Debug, Serialize, Deserialize, Object)]
pub(super) struct QueuedDetails {
    pub(super) job_type: JobTypeEnum,
}

#[derive(Debug, Serialize, Deserialize, Object)]
pub(super) struct QueuedService {
    pub(super) identifier: QueuedServiceIdentifier,
    pub(super) status: StageStatusEnum,
    pub(super) icon_uri: String,
    pub(super) details: QueuedDetails,
}

#[derive(Debug, Serialize, Deserialize, Object)]
pub(super) struct QueuedStage {
    pub(super) name: String,
    pub(super) status: StageStatusEnum,
    pub(super) services: Vec<QueuedService>,
}

#[derive(Debug, Serialize, Deserialize, Object)]
pub(super) struct QueuedDeploymentRequestWithStages {
    pub(super) identifier: QueuedIdentifier,
    pub(super) auditing_data: QueuedAuditingData,
    pub(super) trigger_action: DeploymentHistoryTriggerAction,
    pub(super) stages: Vec<QueuedStage>,
}

#[derive(Debug, Serialize, Deserialize, Object)]
pub(super) struct ServiceRequestIdentifier {
    pub(super) deployment_request_id: Uuid,
    pub(super) service_id: Uuid,
    pub(super) service_type: ServiceTypeEnum,
    pub(super) name: String,
}

#[derive(Debug, Serialize, Deserialize, Object)]
pub(super) struct QueuedDeploymentRequestForService {
    pub(super) identifier: ServiceRequestIdentifier,
    pub(super) auditing_data: QueuedAuditingData,
    pub(super) status_details: StatusDetails,
    pub(super) icon_uri: String,
}

/// An ISO 8601 duration, in whole seconds; nothing that has not begun has lasted.
pub(super) fn duration(from: Option<DateTime<Utc>>, to: Option<DateTime<Utc>>) -> String {
    let lasted = from.zip(to).map_or(TimeDelta::zero(), |(from, to)| to - from);
    format!("PT{}S", lasted.num_seconds().max(0))
}

pub(super) fn image(spec: &JobSpec) -> (Option<String>, Option<String>) {
    match &spec.source {
        Source::Image { image_name, tag, .. } => (Some(image_name.clone()), Some(tag.clone())),
        Source::Docker { .. } => (None, None),
    }
}

/// The event that a part ran, or would have run.
pub(super) fn event(part: &deployment_job::Model, of: &deployment::Model, spec: &JobSpec) -> entity::run::Event {
    use entity::run::Event;
    let wanted = match (part.forced_event, of.action, &spec.schedule) {
        (Some(event), _, _) => event,
        (None, _, Schedule::Cron { .. }) => Event::Cron,
        (None, DeploymentAction::Deploy, _) => Event::Start,
        (None, DeploymentAction::Stop, _) => Event::Stop,
        (None, DeploymentAction::Delete | DeploymentAction::Uninstall, _) => Event::Delete,
    };
    events(&spec.schedule).into_iter().find(|event| *event == wanted).unwrap_or(wanted)
}

pub(super) fn v1(
    part: &deployment_job::Model,
    of: &deployment::Model,
    job: &job::Model,
    builds: &Builds,
) -> DeploymentHistoryJobResponse {
    use entity::run::Event;
    let spec = part.spec.as_ref().unwrap_or(&job.spec);
    let ran = event(part, of, spec);
    let command = crate::engine::deployment::command(&spec.schedule, ran).cloned().unwrap_or_default();
    let Command { entrypoint, arguments } = command;
    let (image_name, tag) = image(spec);
    DeploymentHistoryJobResponse {
        id: of.id.0,
        created_at: Timestamp(of.created_at),
        updated_at: Timestamp(part.finished_at.unwrap_or(of.updated_at)),
        name: job.name.clone(),
        status: status::of_part(part, of),
        image_name,
        tag,
        commit: builds.of(part),
        schedule: HistorySchedule {
            event: match ran {
                Event::Cron | Event::Build | Event::Workspace | Event::Apply => JobScheduleEvent::Cron,
                Event::Start => JobScheduleEvent::OnStart,
                Event::Stop => JobScheduleEvent::OnStop,
                Event::Delete => JobScheduleEvent::OnDelete,
            },
            schedule_at: match &spec.schedule {
                Schedule::Cron { scheduled_at, .. } => Some(scheduled_at.clone()),
                Schedule::Lifecycle { .. } => None,
            },
        },
        arguments: arguments.unwrap_or_default(),
        entrypoint,
    }
}

pub(super) fn auditing(of: &deployment::Model) -> DeploymentHistoryAuditingData {
    DeploymentHistoryAuditingData {
        created_at: Timestamp(of.created_at),
        updated_at: Timestamp(of.updated_at),
        triggered_by: of.triggered_by.clone(),
        origin: of.origin.into(),
    }
}

pub(super) fn queued_auditing(of: &deployment::Model) -> QueuedAuditingData {
    QueuedAuditingData { triggered_by: of.triggered_by.clone(), origin: of.origin.into() }
}

pub(super) fn schedule_history(schedule: &Schedule) -> ScheduleHistory {
    match schedule.clone() {
        Schedule::Cron { scheduled_at, timezone, command: Command { entrypoint, arguments } } => {
            let arguments = arguments.unwrap_or_default();
            let cron_job = Some(CronJobHistory { arguments, entrypoint, scheduled_at, timezone });
            ScheduleHistory { cron_job, ..ScheduleHistory::default() }
        }
        Schedule::Lifecycle { on_start, on_stop, on_delete, lifecycle_type: _ } => ScheduleHistory {
            on_start: on_start.map(JobCommandResponse::from),
            on_stop: on_stop.map(JobCommandResponse::from),
            on_delete: on_delete.map(JobCommandResponse::from),
            cron_job: None,
        },
    }
}

pub(super) fn v2(
    part: &deployment_job::Model,
    of: &deployment::Model,
    (job, builds): (&job::Model, &Builds),
    now: DateTime<Utc>,
) -> DeploymentHistoryService {
    let spec = part.spec.as_ref().unwrap_or(&job.spec);
    let (image_name, tag) = image(spec);
    let until = if part.progress.is_final() { part.finished_at } else { Some(now) };
    DeploymentHistoryService {
        identifier: ServiceIdentifier {
            name: job.name.clone(),
            service_id: job.id.0,
            service_type: ServiceTypeEnum::Job,
            execution_id: status::execution_id(of),
        },
        status: status::of_part(part, of),
        auditing_data: auditing(of),
        details: JobDetails {
            image_name: image_name.unwrap_or_default(),
            tag: tag.unwrap_or_default(),
            commit: builds.of(part),
            schedule: schedule_history(&spec.schedule),
            job_type: job.job_type.into(),
            build_pod_name: None,
        },
        status_details: status::details(Some((part, of)), super::durations::doing(part)),
        icon_uri: spec.icon_uri.clone(),
        total_duration: duration(part.started_at, until),
    }
}

/// The parts of deployments, and the jobs that they are of.
pub(super) struct Parts {
    pub(super) by_deployment: HashMap<DeploymentId, Vec<deployment_job::Model>>,
    pub(super) jobs: HashMap<JobId, job::Model>,
    pub(super) builds: Builds,
}

impl Parts {
    pub(super) async fn read(app: &App, rows: &[deployment::Model]) -> Result<Self> {
        let parts = store::deployment::list_parts_of(&app.db, rows.iter().map(|row| row.id).collect()).await?;
        let ids: std::collections::HashSet<JobId> = parts.iter().map(|part| part.job_id).collect();
        let jobs = store::job::list_by_ids(&app.db, ids.into_iter().collect()).await?;
        let builds = Builds::read(&app.db, &parts).await?;
        let mut by_deployment: HashMap<_, Vec<_>> = HashMap::new();
        for part in parts {
            by_deployment.entry(part.deployment_id).or_default().push(part);
        }
        Ok(Self { by_deployment, jobs: jobs.into_iter().map(|job| (job.id, job)).collect(), builds })
    }

    pub(super) fn of(&self, id: DeploymentId) -> impl Iterator<Item = (&deployment_job::Model, &job::Model)> {
        let parts = self.by_deployment.get(&id).map(Vec::as_slice).unwrap_or_default();
        parts.iter().filter_map(|part| Some((part, self.jobs.get(&part.job_id)?)))
    }

    /// The parts of a deployment, stage by stage in their order.
    pub(super) fn stages(&self, id: DeploymentId) -> Vec<(String, Vec<(&deployment_job::Model, &job::Model)>)> {
        let mut stages: Vec<(i32, String, Vec<_>)> = Vec::new();
        for (part, job) in self.of(id) {
            match stages.iter_mut().find(|(position, _, _)| *position == part.stage_position) {
                Some((_, _, parts)) => parts.push((part, job)),
                None => {
                    let name = part.stage_name.clone().unwrap_or_default();
                    stages.push((part.stage_position, name, vec![(part, job)]));
                }
            }
        }
        stages.into_iter().map(|(_, name, parts)| (name, parts)).collect()
    }
}

pub(super) fn environment_v2(
    of: &deployment::Model,
    parts: &Parts,
    now: DateTime<Utc>,
) -> DeploymentHistoryEnvironmentV2 {
    let stage = |(name, of_stage): (String, Vec<(&deployment_job::Model, &job::Model)>)| {
        let progress: Vec<_> = of_stage.iter().map(|(part, _)| part.progress).collect();
        let from = of_stage.iter().filter_map(|(part, _)| part.started_at).min();
        let ended = of_stage.iter().all(|(part, _)| part.progress.is_final());
        let to = if ended { of_stage.iter().filter_map(|(part, _)| part.finished_at).max() } else { Some(now) };
        DeploymentHistoryStage {
            name,
            status: StageStatusEnum::of(&progress).unwrap_or(StageStatusEnum::Done),
            duration: duration(from, to),
            services: of_stage.into_iter().map(|(part, job)| v2(part, of, (job, &parts.builds), now)).collect(),
        }
    };
    let until = if of.progress.is_final() { of.finished_at } else { Some(now) };
    DeploymentHistoryEnvironmentV2 {
        identifier: EnvironmentIdentifier {
            execution_id: status::execution_id(of),
            environment_id: of.environment_id.0,
        },
        auditing_data: auditing(of),
        status: status::of_deployment(of),
        trigger_action: of.action.into(),
        total_duration: duration(of.started_at, until),
        stages: parts.stages(of.id).into_iter().map(stage).collect(),
        action_status: match of.progress {
            Progress::Queued => DeploymentHistoryActionStatus::Queued,
            Progress::Running if of.cancel_requested_at.is_some() => DeploymentHistoryActionStatus::Canceling,
            Progress::Running => DeploymentHistoryActionStatus::Ongoing,
            Progress::Succeeded => DeploymentHistoryActionStatus::Success,
            Progress::Failed => DeploymentHistoryActionStatus::Error,
            Progress::Cancelled => DeploymentHistoryActionStatus::Canceled,
        },
    }
}

//! The first official format of the history.

use entity::deployment::{self, Action as DeploymentAction};
use entity::job_spec::{Command, JobSpec, Schedule};
use entity::run::Event;
use entity::{deployment_job, job};
use poem_openapi::{Enum, Object};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::builds::Builds;
use super::commit::Commit;
use super::response::image;
use crate::api::status::{self, EventOriginEnum, StateEnum};
use crate::api::wire::Timestamp;
use crate::engine::deployment::events;

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

/// The event that a part ran, or would have run.
fn event(part: &deployment_job::Model, deployment: &deployment::Model, spec: &JobSpec) -> entity::run::Event {
    let requested = match (part.forced_event, deployment.action, &spec.schedule) {
        (Some(event), _, _) => event,
        (None, _, Schedule::Cron { .. }) => Event::Cron,
        (None, DeploymentAction::Deploy, _) => Event::Start,
        (None, DeploymentAction::Stop, _) => Event::Stop,
        (None, DeploymentAction::Delete | DeploymentAction::Uninstall, _) => Event::Delete,
    };
    events(&spec.schedule).into_iter().find(|event| *event == requested).unwrap_or(requested)
}

pub(super) fn job_history_v1(
    part: &deployment_job::Model,
    deployment: &deployment::Model,
    job: &job::Model,
    builds: &Builds,
) -> DeploymentHistoryJobResponse {
    let spec = part.spec.as_ref().unwrap_or(&job.spec);
    let ran = event(part, deployment, spec);
    let command = crate::engine::deployment::command(&spec.schedule, ran).cloned().unwrap_or_default();
    let Command { entrypoint, arguments } = command;
    let (image_name, tag) = image(spec);
    DeploymentHistoryJobResponse {
        id: deployment.id.0,
        created_at: Timestamp(deployment.created_at),
        updated_at: Timestamp(part.finished_at.unwrap_or(deployment.updated_at)),
        name: job.name.clone(),
        status: status::of_part(part, deployment),
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
                Schedule::Lifecycle { .. } | Schedule::Check { .. } => None,
            },
        },
        arguments: arguments.unwrap_or_default(),
        entrypoint,
    }
}

//! The second official format of the history, built from the recorded deployments.

use chrono::{DateTime, TimeDelta, Utc};
use entity::deployment::{self, Progress};
use entity::job_spec::{Command, Schedule};
use entity::{deployment_job, job};

use super::builds::Builds;
use super::history_parts::HistoryParts;
use super::response::image;
use super::v2_response::{
    CronJobHistory, DeploymentHistoryActionStatus, DeploymentHistoryAuditingData, DeploymentHistoryEnvironmentV2,
    DeploymentHistoryService, DeploymentHistoryStage, EnvironmentIdentifier, JobDetails, ScheduleHistory,
    ServiceIdentifier,
};
use crate::api::job::{JobCommandResponse, ServiceTypeEnum};
use crate::api::status::{self, StageStatusEnum};
use crate::api::wire::Timestamp;
use crate::engine::state::doing;

/// An ISO 8601 duration in whole seconds; zero before the start.
fn duration(from: Option<DateTime<Utc>>, to: Option<DateTime<Utc>>) -> String {
    let lasted = from.zip(to).map_or(TimeDelta::zero(), |(from, to)| to - from);
    format!("PT{}S", lasted.num_seconds().max(0))
}

fn auditing(deployment: &deployment::Model) -> DeploymentHistoryAuditingData {
    DeploymentHistoryAuditingData {
        created_at: Timestamp(deployment.created_at),
        updated_at: Timestamp(deployment.updated_at),
        triggered_by: deployment.triggered_by.clone(),
        origin: deployment.origin.into(),
    }
}

fn schedule_history(schedule: &Schedule) -> ScheduleHistory {
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
        // A check is never deployed.
        Schedule::Check { .. } => ScheduleHistory::default(),
    }
}

pub(super) fn job_history_v2(
    part: &deployment_job::Model,
    deployment: &deployment::Model,
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
            execution_id: status::execution_id(deployment),
        },
        status: status::of_part(part, deployment),
        auditing_data: auditing(deployment),
        details: JobDetails {
            image_name: image_name.unwrap_or_default(),
            tag: tag.unwrap_or_default(),
            commit: builds.of(part),
            schedule: schedule_history(&spec.schedule),
            job_type: job.job_type.into(),
            build_pod_name: None,
        },
        status_details: status::details(Some((part, deployment)), doing(part)),
        icon_uri: spec.icon_uri.clone(),
        total_duration: duration(part.started_at, until),
    }
}

pub(super) fn environment_history_v2(
    deployment: &deployment::Model,
    parts: &HistoryParts,
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
            services: of_stage
                .into_iter()
                .map(|(part, job)| job_history_v2(part, deployment, (job, &parts.builds), now))
                .collect(),
        }
    };
    let until = if deployment.progress.is_final() { deployment.finished_at } else { Some(now) };
    DeploymentHistoryEnvironmentV2 {
        identifier: EnvironmentIdentifier {
            execution_id: status::execution_id(deployment),
            environment_id: deployment.environment_id.0,
        },
        auditing_data: auditing(deployment),
        status: status::of_deployment(deployment),
        trigger_action: deployment.action.into(),
        total_duration: duration(deployment.started_at, until),
        stages: parts.parts.stages(deployment.id).into_iter().map(stage).collect(),
        action_status: match deployment.progress {
            Progress::Queued => DeploymentHistoryActionStatus::Queued,
            Progress::Running if deployment.cancel_requested_at.is_some() => DeploymentHistoryActionStatus::Canceling,
            Progress::Running => DeploymentHistoryActionStatus::Ongoing,
            Progress::Succeeded => DeploymentHistoryActionStatus::Success,
            Progress::Failed => DeploymentHistoryActionStatus::Error,
            Progress::Cancelled => DeploymentHistoryActionStatus::Canceled,
        },
    }
}

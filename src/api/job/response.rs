//! Jobs in responses, under their official names.

use entity::job_spec::{Command, CpuArchitecture, JobSpec, JobType, LifecycleType, Schedule};
use entity::metadata_group::GroupKind;
use poem_openapi::{Enum, Object};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::healthcheck::Healthcheck;
use super::job_command::{JobCommand, JobLifecycleTypeEnum};
use super::request::CpuArchitectureEnum;
use super::schedule_response::{CronCommand, CronSchedule, LifecycleSchedule};
use super::source_response::{JobSource, source_response};
use crate::api::group::{OrganizationAnnotationsGroupResponse, OrganizationLabelsGroupResponse};
use crate::api::wire::{ReferenceObject, Timestamp, one_of};
use crate::store::job::JobView;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Enum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[oai(rename_all = "SCREAMING_SNAKE_CASE")]
pub(in crate::api) enum JobTypeEnum {
    Lifecycle,
    Cron,
}

impl From<JobType> for JobTypeEnum {
    fn from(job_type: JobType) -> Self {
        match job_type {
            JobType::Lifecycle => Self::Lifecycle,
            // The official operations return no checks.
            JobType::Cron | JobType::Check => Self::Cron,
        }
    }
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize, Enum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[oai(rename_all = "SCREAMING_SNAKE_CASE")]
pub(in crate::api) enum ServiceTypeEnum {
    Job,
}

#[derive(Debug, Serialize, Deserialize, Object)]
struct BaseJobResponse {
    id: Uuid,
    created_at: Timestamp,
    updated_at: Timestamp,
    environment: ReferenceObject,
    maximum_cpu: i32,
    maximum_memory: i32,
    maximum_gpu: i32,
    name: String,
    description: String,
    cpu: i32,
    memory: i32,
    gpu: i32,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[oai(skip_serializing_if_is_none)]
    ephemeral_storage_in_gib: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[oai(skip_serializing_if_is_none)]
    cpu_architecture: Option<CpuArchitectureEnum>,
    max_nb_restart: i32,
    max_duration_seconds: i32,
    auto_preview: bool,
    port: Option<i32>,
    source: JobSource,
    healthchecks: Healthcheck,
    auto_deploy: bool,
    annotations_groups: Vec<OrganizationAnnotationsGroupResponse>,
    labels_groups: Vec<OrganizationLabelsGroupResponse>,
    icon_uri: String,
    service_type: ServiceTypeEnum,
}

/// The `job_type` of a lifecycle job. It has one value, so that a response matches one member of the union.
#[derive(Debug, Serialize, Deserialize, Enum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[oai(rename_all = "SCREAMING_SNAKE_CASE")]
enum LifecycleOnly {
    Lifecycle,
}

/// The `job_type` of a cron job.
#[derive(Debug, Serialize, Deserialize, Enum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[oai(rename_all = "SCREAMING_SNAKE_CASE")]
enum CronOnly {
    Cron,
}

#[derive(Debug, Serialize, Deserialize, Object)]
pub(crate) struct LifecycleJobResponse {
    #[serde(flatten)]
    #[oai(flatten)]
    base: BaseJobResponse,
    job_type: LifecycleOnly,
    schedule: LifecycleSchedule,
}

#[derive(Debug, Serialize, Deserialize, Object)]
pub(crate) struct CronJobResponse {
    #[serde(flatten)]
    #[oai(flatten)]
    base: BaseJobResponse,
    job_type: CronOnly,
    schedule: CronSchedule,
}

one_of! {
    /// A job.
    JobResponse by "job_type" {
        Lifecycle(LifecycleJobResponse) = "LIFECYCLE",
        Cron(CronJobResponse) = "CRON",
    }
}

impl From<JobView> for JobResponse {
    fn from(view: JobView) -> Self {
        let JobView {
            id,
            organization_id: _,
            environment_id,
            place: _,
            created_at,
            updated_at,
            name,
            job_type: _,
            spec,
            registry,
            built,
            groups,
            maximum_cpu_milli,
            maximum_memory_mib,
        } = view;
        let JobSpec {
            description,
            cpu_milli,
            memory_mib,
            gpu,
            ephemeral_storage_gib,
            cpu_architecture,
            max_nb_restart,
            max_duration_seconds,
            auto_preview,
            auto_deploy,
            port,
            icon_uri,
            healthchecks,
            source,
            schedule,
            annotations_groups: _,
            labels_groups: _,
            settings: _,
        } = spec;
        let (annotations, labels): (Vec<_>, Vec<_>) =
            groups.into_iter().partition(|group| group.kind == GroupKind::Annotations);
        let base = BaseJobResponse {
            id: id.0,
            created_at: Timestamp(created_at),
            updated_at: Timestamp(updated_at),
            environment: ReferenceObject { id: environment_id.0 },
            maximum_cpu: maximum_cpu_milli,
            maximum_memory: maximum_memory_mib,
            maximum_gpu: 0,
            name,
            description,
            cpu: cpu_milli,
            memory: memory_mib,
            gpu,
            ephemeral_storage_in_gib: ephemeral_storage_gib,
            cpu_architecture: cpu_architecture.map(|architecture| match architecture {
                CpuArchitecture::Amd64 => CpuArchitectureEnum::Amd64,
                CpuArchitecture::Arm64 => CpuArchitectureEnum::Arm64,
            }),
            max_nb_restart,
            max_duration_seconds,
            auto_preview,
            port,
            source: source_response(source, registry, built.and_then(|built| built.commit)),
            healthchecks: healthchecks.into(),
            auto_deploy,
            annotations_groups: annotations.into_iter().map(OrganizationAnnotationsGroupResponse::from).collect(),
            labels_groups: labels.into_iter().map(OrganizationLabelsGroupResponse::from).collect(),
            icon_uri,
            service_type: ServiceTypeEnum::Job,
        };
        with_schedule(base, schedule)
    }
}

fn with_schedule(base: BaseJobResponse, schedule: Schedule) -> JobResponse {
    match schedule {
        Schedule::Lifecycle { on_start, on_stop, on_delete, lifecycle_type } => {
            let schedule = LifecycleSchedule {
                on_start: on_start.map(JobCommand::from),
                on_stop: on_stop.map(JobCommand::from),
                on_delete: on_delete.map(JobCommand::from),
                lifecycle_type: Some(match lifecycle_type {
                    LifecycleType::Generic => JobLifecycleTypeEnum::Generic,
                    LifecycleType::Terraform => JobLifecycleTypeEnum::Terraform,
                    LifecycleType::Cloudformation => JobLifecycleTypeEnum::Cloudformation,
                }),
            };
            let job = LifecycleJobResponse { base, job_type: LifecycleOnly::Lifecycle, schedule };
            JobResponse::Lifecycle(Box::new(job))
        }
        // The official operations return no checks.
        Schedule::Check { .. } => {
            let schedule = LifecycleSchedule { on_start: None, on_stop: None, on_delete: None, lifecycle_type: None };
            JobResponse::Lifecycle(Box::new(LifecycleJobResponse {
                base,
                job_type: LifecycleOnly::Lifecycle,
                schedule,
            }))
        }
        Schedule::Cron { scheduled_at, timezone, command: Command { entrypoint, arguments } } => {
            let cronjob = CronCommand { arguments, entrypoint, timezone, scheduled_at };
            let schedule = CronSchedule { cronjob };
            JobResponse::Cron(Box::new(CronJobResponse { base, job_type: CronOnly::Cron, schedule }))
        }
    }
}

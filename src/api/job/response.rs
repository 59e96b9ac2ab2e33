//! The answers about jobs, under their official names.

use entity::job_spec::JobType;
use entity::job_spec::{
    Command, CpuArchitecture, GitRepository, Healthchecks, JobSpec, LifecycleType, Probe as StoredProbe,
    ProbeType as StoredProbeType, Schedule, Source,
};
use entity::metadata_group::GroupKind;
use entity::run_spec::Commit;
use poem_openapi::{Enum, Object};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::super::group::{OrganizationAnnotationsGroupResponse, OrganizationLabelsGroupResponse};
use super::super::registry::ContainerRegistryKindEnum;
use super::super::wire::{self, ReferenceObject, Timestamp, one_of};
use super::request::{
    CpuArchitectureEnum, ExecProbe, GitProviderEnum, GrpcProbe, Healthcheck, HttpProbe, JobCommand,
    JobLifecycleTypeEnum, Probe, ProbeType, TcpProbe,
};
use crate::store::job::{JobView, RegistryView};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Enum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[oai(rename_all = "SCREAMING_SNAKE_CASE")]
pub(in super::super) enum JobTypeEnum {
    Lifecycle,
    Cron,
}

impl From<JobType> for JobTypeEnum {
    fn from(job_type: JobType) -> Self {
        match job_type {
            JobType::Lifecycle => Self::Lifecycle,
            JobType::Cron => Self::Cron,
        }
    }
}

/// The command of an event in a history, where the arguments are always there.
#[derive(Debug, Serialize, Deserialize, Object)]
#[oai(rename = "JobLifecyleSchedule")]
pub(in super::super) struct JobCommandResponse {
    arguments: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    entrypoint: Option<String>,
}

impl From<Command> for JobCommandResponse {
    fn from(command: Command) -> Self {
        let Command { entrypoint, arguments } = command;
        Self { arguments: arguments.unwrap_or_default(), entrypoint }
    }
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize, Enum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[oai(rename_all = "SCREAMING_SNAKE_CASE")]
pub(in super::super) enum ServiceTypeEnum {
    Job,
}

#[derive(Debug, Serialize, Deserialize, Object)]
struct ContainerRegistryProviderDetailsResponse {
    id: Uuid,
    name: String,
    url: String,
    kind: ContainerRegistryKindEnum,
}

#[derive(Debug, Serialize, Deserialize, Object)]
struct ContainerSource {
    image_name: String,
    tag: String,
    registry_id: String,
    registry: ContainerRegistryProviderDetailsResponse,
}

#[derive(Debug, Serialize, Deserialize, Object)]
struct ApplicationGitRepository {
    has_access: bool,
    provider: GitProviderEnum,
    owner: String,
    url: String,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[oai(skip_serializing_if_is_none)]
    branch: Option<String>,
    root_path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[oai(skip_serializing_if_is_none)]
    deployed_commit_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[oai(skip_serializing_if_is_none)]
    deployed_commit_date: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[oai(skip_serializing_if_is_none)]
    deployed_commit_contributor: Option<String>,
    git_token_id: Option<String>,
}

#[derive(Debug, Serialize, Deserialize, Object)]
struct JobSourceDockerResponse {
    #[serde(skip_serializing_if = "Option::is_none")]
    #[oai(skip_serializing_if_is_none)]
    git_repository: Option<ApplicationGitRepository>,
    dockerfile_path: Option<String>,
    dockerfile_raw: Option<String>,
    docker_target_build_stage: Option<String>,
}

#[derive(Debug, Serialize, Deserialize, Object)]
struct ImageSource {
    image: ContainerSource,
}

#[derive(Debug, Serialize, Deserialize, Object)]
struct DockerSource {
    docker: JobSourceDockerResponse,
}

/// Only the key that is used: clients refuse the other one, even as null.
#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
enum JobSource {
    Image(Box<ImageSource>),
    Docker(Box<DockerSource>),
}

wire::described!(
    JobSource,
    poem_openapi::registry::MetaSchemaRef::Inline(Box::new(poem_openapi::registry::MetaSchema {
        one_of: vec![
            <ImageSource as poem_openapi::types::Type>::schema_ref(),
            <DockerSource as poem_openapi::types::Type>::schema_ref(),
        ],
        ..poem_openapi::registry::MetaSchema::ANY
    })),
    |registry| {
        <ImageSource as poem_openapi::types::Type>::register(registry);
        <DockerSource as poem_openapi::types::Type>::register(registry);
    }
);

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

#[derive(Debug, Serialize, Deserialize, Object)]
#[oai(skip_serializing_if_is_none)]
struct LifecycleSchedule {
    #[serde(skip_serializing_if = "Option::is_none")]
    on_start: Option<JobCommand>,
    #[serde(skip_serializing_if = "Option::is_none")]
    on_stop: Option<JobCommand>,
    #[serde(skip_serializing_if = "Option::is_none")]
    on_delete: Option<JobCommand>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lifecycle_type: Option<JobLifecycleTypeEnum>,
}

#[derive(Debug, Serialize, Deserialize, Object)]
struct CronCommand {
    #[serde(skip_serializing_if = "Option::is_none")]
    #[oai(skip_serializing_if_is_none)]
    arguments: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[oai(skip_serializing_if_is_none)]
    entrypoint: Option<String>,
    timezone: String,
    scheduled_at: String,
}

#[derive(Debug, Serialize, Deserialize, Object)]
struct CronSchedule {
    cronjob: CronCommand,
}

/// The type of a job, where only one is possible: so an answer fits one member of the union.
#[derive(Debug, Serialize, Deserialize, Enum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[oai(rename_all = "SCREAMING_SNAKE_CASE")]
enum LifecycleOnly {
    Lifecycle,
}

/// The same of the other one.
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
        Schedule::Cron { scheduled_at, timezone, command: Command { entrypoint, arguments } } => {
            let cronjob = CronCommand { arguments, entrypoint, timezone, scheduled_at };
            let schedule = CronSchedule { cronjob };
            JobResponse::Cron(Box::new(CronJobResponse { base, job_type: CronOnly::Cron, schedule }))
        }
    }
}

fn source_response(source: Source, registry: Option<RegistryView>, commit: Option<Commit>) -> JobSource {
    match source {
        Source::Image { image_name, tag, registry_id } => {
            let (name, url, kind) = match registry {
                Some(RegistryView { id: _, name, url, kind }) => (name, url, kind.into()),
                None => (String::new(), String::new(), ContainerRegistryKindEnum::GenericCr),
            };
            let registry = ContainerRegistryProviderDetailsResponse { id: registry_id.0, name, url, kind };
            let image = ContainerSource { image_name, tag, registry_id: registry_id.to_string(), registry };
            JobSource::Image(Box::new(ImageSource { image }))
        }
        Source::Docker { git_repository, dockerfile_path, dockerfile_raw, docker_target_build_stage } => {
            let git_repository = git_repository.map(|repository| git_response(repository, commit));
            let docker =
                JobSourceDockerResponse { git_repository, dockerfile_path, dockerfile_raw, docker_target_build_stage };
            JobSource::Docker(Box::new(DockerSource { docker }))
        }
    }
}

fn git_response(repository: GitRepository, commit: Option<Commit>) -> ApplicationGitRepository {
    let GitRepository { url, provider, branch, root_path, git_token_id } = repository;
    let path = url.split_once("://").map_or(url.as_str(), |(_, rest)| rest);
    let path = path.split_once('/').map_or("", |(_, path)| path).trim_end_matches('/').trim_end_matches(".git");
    let (owner, name) = path.rsplit_once('/').unwrap_or(("", path));
    ApplicationGitRepository {
        has_access: git_token_id.is_some(),
        provider: provider.into(),
        owner: owner.to_owned(),
        name: name.to_owned(),
        branch,
        root_path,
        deployed_commit_id: commit.as_ref().map(|commit| commit.id.clone()),
        deployed_commit_date: commit.as_ref().map(|commit| Timestamp(commit.at)),
        deployed_commit_contributor: commit.map(|commit| commit.author),
        git_token_id: git_token_id.map(|id| id.to_string()),
        url,
    }
}

impl From<Healthchecks> for Healthcheck {
    fn from(stored: Healthchecks) -> Self {
        let Healthchecks { readiness_probe, liveness_probe } = stored;
        Self { readiness_probe: readiness_probe.map(Probe::from), liveness_probe: liveness_probe.map(Probe::from) }
    }
}

impl From<StoredProbe> for Probe {
    fn from(stored: StoredProbe) -> Self {
        let StoredProbe {
            kind,
            initial_delay_seconds,
            period_seconds,
            timeout_seconds,
            success_threshold,
            failure_threshold,
        } = stored;
        let kind = match kind {
            StoredProbeType::Tcp { port, host } => {
                ProbeType { tcp: Some(TcpProbe { port, host }), ..ProbeType::default() }
            }
            StoredProbeType::Http { path, scheme, port } => {
                let http = HttpProbe { path: Some(path), scheme: Some(scheme), port };
                ProbeType { http: Some(http), ..ProbeType::default() }
            }
            StoredProbeType::Exec { command } => {
                ProbeType { exec: Some(ExecProbe { command: Some(command) }), ..ProbeType::default() }
            }
            StoredProbeType::Grpc { service, port } => {
                ProbeType { grpc: Some(GrpcProbe { service, port }), ..ProbeType::default() }
            }
        };
        Self {
            kind: Some(kind),
            initial_delay_seconds: Some(initial_delay_seconds),
            period_seconds: Some(period_seconds),
            timeout_seconds: Some(timeout_seconds),
            success_threshold: Some(success_threshold),
            failure_threshold: Some(failure_threshold),
        }
    }
}

impl From<Command> for JobCommand {
    fn from(command: Command) -> Self {
        let Command { entrypoint, arguments } = command;
        Self { arguments, entrypoint }
    }
}

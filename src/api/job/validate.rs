//! What a request about a job has to satisfy, and what it makes of a stored job.
//!
//! Edits keep what a request leaves out and clear what it sets to null; schedule, source and healthchecks are
//! replaced as a whole, but a schedule without a time zone keeps the stored one. Every official client survives
//! these rules: each of them leaves out something that it does not know.

use entity::cluster;
use entity::id::{GitTokenId, GroupId, OrganizationId, RegistryId};
use entity::job;
use entity::job_spec::JobType;
use entity::job_spec::{
    Command, CpuArchitecture, GitRepository, Healthchecks, JobSpec, LifecycleType, Probe as StoredProbe,
    ProbeType as StoredProbeType, Schedule, Source,
};
use entity::metadata_group::GroupKind;
use poem_openapi::types::MaybeUndefined;
use sea_orm::ConnectionTrait;
use uuid::Uuid;

use super::super::limits;
use super::super::wire::ReferenceObject;
use super::request::{
    ApplicationGitRepositoryRequest, CpuArchitectureEnum, CronRequest, DockerRequest, Healthcheck, ImageRequest,
    JobCommand, JobLifecycleTypeEnum, JobRequest, Probe, ProbeType, ScheduleRequest, SourceRequest,
};
use crate::engine::cron;
use crate::error::{Error, Result};
use crate::store;

const DEFAULT_CPU_MILLI: i32 = 500;
const DEFAULT_MEMORY_MIB: i32 = 512;
const DEFAULT_TIMEZONE: &str = "Etc/UTC";
/// The most groups of one kind that a job can have.
const MOST_GROUPS: usize = 50;
const DURATION: &str = "max_duration_seconds";
const LEAST_CPU_MILLI: i32 = 10;
/// Docker refuses to start a container with less.
const LEAST_MEMORY_MIB: i32 = 6;

/// A request that can be stored.
#[derive(Debug)]
pub(super) struct Checked {
    pub(super) name: String,
    pub(super) spec: JobSpec,
}

/// Checks what can be checked without the database.
pub(super) fn check(given: JobRequest, stored: Option<&job::Model>) -> Result<Checked> {
    let JobRequest {
        name,
        description,
        cpu,
        memory,
        gpu,
        ephemeral_storage_in_gib,
        max_nb_restart,
        max_duration_seconds,
        auto_preview,
        port,
        source,
        cpu_architecture,
        healthchecks,
        schedule,
        auto_deploy,
        annotations_groups,
        labels_groups,
        icon_uri,
    } = given;
    let old = stored.map(|job| &job.spec);
    let name = match (name, stored) {
        (Some(name), _) => limits::name("name", &name)?,
        (None, Some(job)) => job.name.clone(),
        (None, None) => return Err(Error::invalid("name", "is missing")),
    };
    let (job_type, schedule) = check_schedule(schedule, stored)?;
    let source = match (source, old) {
        (Some(source), _) => check_source(source)?,
        (None, Some(old)) => old.source.clone(),
        (None, None) => return Err(Error::invalid("source", "is missing")),
    };
    let number = |field: &str, given, old: Option<i32>, default, low| {
        limits::between(field, settle(given, old, default), low, i32::MAX)
    };
    let description = settle(description, old.map(|old| old.description.clone()), String::new());
    let icon = settle(icon_uri, old.map(|old| old.icon_uri.clone()), default_icon(job_type));
    let spec = JobSpec {
        description: limits::text("description", description)?,
        cpu_milli: number("cpu", cpu, old.map(|old| old.cpu_milli), DEFAULT_CPU_MILLI, LEAST_CPU_MILLI)?,
        memory_mib: number("memory", memory, old.map(|old| old.memory_mib), DEFAULT_MEMORY_MIB, LEAST_MEMORY_MIB)?,
        gpu: number("gpu", gpu, old.map(|old| old.gpu), 0, 0)?,
        ephemeral_storage_gib: clearable(ephemeral_storage_in_gib, old.and_then(|old| old.ephemeral_storage_gib))
            .map(|size| limits::between("ephemeral_storage_in_gib", size, 0, i32::MAX))
            .transpose()?,
        cpu_architecture: clearable(cpu_architecture.map_value(architecture), old.and_then(|old| old.cpu_architecture)),
        max_nb_restart: number("max_nb_restart", max_nb_restart, old.map(|old| old.max_nb_restart), 0, 0)?,
        max_duration_seconds: number(DURATION, max_duration_seconds, old.map(|old| old.max_duration_seconds), 0, 0)?,
        auto_preview: settle(auto_preview, old.map(|old| old.auto_preview), false),
        auto_deploy: settle(auto_deploy, old.map(|old| old.auto_deploy), false),
        // Web forms send 0 for no port.
        port: clearable(port, old.and_then(|old| old.port))
            .filter(|port| *port != 0)
            .map(|port| limits::between("port", port, 1, 65_535))
            .transpose()?,
        icon_uri: if icon.trim().is_empty() { default_icon(job_type) } else { limits::text("icon_uri", icon)? },
        healthchecks: check_healthchecks(healthchecks, old)?,
        source,
        schedule,
        annotations_groups: groups("annotations_groups", annotations_groups, old.map(|old| &*old.annotations_groups))?,
        labels_groups: groups("labels_groups", labels_groups, old.map(|old| &*old.labels_groups))?,
        settings: old.map(|old| old.settings.clone()).unwrap_or_default(),
    };
    Ok(Checked { name, spec })
}

/// Checks a configuration against the cluster that it is for.
pub(super) fn check_limits(spec: &JobSpec, cluster: &cluster::Model) -> Result<()> {
    limits::between("cpu", spec.cpu_milli, LEAST_CPU_MILLI, cluster.maximum_cpu_milli)?;
    limits::between("memory", spec.memory_mib, LEAST_MEMORY_MIB, cluster.maximum_memory_mib)?;
    limits::between("gpu", spec.gpu, 0, 0)?;
    Ok(())
}

/// Checks that what a configuration names belongs to the organization.
pub(super) async fn check_references(
    db: &impl ConnectionTrait,
    organization: OrganizationId,
    spec: &JobSpec,
) -> Result<()> {
    if let Some(id) = spec.registry_id() {
        let registry = store::registry::by_id(db, id).await?;
        if registry.is_none_or(|registry| registry.organization_id != organization) {
            let text = "is not a registry of this organization";
            return Err(Error::invalid("source.image.registry_id", text));
        }
    }
    if let Some(id) = spec.git_token_id() {
        let token = store::row::by_id::<entity::git_token::Model>(db, id).await?;
        if token.is_none_or(|token| token.organization_id != organization) {
            let text = "is not a git token of this organization";
            return Err(Error::invalid("source.docker.git_repository.git_token_id", text));
        }
    }
    let kinds = [
        ("annotations_groups", GroupKind::Annotations, &spec.annotations_groups),
        ("labels_groups", GroupKind::Labels, &spec.labels_groups),
    ];
    for (field, kind, ids) in kinds {
        if ids.is_empty() {
            continue;
        }
        let groups = store::group::by_ids(db, ids.clone()).await?;
        let known = |id: &GroupId| {
            groups.iter().any(|row| row.id == *id && row.organization_id == organization && row.kind == kind)
        };
        if let Some(place) = ids.iter().position(|id| !known(id)) {
            return Err(Error::invalid(format!("{field}[{place}].id"), "is not a group of this organization"));
        }
    }
    Ok(())
}

/// The value of a key: as given, as stored when it is absent, the default when it is null or new.
fn settle<T>(given: MaybeUndefined<T>, old: Option<T>, default: T) -> T {
    match given {
        MaybeUndefined::Value(value) => value,
        MaybeUndefined::Undefined => old.unwrap_or(default),
        MaybeUndefined::Null => default,
    }
}

/// The value of a key that may be none.
fn clearable<T>(given: MaybeUndefined<T>, old: Option<T>) -> Option<T> {
    match given {
        MaybeUndefined::Value(value) => Some(value),
        MaybeUndefined::Undefined => old,
        MaybeUndefined::Null => None,
    }
}

fn default_icon(job_type: JobType) -> String {
    match job_type {
        JobType::Cron => "app://qovery-console/cron-job".into(),
        JobType::Lifecycle => "app://qovery-console/lifecycle-job".into(),
    }
}

fn architecture(given: CpuArchitectureEnum) -> CpuArchitecture {
    match given {
        CpuArchitectureEnum::Amd64 => CpuArchitecture::Amd64,
        CpuArchitectureEnum::Arm64 => CpuArchitecture::Arm64,
    }
}

/// The groups of a job: as given, or as stored when the key is absent.
fn groups(field: &str, given: MaybeUndefined<Vec<ReferenceObject>>, old: Option<&[GroupId]>) -> Result<Vec<GroupId>> {
    let given = match given {
        MaybeUndefined::Undefined => return Ok(old.map(<[GroupId]>::to_vec).unwrap_or_default()),
        MaybeUndefined::Null => return Ok(Vec::new()),
        MaybeUndefined::Value(given) => given,
    };
    if given.len() > MOST_GROUPS {
        return Err(Error::invalid(field, format!("has more than {MOST_GROUPS} items")));
    }
    let mut ids: Vec<GroupId> = Vec::new();
    for group in given {
        if !ids.contains(&GroupId(group.id)) {
            ids.push(GroupId(group.id));
        }
    }
    Ok(ids)
}

fn check_schedule(given: Option<ScheduleRequest>, stored: Option<&job::Model>) -> Result<(JobType, Schedule)> {
    let given = match (given, stored) {
        (Some(given), _) => given,
        (None, Some(job)) => return Ok((job.job_type, job.spec.schedule.clone())),
        (None, None) => return Err(Error::invalid("schedule", "is missing")),
    };
    let ScheduleRequest { on_start, on_stop, on_delete, cronjob, lifecycle_type } = given;
    let events = on_start.is_some() || on_stop.is_some() || on_delete.is_some();
    let (job_type, schedule) = match cronjob {
        Some(_) if events => {
            return Err(Error::invalid("schedule", "has a cronjob and an event; a job has one or the other"));
        }
        Some(_) if lifecycle_type.is_some() => {
            return Err(Error::invalid("schedule.lifecycle_type", "is not for a cronjob"));
        }
        Some(cron) => (JobType::Cron, check_cron(cron, stored)?),
        None if !events => {
            return Err(Error::invalid("schedule", "has neither a cronjob nor one of on_start, on_stop, on_delete"));
        }
        None => {
            let command =
                |field: &str, given: Option<JobCommand>| given.map(|given| check_command(field, given)).transpose();
            let schedule = Schedule::Lifecycle {
                on_start: command("schedule.on_start", on_start)?,
                on_stop: command("schedule.on_stop", on_stop)?,
                on_delete: command("schedule.on_delete", on_delete)?,
                lifecycle_type: lifecycle_type.map_or(LifecycleType::Generic, lifecycle),
            };
            (JobType::Lifecycle, schedule)
        }
    };
    if stored.is_some_and(|job| job.job_type != job_type) {
        return Err(Error::invalid("schedule", "the type of a job cannot change between CRON and LIFECYCLE"));
    }
    Ok((job_type, schedule))
}

fn lifecycle(given: JobLifecycleTypeEnum) -> LifecycleType {
    match given {
        JobLifecycleTypeEnum::Generic => LifecycleType::Generic,
        JobLifecycleTypeEnum::Terraform => LifecycleType::Terraform,
        JobLifecycleTypeEnum::Cloudformation => LifecycleType::Cloudformation,
    }
}

fn check_cron(given: CronRequest, stored: Option<&job::Model>) -> Result<Schedule> {
    const FIELD: &str = "schedule.cronjob";
    let CronRequest { arguments, entrypoint, timezone, scheduled_at } = given;
    let kept = stored.and_then(|job| match &job.spec.schedule {
        Schedule::Cron { timezone, .. } => Some(timezone.clone()),
        Schedule::Lifecycle { .. } => None,
    });
    let timezone = timezone.filter(|zone| !zone.is_empty()).or(kept).unwrap_or_else(|| DEFAULT_TIMEZONE.to_owned());
    cron::parse_timezone(&timezone).map_err(|refused| Error::invalid(format!("{FIELD}.timezone"), refused.0))?;
    scheduled_at
        .parse::<cron::CronExpression>()
        .map_err(|refused| Error::invalid(format!("{FIELD}.scheduled_at"), refused.0))?;
    let command = check_command(FIELD, JobCommand { arguments, entrypoint })?;
    Ok(Schedule::Cron { scheduled_at, timezone, command })
}

fn check_command(field: &str, given: JobCommand) -> Result<Command> {
    let JobCommand { arguments, entrypoint } = given;
    Ok(Command {
        entrypoint: entrypoint
            .filter(|program| !program.is_empty())
            .map(|program| limits::text(&format!("{field}.entrypoint"), program))
            .transpose()?,
        arguments: arguments.map(|list| limits::list(&format!("{field}.arguments"), list)).transpose()?,
    })
}

fn check_source(given: SourceRequest) -> Result<Source> {
    let SourceRequest { image, docker } = given;
    match (image, docker) {
        (Some(_), Some(_)) => Err(Error::invalid("source", "has an image and docker; a job has one or the other")),
        (None, None) => Err(Error::invalid("source", "has neither an image nor docker")),
        (Some(image), None) => check_image(image),
        (None, Some(docker)) => check_docker(docker),
    }
}

fn check_image(given: ImageRequest) -> Result<Source> {
    const FIELD: &str = "source.image";
    let ImageRequest { image_name, tag, registry_id } = given;
    let present = |key: &str, value: Option<String>| {
        value.filter(|value| !value.is_empty()).ok_or_else(|| Error::invalid(format!("{FIELD}.{key}"), "is missing"))
    };
    let image_name = present("image_name", image_name)?;
    let image_name = limits::image_name(&format!("{FIELD}.image_name"), &image_name)?;
    let tag = present("tag", tag)?;
    let tag = limits::image_tag(&format!("{FIELD}.tag"), &tag)?;
    let registry = present("registry_id", registry_id)?;
    let registry_id =
        registry.parse::<Uuid>().map_err(|_| Error::invalid(format!("{FIELD}.registry_id"), "is not a UUID"))?;
    Ok(Source::Image { image_name, tag, registry_id: RegistryId(registry_id) })
}

fn check_docker(given: DockerRequest) -> Result<Source> {
    const FIELD: &str = "source.docker";
    let DockerRequest { git_repository, dockerfile_path, dockerfile_raw, docker_target_build_stage } = given;
    if git_repository.is_none() && dockerfile_raw.is_none() {
        return Err(Error::invalid(FIELD, "has neither a git_repository nor a dockerfile_raw"));
    }
    let text = |key: &str, value: Option<String>| {
        value.map(|value| limits::text(&format!("{FIELD}.{key}"), value)).transpose()
    };
    let git_repository = match git_repository {
        None => None,
        Some(given) => Some(given.check(&format!("{FIELD}.git_repository"))?),
    };
    Ok(Source::Docker {
        git_repository,
        dockerfile_path: text("dockerfile_path", dockerfile_path)?,
        dockerfile_raw: text("dockerfile_raw", dockerfile_raw)?,
        docker_target_build_stage: text("docker_target_build_stage", docker_target_build_stage)?,
    })
}

impl ApplicationGitRepositoryRequest {
    /// Checks what can be checked without the database.
    pub(in super::super) fn check(self, field: &str) -> Result<GitRepository> {
        let Self { url, branch, root_path, git_token_id, provider } = self;
        let text = |key: &str, value: Option<String>| {
            value.map(|value| limits::text(&format!("{field}.{key}"), value)).transpose()
        };
        let branch = text("branch", branch)?.filter(|branch| !branch.is_empty());
        if branch.as_ref().is_some_and(|branch| branch.starts_with('-') || branch.chars().any(char::is_control)) {
            return Err(Error::invalid(format!("{field}.branch"), "is not the name of a branch"));
        }
        Ok(GitRepository {
            url: limits::web_address(&format!("{field}.url"), &url)?,
            provider: provider.into(),
            branch,
            root_path: text("root_path", root_path)?.unwrap_or_else(|| "/".into()),
            git_token_id: git_token_id.map(GitTokenId),
        })
    }
}

fn check_healthchecks(given: MaybeUndefined<Healthcheck>, old: Option<&JobSpec>) -> Result<Healthchecks> {
    let Healthcheck { readiness_probe, liveness_probe } = match (given, old) {
        (MaybeUndefined::Value(given), _) => given,
        (MaybeUndefined::Undefined, Some(old)) => return Ok(old.healthchecks.clone()),
        (MaybeUndefined::Null, Some(_)) => return Ok(Healthchecks::default()),
        (MaybeUndefined::Undefined | MaybeUndefined::Null, None) => {
            return Err(Error::invalid("healthchecks", "is missing"));
        }
    };
    let probe = |field: &str, given: Option<Probe>| given.map(|given| check_probe(field, given)).transpose();
    Ok(Healthchecks {
        readiness_probe: probe("healthchecks.readiness_probe", readiness_probe)?,
        liveness_probe: probe("healthchecks.liveness_probe", liveness_probe)?,
    })
}

fn check_probe(field: &str, given: Probe) -> Result<StoredProbe> {
    let Probe { kind, initial_delay_seconds, period_seconds, timeout_seconds, success_threshold, failure_threshold } =
        given;
    let number = |key: &str, value: Option<i32>, default, low| {
        limits::between(&format!("{field}.{key}"), value.unwrap_or(default), low, i32::MAX)
    };
    Ok(StoredProbe {
        kind: check_probe_type(field, kind.unwrap_or_default())?,
        initial_delay_seconds: number("initial_delay_seconds", initial_delay_seconds, 30, 0)?,
        period_seconds: number("period_seconds", period_seconds, 10, 1)?,
        timeout_seconds: number("timeout_seconds", timeout_seconds, 5, 1)?,
        success_threshold: number("success_threshold", success_threshold, 1, 1)?,
        failure_threshold: number("failure_threshold", failure_threshold, 9, 1)?,
    })
}

fn check_probe_type(field: &str, given: ProbeType) -> Result<StoredProbeType> {
    let port = |port: Option<i32>| {
        port.map(|port| limits::between(&format!("{field}.type.port"), port, 1, 65_535)).transpose()
    };
    match given {
        ProbeType { tcp: Some(tcp), http: None, exec: None, grpc: None } => {
            Ok(StoredProbeType::Tcp { port: port(tcp.port)?, host: tcp.host })
        }
        ProbeType { tcp: None, http: Some(http), exec: None, grpc: None } => Ok(StoredProbeType::Http {
            path: http.path.unwrap_or_else(|| "/".into()),
            scheme: http.scheme.unwrap_or_else(|| "HTTP".into()),
            port: port(http.port)?,
        }),
        ProbeType { tcp: None, http: None, exec: Some(exec), grpc: None } => {
            let command = exec.command.filter(|command| !command.is_empty());
            let command = command.ok_or_else(|| Error::invalid(format!("{field}.type.exec.command"), "is empty"))?;
            Ok(StoredProbeType::Exec { command: limits::list(&format!("{field}.type.exec.command"), command)? })
        }
        ProbeType { tcp: None, http: None, exec: None, grpc: Some(grpc) } => {
            Ok(StoredProbeType::Grpc { service: grpc.service, port: port(grpc.port)? })
        }
        _ => Err(Error::invalid(format!("{field}.type"), "has exactly one of tcp, http, exec and grpc")),
    }
}

//! Validates job requests, and applies edits to stored jobs.
//!
//! An edit keeps absent keys and clears keys that are null. It replaces schedule, source and healthchecks as a whole,
//! except that a schedule without a time zone keeps the stored one, and a build of the same Dockerfile what else is stored of it. Each official client omits the keys that it
//! does not know; these rules keep its edits from losing data.

use entity::id::GroupId;
use entity::job;
use entity::job_spec::{CpuArchitecture, JobSpec, JobType, LifecycleType, Schedule, Source};
use poem_openapi::types::MaybeUndefined;

use super::healthcheck::check_healthchecks;
use super::request::{CpuArchitectureEnum, JobRequest};
use super::schedule_request::check_schedule;
use super::source_request::{SourceRequest, check_source};
use crate::api::wire::ReferenceObject;
use crate::engine::definition::{DEFAULT_CPU_MILLI, DEFAULT_MEMORY_MIB, JobNumber};
use crate::engine::faults::Faults;
use crate::engine::limits;
use crate::error::{Error, Result};

/// Maximum groups of one kind per job.
const MOST_GROUPS: usize = 50;

/// A validated job.
#[derive(Debug)]
pub(super) struct JobDefinition {
    pub(super) name: String,
    pub(super) spec: JobSpec,
}

/// Runs the checks that do not need the database.
pub(super) fn check(given: JobRequest, stored: Option<&job::Model>) -> Result<JobDefinition> {
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
    let mut faults = Faults::default();
    let name = faults.note(check_name(name, stored));
    let (job_type, schedule) = faults.note_or(check_schedule(schedule, stored), no_schedule());
    let source = faults.note_or(source_of(source, old), Source::none());
    let mut number =
        |number: JobNumber, given, old: Option<i32>, default| faults.note(number.check(value_or(given, old, default)));
    let cpu_milli = number(JobNumber::Cpu, cpu, old.map(|old| old.cpu_milli), DEFAULT_CPU_MILLI);
    let memory_mib = number(JobNumber::Memory, memory, old.map(|old| old.memory_mib), DEFAULT_MEMORY_MIB);
    let gpu = number(JobNumber::Gpu, gpu, old.map(|old| old.gpu), 0);
    let max_nb_restart = number(JobNumber::Retries, max_nb_restart, old.map(|old| old.max_nb_restart), 0);
    let max_duration_seconds =
        number(JobNumber::TimeLimit, max_duration_seconds, old.map(|old| old.max_duration_seconds), 0);
    let mut optional = |field: &str, given: Option<i32>, (low, high)| {
        faults.note(given.map(|given| limits::between(field, given, low, high)).transpose())
    };
    let ephemeral = optional_value(ephemeral_storage_in_gib, old.and_then(|old| old.ephemeral_storage_gib));
    let ephemeral_storage_gib = optional("ephemeral_storage_in_gib", ephemeral, (0, i32::MAX));
    // Web forms send 0 for no port.
    let port = optional_value(port, old.and_then(|old| old.port)).filter(|port| *port != 0);
    let port = optional("port", port, (1, 65_535));
    let description = value_or(description, old.map(|old| old.description.clone()), String::new());
    let icon = value_or(icon_uri, old.map(|old| old.icon_uri.clone()), default_icon(job_type));
    let icon = if icon.trim().is_empty() { default_icon(job_type) } else { icon };
    let architecture =
        optional_value(cpu_architecture.map_value(architecture), old.and_then(|old| old.cpu_architecture));
    let old_groups = (old.map(|old| &*old.annotations_groups), old.map(|old| &*old.labels_groups));
    let spec = JobSpec {
        description: faults.note(limits::text("description", description)),
        cpu_milli,
        memory_mib,
        gpu,
        ephemeral_storage_gib,
        cpu_architecture: architecture,
        max_nb_restart,
        max_duration_seconds,
        auto_preview: value_or(auto_preview, old.map(|old| old.auto_preview), false),
        auto_deploy: value_or(auto_deploy, old.map(|old| old.auto_deploy), false),
        port,
        icon_uri: faults.note(limits::text("icon_uri", icon)),
        healthchecks: faults.note(check_healthchecks(healthchecks, old)),
        source,
        schedule,
        annotations_groups: faults.note(groups("annotations_groups", annotations_groups, old_groups.0)),
        labels_groups: faults.note(groups("labels_groups", labels_groups, old_groups.1)),
        settings: old.map(|old| old.settings.clone()).unwrap_or_default(),
    };
    faults.result()?;
    Ok(JobDefinition { name, spec })
}

fn check_name(given: Option<String>, stored: Option<&job::Model>) -> Result<String> {
    match (given, stored) {
        (Some(name), _) => limits::name("name", &name),
        (None, Some(job)) => Ok(job.name.clone()),
        (None, None) => Err(Error::invalid("name", "is missing")),
    }
}

fn source_of(given: Option<SourceRequest>, old: Option<&JobSpec>) -> Result<Source> {
    match (given, old) {
        (Some(source), old) => check_source(source, old.map(|old| &old.source)),
        (None, Some(old)) => Ok(old.source.clone()),
        (None, None) => Ok(Source::none()),
    }
}

/// Stands for a schedule that is refused.
fn no_schedule() -> (JobType, Schedule) {
    let (on_start, on_stop, on_delete) = (None, None, None);
    (JobType::Lifecycle, Schedule::Lifecycle { on_start, on_stop, on_delete, lifecycle_type: LifecycleType::Generic })
}

/// The value of a key: the given one, the stored one if the key is absent, or the default if it is null or the job is
/// new.
fn value_or<T>(given: MaybeUndefined<T>, old: Option<T>, default: T) -> T {
    match given {
        MaybeUndefined::Value(value) => value,
        MaybeUndefined::Undefined => old.unwrap_or(default),
        MaybeUndefined::Null => default,
    }
}

/// The value of a key that can be cleared.
fn optional_value<T>(given: MaybeUndefined<T>, old: Option<T>) -> Option<T> {
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

/// The groups of a job: the given ones, or the stored ones if the key is absent.
fn groups(field: &str, given: MaybeUndefined<Vec<ReferenceObject>>, old: Option<&[GroupId]>) -> Result<Vec<GroupId>> {
    let given = match given {
        MaybeUndefined::Undefined => return Ok(old.map(<[GroupId]>::to_vec).unwrap_or_default()),
        MaybeUndefined::Null => return Ok(Vec::new()),
        MaybeUndefined::Value(given) => given,
    };
    if given.len() > MOST_GROUPS {
        return Err(Error::invalid(field, format!("must have at most {MOST_GROUPS} items")));
    }
    let mut ids: Vec<GroupId> = Vec::new();
    for group in given {
        if !ids.contains(&GroupId(group.id)) {
            ids.push(GroupId(group.id));
        }
    }
    Ok(ids)
}

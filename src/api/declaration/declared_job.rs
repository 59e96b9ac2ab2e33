//! Declared jobs and variables as the engine has them, and back.

use std::collections::BTreeMap;

use entity::deployment_restriction::RestrictionMode;
use entity::job_spec::{Command, CpuArchitecture, JobSpec, LifecycleType, Schedule};
use entity::metadata_group::GroupKind;
use poem_openapi::types::MaybeUndefined;
use serde_json::Map;

use super::declared::{DeclaredCommand, DeclaredJob, DeclaredRestriction, DeclaredVariable};
use super::job_source::{self, source};
use super::names::Names;
use super::renamed::below;
use crate::api::job::{
    CpuArchitectureEnum, DeploymentRestrictionModeEnum, Healthcheck, JobLifecycleTypeEnum, check_healthchecks,
    restriction_path,
};
use crate::engine::advanced_settings;
use crate::engine::declaration::{JobState, WantedJob, WantedValue, WantedVariable, WantedVariables};
use crate::engine::definition::{
    DEFAULT_CPU_MILLI, DEFAULT_MEMORY_MIB, DEFAULT_TIMEZONE, JobNumber, check_command, check_cron, default_icon,
};
use crate::engine::faults::Faults;
use crate::engine::limits;
use crate::error::{Error, Result};
use crate::input::Refusal;

/// A job of a declaration, checked as far as its names and itself allow.
pub(super) fn job(name: &str, job: &DeclaredJob, names: &Names) -> Result<WantedJob> {
    let at = format!("jobs.{name}");
    let mut faults = Faults::default();
    let checked_name = faults.note(limits::name(&at, name));
    let schedule = faults.note_or(
        schedule(job, &at),
        Schedule::Check { rhythm: entity::job_spec::Rhythm::Period { seconds: 0 }, grace_seconds: 0 },
    );
    let source = faults.note_or(source(job, names, &at), entity::job_spec::Source::none());
    let mut number = |number: JobNumber, given: Option<i32>, default| {
        faults.note(number.check(given.unwrap_or(default)).map_err(|error| below(&at, error)))
    };
    let spec = JobSpec {
        cpu_milli: number(JobNumber::Cpu, job.cpu, DEFAULT_CPU_MILLI),
        memory_mib: number(JobNumber::Memory, job.memory, DEFAULT_MEMORY_MIB),
        gpu: number(JobNumber::Gpu, job.gpu, 0),
        max_nb_restart: number(JobNumber::Retries, job.retries, 0),
        max_duration_seconds: number(JobNumber::TimeLimit, job.max_duration_seconds, 0),
        ephemeral_storage_gib: faults.note(between(
            &at,
            "ephemeral_storage_in_gib",
            job.ephemeral_storage_in_gib,
            0,
            i32::MAX,
        )),
        port: faults.note(between(&at, "port", job.port, 1, 65_535)),
        description: faults
            .note(limits::text(&format!("{at}.description"), job.description.clone().unwrap_or_default())),
        cpu_architecture: job.cpu_architecture.map(|given| match given {
            CpuArchitectureEnum::Amd64 => CpuArchitecture::Amd64,
            CpuArchitectureEnum::Arm64 => CpuArchitecture::Arm64,
        }),
        auto_preview: job.auto_preview.unwrap_or(false),
        auto_deploy: job.auto_deploy.unwrap_or(false),
        icon_uri: String::new(),
        healthchecks: faults.note(healthchecks(job, &at)),
        source,
        schedule,
        annotations_groups: faults.note(groups(
            job.annotations.as_deref(),
            names,
            (&at, "annotations", GroupKind::Annotations),
        )),
        labels_groups: faults.note(groups(job.labels.as_deref(), names, (&at, "labels", GroupKind::Labels))),
        settings: faults.note(settings(job, &at)),
    };
    let icon = job.icon_uri.clone().filter(|icon| !icon.trim().is_empty());
    let icon_uri =
        faults.note(limits::text(&format!("{at}.icon_uri"), icon.unwrap_or_else(|| default_icon(spec.job_type()))));
    let restrictions = faults.note(restrictions(job, &at));
    faults.result()?;
    let state = JobState {
        name: checked_name,
        spec: JobSpec { icon_uri, ..spec },
        stage: job.stage.clone().unwrap_or_default(),
        is_skipped: job.skipped.unwrap_or(false),
        restrictions,
    };
    let variables = variables(&format!("{at}."), job.variables.as_ref(), job.secrets.as_ref())?;
    Ok(WantedJob { state, variables })
}

fn between(at: &str, key: &str, given: Option<i32>, low: i32, high: i32) -> Result<Option<i32>> {
    given.map(|given| limits::between(&format!("{at}.{key}"), given, low, high)).transpose()
}

fn schedule(job: &DeclaredJob, at: &str) -> Result<Schedule> {
    let DeclaredJob { schedule, timezone, on_start, on_stop, on_delete, lifecycle_type, entrypoint, command, .. } = job;
    let has_events = on_start.is_some() || on_stop.is_some() || on_delete.is_some();
    let Some(text) = schedule else {
        if !has_events {
            let text = "must have a schedule, or at least one of on_start, on_stop and on_delete";
            return Err(Error::invalid(at, text));
        }
        let others =
            [("timezone", timezone.is_some()), ("entrypoint", entrypoint.is_some()), ("command", command.is_some())];
        if let Some((key, _)) = others.iter().find(|(_, is_given)| *is_given) {
            return Err(Error::invalid(
                format!("{at}.{key}"),
                "belongs to a schedule; events have commands of their own",
            ));
        }
        let mut faults = Faults::default();
        let mut event = |key: &str, given: &Option<DeclaredCommand>| {
            let given = given
                .as_ref()
                .map(|given| Command { entrypoint: given.entrypoint.clone(), arguments: given.command.clone() });
            faults.note(given.map(|given| check_command(&format!("{at}.{key}"), given)).transpose())
        };
        let schedule = Schedule::Lifecycle {
            on_start: event("on_start", on_start),
            on_stop: event("on_stop", on_stop),
            on_delete: event("on_delete", on_delete),
            lifecycle_type: lifecycle_type.map_or(LifecycleType::Generic, |given| match given {
                JobLifecycleTypeEnum::Generic => LifecycleType::Generic,
                JobLifecycleTypeEnum::Terraform => LifecycleType::Terraform,
                JobLifecycleTypeEnum::Cloudformation => LifecycleType::Cloudformation,
            }),
        };
        return faults.result().map(|()| schedule);
    };
    if has_events || lifecycle_type.is_some() {
        let text = "cannot be given together with on_start, on_stop, on_delete or lifecycle_type";
        return Err(Error::invalid(format!("{at}.schedule"), text));
    }
    let zone = timezone.clone().filter(|zone| !zone.is_empty()).unwrap_or_else(|| DEFAULT_TIMEZONE.to_owned());
    let command = Command { entrypoint: entrypoint.clone(), arguments: command.clone() };
    check_cron(text.clone(), zone, command).map_err(|error| below(at, error))
}

fn healthchecks(job: &DeclaredJob, at: &str) -> Result<entity::job_spec::Healthchecks> {
    let Some(given) = &job.healthchecks else { return Ok(entity::job_spec::Healthchecks::default()) };
    let copy: Healthcheck = serde_json::to_value(given).and_then(serde_json::from_value).map_err(Error::internal)?;
    check_healthchecks(MaybeUndefined::Value(copy), None).map_err(|error| below(at, error))
}

fn groups(
    given: Option<&[String]>,
    names: &Names,
    (at, key, kind): (&str, &str, GroupKind),
) -> Result<Vec<entity::id::GroupId>> {
    given.map_or_else(|| Ok(Vec::new()), |given| names.groups(&format!("{at}.{key}"), kind, given))
}

/// The advanced settings that differ from their defaults. Unlike in the official API, an unknown one is refused.
fn settings(job: &DeclaredJob, at: &str) -> Result<BTreeMap<String, serde_json::Value>> {
    let given: Map<String, serde_json::Value> = job.settings.clone().unwrap_or_default().into_iter().collect();
    if let Some(Refusal { field, message }) = advanced_settings::unknown_settings(&given).into_iter().next() {
        return Err(Error::invalid(format!("{at}.settings.{field}"), message));
    }
    advanced_settings::reduce(&given)
        .map_err(|refused| Error::invalid(format!("{at}.settings.{}", refused.key), refused.reason))
}

fn restrictions(job: &DeclaredJob, at: &str) -> Result<Vec<(RestrictionMode, String)>> {
    let mut all: Vec<(RestrictionMode, String)> = Vec::new();
    for (place, given) in job.restrictions.iter().flatten().enumerate() {
        let path = restriction_path(given.path.clone());
        let path =
            path.map_err(|error| super::renamed::renamed(error, |_| format!("{at}.restrictions[{place}].path")))?;
        let one = (RestrictionMode::from(given.mode), path);
        if !all.contains(&one) {
            all.push(one);
        }
    }
    Ok(all)
}

/// The variables and secrets of a scope; `at` is where they are in the declaration.
pub(super) fn variables(
    at: &str,
    variables: Option<&BTreeMap<String, DeclaredVariable>>,
    secrets: Option<&BTreeMap<String, DeclaredVariable>>,
) -> Result<WantedVariables> {
    let (are_all_variables, are_all_secrets) = (variables.is_some(), secrets.is_some());
    let mut all = Vec::new();
    for (key, given) in variables.into_iter().flatten() {
        all.push(variable(&format!("{at}variables.{key}"), key, given)?);
    }
    for (key, given) in secrets.into_iter().flatten() {
        let field = format!("{at}secrets.{key}");
        if variables.is_some_and(|variables| variables.contains_key(key)) {
            return Err(Error::invalid(field, "is a variable as well"));
        }
        if given.alias.is_some() {
            return Err(Error::invalid(field, "is an alias, which is declared under variables"));
        }
        let path = given.path.clone().filter(|path| !path.is_empty());
        let value = WantedValue::Text { value: given.value.clone(), path, is_secret: true };
        all.push(wanted(key, value, given));
    }
    Ok(WantedVariables { all, are_all_variables, are_all_secrets })
}

fn variable(field: &str, key: &str, given: &DeclaredVariable) -> Result<WantedVariable> {
    let value = match (&given.alias, &given.value) {
        (Some(_), Some(_)) => return Err(Error::invalid(field, "is an alias, which has no value of its own")),
        (Some(_), None) if given.path.is_some() => {
            return Err(Error::invalid(field, "is an alias, which has no path of its own"));
        }
        (Some(target), None) => WantedValue::Alias(target.clone()),
        (None, None) => return Err(Error::invalid(field, "must have a value")),
        (None, Some(value)) => {
            let path = given.path.clone().filter(|path| !path.is_empty());
            WantedValue::Text { value: Some(value.clone()), path, is_secret: false }
        }
    };
    Ok(wanted(key, value, given))
}

fn wanted(key: &str, value: WantedValue, given: &DeclaredVariable) -> WantedVariable {
    let description = given.description.clone();
    WantedVariable { key: key.to_owned(), value, description, interpolated: given.interpolated }
}

/// A job as it is declared; what has its default is left out. Its variables are added by the caller.
pub(super) fn declared(state: &JobState, default_stage: &str, names: &Names) -> DeclaredJob {
    let JobState { name: _, spec, stage, is_skipped, restrictions } = state;
    let unless = |value: i32, default: i32| Some(value).filter(|value| *value != default);
    let text = |value: &str| Some(value.to_owned()).filter(|value| !value.is_empty());
    let healthchecks = Some(&spec.healthchecks).filter(|checks| **checks != entity::job_spec::Healthchecks::default());
    let mut job = DeclaredJob {
        description: text(&spec.description),
        cpu: unless(spec.cpu_milli, DEFAULT_CPU_MILLI),
        memory: unless(spec.memory_mib, DEFAULT_MEMORY_MIB),
        gpu: unless(spec.gpu, 0),
        ephemeral_storage_in_gib: spec.ephemeral_storage_gib,
        cpu_architecture: spec.cpu_architecture.map(|stored| match stored {
            CpuArchitecture::Amd64 => CpuArchitectureEnum::Amd64,
            CpuArchitecture::Arm64 => CpuArchitectureEnum::Arm64,
        }),
        retries: unless(spec.max_nb_restart, 0),
        max_duration_seconds: unless(spec.max_duration_seconds, 0),
        port: spec.port,
        healthchecks: healthchecks.cloned().map(Healthcheck::from),
        auto_deploy: Some(true).filter(|_| spec.auto_deploy),
        auto_preview: Some(true).filter(|_| spec.auto_preview),
        icon_uri: text(&spec.icon_uri).filter(|icon| *icon != default_icon(spec.job_type())),
        annotations: names.of_groups(&spec.annotations_groups),
        labels: names.of_groups(&spec.labels_groups),
        settings: Some(spec.settings.clone()).filter(|settings| !settings.is_empty()),
        stage: text(stage).filter(|stage| stage != default_stage),
        skipped: Some(true).filter(|_| *is_skipped),
        restrictions: Some(restrictions).filter(|list| !list.is_empty()).map(|list| {
            let one = |(mode, path): &(RestrictionMode, String)| DeclaredRestriction {
                mode: DeploymentRestrictionModeEnum::from(*mode),
                path: path.clone(),
            };
            list.iter().map(one).collect()
        }),
        ..DeclaredJob::default()
    };
    job_source::declare(&spec.source, names, &mut job);
    declare_schedule(&spec.schedule, &mut job);
    job
}

fn declare_schedule(schedule: &Schedule, job: &mut DeclaredJob) {
    let declared = |command: &Option<Command>| {
        let command = command.as_ref()?;
        Some(DeclaredCommand { entrypoint: command.entrypoint.clone(), command: command.arguments.clone() })
    };
    match schedule {
        Schedule::Cron { scheduled_at, timezone, command } => {
            job.schedule = Some(scheduled_at.clone());
            job.timezone = Some(timezone.clone()).filter(|zone| zone != DEFAULT_TIMEZONE);
            job.entrypoint.clone_from(&command.entrypoint);
            job.command.clone_from(&command.arguments);
        }
        Schedule::Lifecycle { on_start, on_stop, on_delete, lifecycle_type } => {
            job.on_start = declared(on_start);
            job.on_stop = declared(on_stop);
            job.on_delete = declared(on_delete);
            job.lifecycle_type = match lifecycle_type {
                LifecycleType::Generic => None,
                LifecycleType::Terraform => Some(JobLifecycleTypeEnum::Terraform),
                LifecycleType::Cloudformation => Some(JobLifecycleTypeEnum::Cloudformation),
            };
        }
        Schedule::Check { .. } => {}
    }
}

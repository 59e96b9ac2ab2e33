//! Pure: manifests of CronJobs of Kubernetes.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

use super::document::{field, is_filled, is_given, scalar};
use super::imported::{Imported, ImportedJob};
use super::quantity::{cpu_milli, memory_mib};
use super::text::quoted;
use super::translate::translate;
use super::translation::Given;

/// How often Kubernetes repeats a failed Job if the manifest does not say.
const BACKOFF_LIMIT: u32 = 6;

/// Fields that make no difference here, or are told otherwise. `kubectl get` writes most of them.
const WITHOUT_EFFECT: [&str; 11] = [
    "completionMode",
    "dnsPolicy",
    "imagePullPolicy",
    "name",
    "podReplacementPolicy",
    "restartPolicy",
    "schedulerName",
    "serviceAccount",
    "terminationMessagePath",
    "terminationMessagePolicy",
    "volumeMounts",
];

/// For how long Kubernetes waits for a pod to end if the manifest does not say.
const GRACE_PERIOD_SECONDS: u32 = 30;

/// What reads an amount.
type Reader = fn(&str) -> Option<u32>;

/// The fields that are not read.
type Rest = BTreeMap<String, Value>;

#[derive(Deserialize)]
struct Document {
    kind: Option<String>,
    metadata: Option<Metadata>,
    spec: Option<Spec>,
    items: Option<Vec<Document>>,
}

#[derive(Deserialize)]
struct Metadata {
    name: Option<String>,
    namespace: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Spec {
    schedule: Option<String>,
    time_zone: Option<String>,
    concurrency_policy: Option<String>,
    suspend: Option<bool>,
    starting_deadline_seconds: Option<u32>,
    successful_jobs_history_limit: Option<u32>,
    failed_jobs_history_limit: Option<u32>,
    job_template: Option<JobTemplate>,
}

#[derive(Deserialize)]
struct JobTemplate {
    spec: JobSpec,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct JobSpec {
    backoff_limit: Option<u32>,
    active_deadline_seconds: Option<u32>,
    parallelism: Option<u32>,
    completions: Option<u32>,
    template: PodTemplate,
    #[serde(flatten)]
    rest: Rest,
}

#[derive(Deserialize)]
struct PodTemplate {
    spec: PodSpec,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PodSpec {
    #[serde(default)]
    containers: Vec<Container>,
    #[serde(default)]
    init_containers: Vec<IgnoredAny>,
    #[serde(default)]
    volumes: Vec<IgnoredAny>,
    service_account_name: Option<String>,
    #[serde(flatten)]
    rest: Rest,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Container {
    image: Option<String>,
    #[serde(default)]
    command: Vec<String>,
    #[serde(default)]
    args: Vec<String>,
    #[serde(default)]
    env: Vec<Variable>,
    #[serde(default)]
    env_from: Vec<IgnoredAny>,
    resources: Option<Value>,
    #[serde(flatten)]
    rest: Rest,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Variable {
    name: String,
    value: Option<String>,
    value_from: Option<IgnoredAny>,
}

/// Reads one manifest or several; `zone` is the time zone of the cluster's controllers, which CronJobs without one use.
#[must_use]
pub fn read_cron_job_manifests(text: &str, zone: &str) -> Imported {
    let mut found = Imported::default();
    let mut document = String::new();
    let mut begins_at = 1;
    for (place, line) in text.lines().chain(["---"]).enumerate() {
        if !line.starts_with("---") {
            document.push_str(line);
            document.push('\n');
            continue;
        }
        let is_empty = document.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#'));
        if !is_empty {
            match serde_saphyr::from_str::<Document>(&document) {
                Ok(parsed) => add(&mut found, parsed, begins_at, zone),
                Err(error) => found.refuse(begins_at, first_line(&document), format!("it is no manifest: {error}")),
            }
        }
        document.clear();
        begins_at = place + 2;
    }
    found
}

fn first_line(text: &str) -> &str {
    text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default()
}

fn add(found: &mut Imported, document: Document, line: usize, zone: &str) {
    let Document { kind, metadata, spec, items } = document;
    let kind = kind.unwrap_or_default();
    if let Some(items) = items.filter(|_| kind.ends_with("List")) {
        for item in items {
            add(found, item, line, zone);
        }
        return;
    }
    let Metadata { name, namespace } = metadata.unwrap_or(Metadata { name: None, namespace: None });
    let name = name.unwrap_or_else(|| format!("line-{line}"));
    if kind != "CronJob" {
        found.refuse(line, &format!("{kind} {name}"), "only CronJobs are read");
        return;
    }
    let read = spec.ok_or_else(|| "it has no spec".to_owned()).and_then(|spec| job(spec, line, zone));
    match read {
        Ok(mut job) => {
            if let Some(namespace) = namespace {
                job.notes.push(format!("it is in the namespace {namespace}"));
            }
            job.name = name;
            found.add(job);
        }
        Err(why) => found.refuse(line, &format!("CronJob {name}"), why),
    }
}

fn job(spec: Spec, line: usize, zone: &str) -> Result<ImportedJob, String> {
    let schedule = spec.schedule.ok_or("it has no schedule")?;
    let mut job = ImportedJob { line, ..ImportedJob::default() };
    if spec.time_zone.is_none() {
        job.notes.push(format!("it names no time zone: {zone} is that of the cluster's controllers"));
    }
    let zone = spec.time_zone.as_deref().unwrap_or(zone);
    let given = Given { dialect: "kubernetes", expression: &schedule, zone, ..Given::default() };
    job.set_schedule(translate(&given).map_err(|refusal| refusal.to_string())?);
    let mut set = |key: &str, value: String| job.settings.insert(key.to_owned(), value);
    set("cronjob.concurrency_policy", quoted(spec.concurrency_policy.as_deref().unwrap_or("Allow")));
    if spec.suspend == Some(true) {
        set("cronjob.suspend", "true".into());
    }
    for (key, value) in [
        ("cronjob.starting_deadline_seconds", spec.starting_deadline_seconds),
        ("cronjob.success_jobs_history_limit", spec.successful_jobs_history_limit),
        ("cronjob.failed_jobs_history_limit", spec.failed_jobs_history_limit),
    ] {
        if let Some(value) = value {
            set(key, value.to_string());
        }
    }
    let JobSpec { backoff_limit, active_deadline_seconds, parallelism, completions, template, rest } =
        spec.job_template.ok_or("it has no jobTemplate")?.spec;
    if parallelism.unwrap_or(1) > 1 || completions.unwrap_or(1) > 1 {
        return Err("a run has one pod: parallelism and completions above 1 have no equivalent".into());
    }
    job.max_restarts = Some(backoff_limit.unwrap_or(BACKOFF_LIMIT));
    job.max_duration_seconds = active_deadline_seconds;
    let mut others: BTreeSet<String> = left_out(rest).collect();
    pod(&mut job, template.spec, &mut others)?;
    if !others.is_empty() {
        let names: Vec<String> = others.into_iter().collect();
        job.note(format!("these fields of its manifest are left out: {}", names.join(", ")));
    }
    Ok(job)
}

/// The names of fields that change how it runs there.
fn left_out(rest: Rest) -> impl Iterator<Item = String> {
    let has_effect = |(name, value): &(String, Value)| {
        let is_default =
            *value == Value::Bool(false) || (name == "terminationGracePeriodSeconds" && *value == GRACE_PERIOD_SECONDS);
        is_filled(value) && !is_default && !WITHOUT_EFFECT.contains(&name.as_str())
    };
    rest.into_iter().filter(has_effect).map(|(name, _)| name)
}

fn pod(job: &mut ImportedJob, spec: PodSpec, others: &mut BTreeSet<String>) -> Result<(), String> {
    let PodSpec { containers, init_containers, volumes, service_account_name, rest } = spec;
    if !init_containers.is_empty() || containers.len() > 1 {
        return Err("a run has one container: init containers and further containers have no equivalent".into());
    }
    others.extend(left_out(rest));
    container(job, containers.into_iter().next().ok_or("it has no container")?, others)?;
    if !volumes.is_empty() {
        job.note("its volumes are left out");
    }
    if let Some(account) = service_account_name {
        job.settings.insert("security.service_account_name".into(), quoted(&account));
    }
    Ok(())
}

fn container(job: &mut ImportedJob, container: Container, others: &mut BTreeSet<String>) -> Result<(), String> {
    let Container { image, command, args, env, env_from, resources, rest } = container;
    job.set_image(&image.ok_or("its container has no image")?);
    job.command = command.into_iter().chain(args).collect();
    let mut elsewhere = Vec::new();
    job.environment = BTreeMap::new();
    for Variable { name, value, value_from } in env {
        match (value, value_from) {
            (_, Some(_)) => elsewhere.push(name),
            (value, None) => {
                job.environment.insert(name, value.unwrap_or_default());
            }
        }
    }
    let known = |name: &str| {
        !env_from.is_empty() || job.environment.contains_key(name) || elsewhere.iter().any(|other| other == name)
    };
    let replaced: BTreeSet<&str> = job
        .command
        .iter()
        .chain(job.environment.values())
        .flat_map(|text| references(text))
        .filter(|name| known(name))
        .collect();
    if !replaced.is_empty() {
        let names = replaced.iter().map(|name| format!("$({name})")).collect::<Vec<_>>().join(", ");
        job.note(format!(
            "Kubernetes replaces {names} in its command and variables; Docker and plain processes do not: let a shell do that"
        ));
    }
    if !elsewhere.is_empty() {
        job.note(format!("set these variables, whose values are elsewhere: {}", elsewhere.join(", ")));
    }
    if !env_from.is_empty() {
        job.note("set the variables that come from ConfigMaps and Secrets (envFrom)");
    }
    limits(job, &resources.unwrap_or_default(), others);
    others.extend(left_out(rest));
    Ok(())
}

/// The names in `$(NAME)`, which Kubernetes replaces if it knows them.
fn references(text: &str) -> impl Iterator<Item = &str> {
    let is_name =
        |name: &&str| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c));
    text.split("$(").skip(1).filter_map(|rest| rest.split_once(')').map(|(name, _)| name)).filter(is_name)
}

/// The limits of the container. One that Kubernetes does not set has a default here.
fn limits(job: &mut ImportedJob, resources: &Value, others: &mut BTreeSet<String>) {
    if is_given(resources, "requests") {
        others.insert("resources.requests".into());
    }
    let given = field(resources, "limits");
    let names = given.and_then(Value::as_object).into_iter().flat_map(|all| all.keys());
    others.extend(
        names.filter(|name| !matches!(name.as_str(), "cpu" | "memory")).map(|name| format!("resources.limits.{name}")),
    );
    let mut missing = Vec::new();
    for (name, read, of) in
        [("cpu", cpu_milli as Reader, &mut job.cpu_milli), ("memory", memory_mib as Reader, &mut job.memory_mib)]
    {
        match given.and_then(|given| scalar(given, name)).map(|text| read(&text)) {
            None => missing.push(name),
            Some(None) => {
                others.insert(format!("resources.limits.{name}"));
            }
            Some(limit) => *of = limit,
        }
    }
    if !missing.is_empty() {
        job.note(format!("it has no limit of {} there; in a container, the default holds here", missing.join(" and ")));
    }
}

#[cfg(test)]
#[path = "cron_job_manifest_tests.rs"]
mod tests;

//! Pure: manifests of CronJobs of Kubernetes.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::imported::{Imported, ImportedJob};
use super::text::quoted;
use super::translate::translate;
use super::translation::Given;

/// How often Kubernetes repeats a failed Job if the manifest does not say.
const BACKOFF_LIMIT: u32 = 6;

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
    let JobSpec { backoff_limit, active_deadline_seconds, parallelism, completions, template } =
        spec.job_template.ok_or("it has no jobTemplate")?.spec;
    if parallelism.unwrap_or(1) > 1 || completions.unwrap_or(1) > 1 {
        return Err("a run has one pod: parallelism and completions above 1 have no equivalent".into());
    }
    job.max_restarts = Some(backoff_limit.unwrap_or(BACKOFF_LIMIT));
    job.max_duration_seconds = active_deadline_seconds;
    pod(&mut job, template.spec)?;
    Ok(job)
}

fn pod(job: &mut ImportedJob, spec: PodSpec) -> Result<(), String> {
    let PodSpec { containers, init_containers, volumes, service_account_name } = spec;
    if !init_containers.is_empty() || containers.len() > 1 {
        return Err("a run has one container: init containers and further containers have no equivalent".into());
    }
    let container = containers.into_iter().next().ok_or("it has no container")?;
    let Container { image, command, args, env, env_from } = container;
    job.image = Some(image.ok_or("its container has no image")?);
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
    if !elsewhere.is_empty() {
        job.notes.push(format!("set these variables, whose values are elsewhere: {}", elsewhere.join(", ")));
    }
    if !env_from.is_empty() {
        job.notes.push("set the variables that come from ConfigMaps and Secrets (envFrom)".into());
    }
    if !volumes.is_empty() {
        job.notes.push("its volumes are left out".into());
    }
    if let Some(account) = service_account_name {
        job.settings.insert("security.service_account_name".into(), quoted(&account));
    }
    Ok(())
}

#[cfg(test)]
#[path = "cron_job_manifest_tests.rs"]
mod tests;

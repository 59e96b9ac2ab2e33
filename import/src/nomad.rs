//! Pure: periodic jobs of Nomad, as `nomad job inspect` and the API give them, and their files.

use serde_json::Value;

use super::document::{count, field, is_false, is_given, is_true, items, list, text, texts, variables};
use super::imported::{Imported, ImportedJob, Source};
use super::lines::Lines;
use super::nomad_hcl::jobs;
use super::translate::translate;
use super::translation::{Given, Translation};

/// How often Nomad restarts a failed task if the job does not say.
const RESTARTS: u32 = 3;

/// Reads one job or several.
#[must_use]
pub fn read_nomad(source: &Source<'_>) -> Imported {
    let mut found = Imported::default();
    let is_json = source.text.trim_start().starts_with(['{', '[']);
    let all = match if is_json { items(source.text) } else { jobs(source.text) } {
        Ok(all) => all,
        Err(why) => return Imported::unreadable(source, &why),
    };
    let mut lines = Lines::of(source.text);
    for item in &all {
        let definition = field(item, "Job").unwrap_or(item);
        let key = if text(definition, "ID").is_some() { "ID" } else { "Name" };
        let name = text(definition, key).unwrap_or_default();
        let line = if is_json { lines.find_field(key, name) } else { lines.find(&format!("job \"{name}\"")) };
        found.push(line, name, job(definition, name));
    }
    found
}

fn job(definition: &Value, name: &str) -> Result<ImportedJob, String> {
    let periodic = field(definition, "Periodic").ok_or("it is not periodic")?;
    if !periodic.is_object() {
        return Err("a list of jobs leaves their schedules out: nomad job inspect has them".into());
    }
    if is_given(definition, "ParameterizedJob") {
        return Err("a job with parameters runs when it is dispatched, not by a schedule".into());
    }
    let mut job = ImportedJob { name: name.to_owned(), ..ImportedJob::default() };
    job.set_schedule(schedule(periodic)?);
    if is_false(periodic, "Enabled") || is_true(definition, "Stop") {
        job.suspend();
    }
    job.set_concurrency(if is_true(periodic, "ProhibitOverlap") { "Forbid" } else { "Allow" });
    if let Some(namespace) = text(definition, "Namespace").filter(|namespace| *namespace != "default") {
        job.note(format!("it is in the namespace {namespace}"));
    }
    if text(definition, "Type") == Some("sysbatch") {
        return Err("a job of the type sysbatch runs on every node, which has no equivalent".into());
    }
    let group = only(definition, "TaskGroups")?;
    if field(group, "Count").is_some_and(|count| count != 1) {
        return Err("a run is one process: a count other than 1 has no equivalent".into());
    }
    task(&mut job, only(group, "Tasks")?)?;
    restarts(&mut job, group);
    for (part, what) in [("Constraints", "constraints"), ("Affinities", "affinities"), ("Volumes", "volumes")] {
        if is_given(definition, part) || is_given(group, part) {
            job.note(format!("its {what} are left out"));
        }
    }
    Ok(job)
}

fn schedule(periodic: &Value) -> Result<Translation, String> {
    let kind = text(periodic, "SpecType").unwrap_or("cron");
    if kind != "cron" {
        return Err(format!("a schedule of the kind {kind} is not known"));
    }
    let mut specs = texts(periodic, "Specs");
    if specs.is_empty() {
        specs.extend(text(periodic, "Spec").map(str::to_owned));
    }
    let zone = text(periodic, "TimeZone").unwrap_or("Etc/UTC");
    let mut joined: Option<Translation> = None;
    for spec in &specs {
        let given = Given { dialect: "nomad", expression: spec, zone, ..Given::default() };
        let found = translate(&given).map_err(|refusal| refusal.to_string())?;
        joined = Some(match joined {
            None => found,
            Some(before) => before.join(found).map_err(|why| format!("nomad {spec:?}: {why}"))?,
        });
    }
    joined.ok_or_else(|| "its schedule is empty".into())
}

/// The element of a list that must have one.
fn only<'a>(of: &'a Value, key: &str) -> Result<&'a Value, String> {
    match list(of, key) {
        [one] => Ok(one),
        [] => Err(format!("it has no {key}")),
        _ => Err(format!("a run is one process: several {key} have no equivalent")),
    }
}

fn task(job: &mut ImportedJob, task: &Value) -> Result<(), String> {
    let config = field(task, "Config").ok_or("its task has no Config")?;
    let command = texts_of_command(config);
    let driver = text(task, "Driver").unwrap_or_default();
    match driver {
        "docker" | "podman" => {
            let image = text(config, "image").ok_or("its task has no image")?;
            if image.contains("${") {
                return Err(format!("its image {image} is computed"));
            }
            job.set_image(image);
            let entrypoint = texts(config, "entrypoint");
            if entrypoint.is_empty() && !command.is_empty() {
                job.note("its command is an argument of the image's entrypoint in Nomad; here it takes the entrypoint's place");
            }
            job.command = entrypoint.into_iter().chain(command).collect();
        }
        "exec" | "raw_exec" if !command.is_empty() => job.command = command,
        "exec" | "raw_exec" => return Err("its task has no command".into()),
        _ => return Err(format!("tasks of the driver {driver:?} are not known")),
    }
    job.environment = variables(task, "Env");
    user(job, task, driver);
    if job.command.iter().chain(job.environment.values()).any(|text| text.contains("${")) {
        job.note("Nomad replaces ${...} in its command and variables; here nothing does");
    }
    for (part, what) in [
        ("Templates", "templates"),
        ("Artifacts", "artifacts, which Nomad fetches before the run,"),
        ("VolumeMounts", "volumes"),
        ("Vault", "secrets of Vault"),
        ("Services", "services"),
    ] {
        if is_given(task, part) {
            job.note(format!("its {what} are left out"));
        }
    }
    if is_given(config, "volumes") || is_given(config, "mount") || is_given(config, "mounts") {
        job.note("the folders that its container mounts are left out");
    }
    Ok(())
}

/// Whose process it is.
fn user(job: &mut ImportedJob, task: &Value, driver: &str) {
    let user = text(task, "User");
    match (driver, user) {
        ("exec" | "raw_exec", Some(user)) => {
            job.set_user(user);
            job.notes.extend(job.user_note());
        }
        ("exec", None) => job.note("Nomad runs it as nobody; here it runs as the user of the server: set process.user"),
        (_, Some(user)) => {
            job.user = Some(user.to_owned());
            job.note(format!("Nomad runs its container as {user}; here it runs as the user of its image"));
        }
        (_, None) => {}
    }
}

fn texts_of_command(config: &Value) -> Vec<String> {
    text(config, "command").map(str::to_owned).into_iter().chain(texts(config, "args")).collect()
}

fn restarts(job: &mut ImportedJob, group: &Value) {
    let policy = field(group, "RestartPolicy");
    job.max_restarts = Some(policy.and_then(|policy| count(policy, "Attempts")).unwrap_or(RESTARTS));
    if policy.and_then(|policy| text(policy, "Mode")) == Some("delay") {
        job.note("Nomad goes on restarting it after a while (mode delay); here a run fails after its restarts");
    }
    let again = field(group, "ReschedulePolicy");
    if again.is_some_and(|again| is_true(again, "Unlimited") || count(again, "Attempts").unwrap_or(0) > 0) {
        job.note("Nomad tries it on other nodes after that (reschedule); here a run fails after its restarts");
    }
}

#[cfg(test)]
#[path = "nomad_tests.rs"]
mod tests;

//! Pure: timers of systemd with the services that they start.

use std::collections::BTreeSet;

use super::imported::{Imported, ImportedJob};
use super::text::{quoted, seconds, words};
use super::translate::translate;
use super::translation::{Given, Translation};

/// The settings that are read, and those that make no difference here. All others are named as left out.
const KNOWN: [(&str, &[&str]); 3] = [
    ("Unit", &["After", "Before", "DefaultDependencies", "Description", "Documentation", "SourcePath", "Wants"]),
    (
        "Timer",
        &[
            "AccuracySec",
            "OnActiveSec",
            "OnBootSec",
            "OnCalendar",
            "OnStartupSec",
            "OnUnitActiveSec",
            "OnUnitInactiveSec",
            "Persistent",
            "RandomizedDelaySec",
            "RemainAfterElapse",
            "Unit",
        ],
    ),
    (
        "Service",
        &[
            "Environment",
            "EnvironmentFile",
            "ExecStart",
            "ExecStartPre",
            "RuntimeMaxSec",
            "TimeoutStartSec",
            "Type",
            "User",
            "WorkingDirectory",
        ],
    ),
];

/// A setting of a unit file.
struct Entry {
    line: usize,
    section: String,
    key: String,
    value: String,
}

/// Reads a timer and its service; `name` is that of the timer, and `zone` the time zone of its machine.
#[must_use]
pub fn read_systemd_timer(name: &str, timer: &str, service: &str, zone: &str) -> Imported {
    let mut found = Imported::default();
    let (timer, service) = (entries(timer), entries(service));
    match job(&timer, &service, zone, &mut found) {
        Ok(mut job) => {
            name.strip_suffix(".timer").unwrap_or(name).clone_into(&mut job.name);
            found.add(job);
        }
        Err(why) => found.refuse(1, name, why),
    }
    found
}

/// The settings of a unit file.
fn entries(text: &str) -> Vec<Entry> {
    let mut found = Vec::new();
    let mut section = String::new();
    let mut lines = text.lines().enumerate();
    while let Some((place, line)) = lines.next() {
        let mut line = line.trim().to_owned();
        while let Some(begun) = line.strip_suffix('\\') {
            let next = lines.next().map(|(_, next)| next.trim()).unwrap_or_default();
            line = format!("{} {next}", begun.trim_end());
        }
        if line.starts_with(['#', ';']) {
            continue;
        }
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            name.clone_into(&mut section);
        } else if let Some((key, value)) = line.split_once('=') {
            let (key, value) = (key.trim().to_owned(), value.trim().to_owned());
            found.push(Entry { line: place + 1, section: section.clone(), key, value });
        }
    }
    found
}

/// The values of a setting that can be given several times; an empty one clears those before it.
fn values<'a>(of: &'a [Entry], section: &str, key: &str) -> Vec<&'a Entry> {
    let mut found = Vec::new();
    for entry in of.iter().filter(|entry| entry.section == section && entry.key == key) {
        if entry.value.is_empty() {
            found.clear();
        } else {
            found.push(entry);
        }
    }
    found
}

/// The last value of a setting.
fn value<'a>(of: &'a [Entry], section: &str, key: &str) -> Option<&'a str> {
    values(of, section, key).last().map(|entry| entry.value.as_str())
}

fn is_on(value: Option<&str>) -> bool {
    value.is_some_and(|value| matches!(value.to_ascii_lowercase().as_str(), "1" | "yes" | "true" | "on"))
}

fn job(timer: &[Entry], service: &[Entry], zone: &str, found: &mut Imported) -> Result<ImportedJob, String> {
    let mut job = ImportedJob { line: 1, ..ImportedJob::default() };
    for key in ["OnActiveSec", "OnBootSec", "OnStartupSec", "OnUnitActiveSec", "OnUnitInactiveSec"] {
        for entry in values(timer, "Timer", key) {
            let why = "times that are counted from a start have no equivalent";
            found.refuse(entry.line, &format!("{key}={}", entry.value), why);
        }
    }
    job.set_schedule(schedule(timer, zone)?);
    let missed = if is_on(value(timer, "Timer", "Persistent")) { "latest" } else { "none" };
    job.settings.insert("cronjob.missed_runs".into(), quoted(missed));
    if let Some(delay) = value(timer, "Timer", "RandomizedDelaySec") {
        let delay = seconds(delay).ok_or_else(|| format!("RandomizedDelaySec={delay}: it is not a span of time"))?;
        if delay > 0 {
            job.settings.insert("cronjob.jitter_seconds".into(), delay.to_string());
            job.notes.push("systemd draws the delay anew each time; here it is fixed for each job".into());
        }
    }
    job.notes.push(
        "systemd may start a service up to AccuracySec (a minute, if it is not given) late; this server does not"
            .into(),
    );
    command(&mut job, service)?;
    surroundings(&mut job, service);
    user(&mut job, service);
    note_left_out(&mut job, timer, service);
    let description = value(service, "Unit", "Description").or_else(|| value(timer, "Unit", "Description"));
    description.unwrap_or_default().clone_into(&mut job.description);
    Ok(job)
}

fn schedule(timer: &[Entry], zone: &str) -> Result<Translation, String> {
    let mut joined: Option<Translation> = None;
    for entry in values(timer, "Timer", "OnCalendar") {
        let given = Given { dialect: "systemd", expression: &entry.value, zone, ..Given::default() };
        let found = translate(&given).map_err(|refusal| refusal.to_string())?;
        joined = Some(match joined.take() {
            None => found,
            Some(before) => before.join(found).map_err(|why| {
                format!("OnCalendar={}: {why}, which differ from those of the other ones", entry.value)
            })?,
        });
    }
    joined.ok_or_else(|| "it has no OnCalendar".into())
}

fn command(job: &mut ImportedJob, service: &[Entry]) -> Result<(), String> {
    let before = values(service, "Service", "ExecStartPre");
    let all: Vec<&str> =
        before.into_iter().chain(values(service, "Service", "ExecStart")).map(|entry| entry.value.as_str()).collect();
    if let Some(text) = all.iter().find(|text| text.replace("%%", "").contains('%')) {
        return Err(format!("{text}: specifiers such as %i have no equivalent"));
    }
    let plain = |text: &str| text.trim_start_matches(['@', ':', '+', '!', '-']).replace("%%", "%");
    if all.iter().any(|text| text.starts_with('-')) {
        job.notes.push(
            "systemd ignores a failure of a command that begins with -: add its exit codes to job.success_exit_codes"
                .into(),
        );
    }
    job.command = match all.as_slice() {
        [] => return Err("its service has no ExecStart".into()),
        [one] => words(&plain(one)),
        several => {
            let text: Vec<String> = several.iter().map(|text| plain(text)).collect();
            vec!["/bin/sh".into(), "-c".into(), text.join(" && ")]
        }
    };
    if all.iter().any(|text| text.contains('$')) {
        job.notes.push("systemd replaces $VARIABLES in commands; use /bin/sh -c for that".into());
    }
    Ok(())
}

fn surroundings(job: &mut ImportedJob, service: &[Entry]) {
    for entry in values(service, "Service", "Environment") {
        for word in words(&entry.value) {
            if let Some((name, value)) = word.split_once('=') {
                job.environment.insert(name.to_owned(), value.to_owned());
            }
        }
    }
    for file in values(service, "Service", "EnvironmentFile") {
        job.note(format!("set the variables of {}", file.value));
    }
    match value(service, "Service", "WorkingDirectory").map(|folder| folder.trim_start_matches('-')) {
        None => {}
        Some(folder) if folder == "~" || folder.contains('%') => {
            job.note(format!("its WorkingDirectory={folder} is left out: set process.working_folder"));
        }
        Some(folder) => drop(job.settings.insert("process.working_folder".into(), quoted(folder))),
    }
    let is_oneshot = value(service, "Service", "Type") == Some("oneshot");
    let limit = if is_oneshot { "TimeoutStartSec" } else { "RuntimeMaxSec" };
    job.max_duration_seconds = value(service, "Service", limit).and_then(seconds).filter(|limit| *limit > 0);
}

/// Whose process it is.
fn user(job: &mut ImportedJob, service: &[Entry]) {
    match value(service, "Service", "User") {
        None => job.note(
            "it names no User, so that systemd runs it as root, or as the user whose timer it is; here it runs as the \
             user of the server, unless process.user names another one",
        ),
        Some(user) if user.contains('%') => job.note(format!("its User={user} is left out: set process.user")),
        Some(user) => {
            job.set_user(user);
            job.notes.extend(job.user_note());
            job.note(format!("HOME is an empty folder here, and not the home of {user}, unless process.home names it"));
        }
    }
}

/// Names the settings that change how it runs there, and have nothing that corresponds to them here.
fn note_left_out(job: &mut ImportedJob, timer: &[Entry], service: &[Entry]) {
    let is_left_out = |entry: &&Entry| {
        let known = KNOWN.iter().find(|(section, _)| *section == entry.section);
        !entry.value.is_empty() && known.is_some_and(|(_, keys)| !keys.contains(&entry.key.as_str()))
    };
    let names: BTreeSet<&str> =
        timer.iter().chain(service).filter(is_left_out).map(|entry| entry.key.as_str()).collect();
    if !names.is_empty() {
        let names: Vec<&str> = names.into_iter().collect();
        job.note(format!("these settings of its units are left out: {}", names.join(", ")));
    }
}

#[cfg(test)]
#[path = "systemd_timer_tests.rs"]
mod tests;

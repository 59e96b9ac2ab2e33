//! Pure: what comes of a file: jobs, and what could not be taken over.

use std::collections::BTreeMap;

use windlass_schedule::{ClockChangeRules, DayMatch};

use super::text::quoted;
use super::translate::translate;
use super::translation::{Given, Translation};

/// A file of another program.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// Its name, with its folders if they are known.
    pub name: &'a str,
    pub text: &'a str,
    /// The time zone of the program, which schedules without one are read in.
    pub zone: &'a str,
}

impl<'a> Source<'a> {
    /// The name of the file without its folders and its ending.
    pub(crate) fn stem(&self) -> &'a str {
        let file = self.name.rsplit(['/', '\\']).next().unwrap_or(self.name);
        file.split_once('.').map_or(file, |(stem, _)| stem)
    }
}

/// Everything that was found in a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    pub jobs: Vec<ImportedJob>,
    pub refused: Vec<Refused>,
}

/// A job of another program in the terms of a CRON job.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImportedJob {
    /// Unique in its file.
    pub name: String,
    /// The comment above it, or its description.
    pub description: String,
    /// The line at which it begins, from 1.
    pub line: usize,
    /// The expressions of its schedule, to be joined by `|`.
    pub schedules: Vec<String>,
    pub zone: String,
    pub day_match: DayMatch,
    pub clock_changes: ClockChangeRules,
    /// The image of its container, if it runs in one.
    pub image: Option<String>,
    /// The program and its arguments.
    pub command: Vec<String>,
    pub environment: BTreeMap<String, String>,
    /// How often a failed run is repeated, and how long a run may take, if the file says so.
    pub max_restarts: Option<u32>,
    pub max_duration_seconds: Option<u32>,
    /// The limits of its container, if the file says so.
    pub cpu_milli: Option<u32>,
    pub memory_mib: Option<u32>,
    /// The user that it runs as, if the file names one.
    pub user: Option<String>,
    /// Advanced settings, as they are written in JSON, in addition to those of the schedule.
    pub settings: BTreeMap<String, String>,
    /// What a reader should know.
    pub notes: Vec<String>,
}

/// A part of a file that could not be taken over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// From 1.
    pub line: usize,
    pub text: String,
    pub why: String,
}

impl ImportedJob {
    /// Sets the schedule.
    pub(crate) fn set_schedule(&mut self, found: Translation) {
        self.schedules = found.expressions;
        self.zone = found.zone;
        self.day_match = found.day_match;
        self.clock_changes = found.clock_changes;
        self.notes.extend(found.notes);
    }

    /// Sets the schedule to what an expression means.
    pub(crate) fn translate(&mut self, given: &Given<'_>) -> Result<(), String> {
        self.set_schedule(translate(given).map_err(|refusal| refusal.to_string())?);
        Ok(())
    }

    /// Sets what happens at a time while a run is open.
    pub(crate) fn set_concurrency(&mut self, policy: &str) {
        self.settings.insert("cronjob.concurrency_policy".into(), quoted(policy));
    }

    /// Holds the schedule back.
    pub(crate) fn suspend(&mut self) {
        self.settings.insert("cronjob.suspend".into(), "true".into());
    }

    /// Times at which the program does not run are lost.
    pub(crate) fn lose_missed_runs(&mut self) {
        self.settings.insert("cronjob.missed_runs".into(), quoted("none"));
    }

    /// Sets the command to a text for the shell.
    pub fn set_shell_command(&mut self, text: &str) {
        self.command = vec!["/bin/sh".into(), "-c".into(), text.to_owned()];
    }

    /// Sets the user of a plain process, and the variables that name it.
    pub(crate) fn set_user(&mut self, user: &str) {
        self.user = Some(user.to_owned());
        self.settings.insert("process.user".into(), quoted(user));
        if user.parse::<u32>().is_err() {
            for name in ["LOGNAME", "USER"] {
                self.environment.entry(name.into()).or_insert_with(|| user.to_owned());
            }
        }
    }

    /// What it takes to run as its user.
    pub(crate) fn user_note(&self) -> Option<String> {
        let user = self.user.as_ref()?;
        Some(format!("it runs as {user} (process.user), which takes a server that runs as root"))
    }

    /// Sets the image. Programs read one without a tag and a digest as the latest.
    pub(crate) fn set_image(&mut self, image: &str) {
        let last = image.rsplit('/').next().unwrap_or(image);
        if last.contains([':', '@']) {
            self.image = Some(image.to_owned());
            return;
        }
        self.image = Some(format!("{image}:latest"));
        self.note(
            "its image has no tag, which means latest; name one, because an image that is there is not pulled again",
        );
    }

    pub(crate) fn note(&mut self, text: impl Into<String>) {
        self.notes.push(text.into());
    }

    /// Whether the file says what the job runs. If not, somebody has to.
    #[must_use]
    pub fn says_what_to_run(&self) -> bool {
        !self.command.is_empty() || self.image.is_some()
    }
}

impl Imported {
    /// What comes of a file that cannot be read at all.
    pub(crate) fn unreadable(source: &Source<'_>, why: &str) -> Self {
        let mut found = Self::default();
        found.refuse(1, source.name, format!("it cannot be read: {why}"));
        found
    }

    /// Adds what came of a part of a file.
    pub(crate) fn push(&mut self, line: usize, text: &str, read: Result<ImportedJob, String>) {
        match read {
            Ok(job) => self.add(ImportedJob { line, ..job }),
            Err(why) => self.refuse(line, text, why),
        }
    }

    pub(crate) fn refuse(&mut self, line: usize, text: &str, why: impl Into<String>) {
        self.refused.push(Refused { line, text: text.to_owned(), why: why.into() });
    }

    /// Adds a job under a name that no other one has, in any case.
    pub(crate) fn add(&mut self, mut job: ImportedJob) {
        let taken = |name: &str| self.jobs.iter().any(|other| other.name.to_lowercase() == name.to_lowercase());
        if taken(&job.name) {
            let free = (2..).map(|number| format!("{}-{number}", job.name)).find(|name| !taken(name));
            job.name = free.unwrap_or_default();
        }
        self.jobs.push(job);
    }
}

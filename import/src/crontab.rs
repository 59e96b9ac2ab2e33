//! Pure: crontab files, of a user and of the system.

use std::collections::{BTreeMap, BTreeSet};

use super::command_name::command_name;
use super::imported::{Imported, ImportedJob};
use super::text::quoted;
use super::translate::translate;
use super::translation::Given;

/// The program whose file it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CrontabDialect {
    Vixie,
    Cronie,
    Busybox,
    Fcron,
}

/// Whose file it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CrontabForm {
    /// Of one user.
    User,
    /// Of the system, with a column that names the user.
    System,
}

impl CrontabDialect {
    fn name(self) -> &'static str {
        match self {
            Self::Vixie => "vixie-cron",
            Self::Cronie => "cronie",
            Self::Busybox => "busybox-crond",
            Self::Fcron => "fcron",
        }
    }

    /// `%` in a command is a new line, and begins the input of the command.
    fn has_percent(self) -> bool {
        matches!(self, Self::Vixie | Self::Cronie)
    }
}

/// Reads a file; `zone` is the time zone of its machine.
#[must_use]
pub fn read_crontab(text: &str, dialect: CrontabDialect, form: CrontabForm, zone: &str) -> Imported {
    let mut reader = Reader {
        dialect,
        form,
        zone: zone.to_owned(),
        environment: BTreeMap::new(),
        comment: Vec::new(),
        told: BTreeSet::new(),
        found: Imported::default(),
    };
    for (place, line) in text.lines().enumerate() {
        reader.line(place + 1, line.trim());
    }
    reader.found
}

struct Reader {
    dialect: CrontabDialect,
    form: CrontabForm,
    /// That of the machine, or of the last `CRON_TZ`.
    zone: String,
    /// The variables that are set so far.
    environment: BTreeMap<String, String>,
    /// The comment directly above.
    comment: Vec<String>,
    /// What one job of the file says for all of them.
    told: BTreeSet<String>,
    found: Imported,
}

impl Reader {
    fn line(&mut self, number: usize, line: &str) {
        if let Some(comment) = line.strip_prefix('#') {
            self.comment.push(comment.trim_start_matches('#').trim().to_owned());
            return;
        }
        let comment = std::mem::take(&mut self.comment);
        if line.is_empty() {
            return;
        }
        if self.dialect == CrontabDialect::Fcron && line.starts_with('!') {
            self.found.refuse(number, line, "options of fcron for the following lines have no equivalent");
        } else if let Some((name, value)) = assignment(line) {
            self.set(number, line, name, value);
        } else if let Err(why) = self.entry(number, line, comment.join(" ")) {
            self.found.refuse(number, line, why);
        }
    }

    fn set(&mut self, number: usize, line: &str, name: String, value: String) {
        if name == "CRON_TZ" && self.dialect == CrontabDialect::Cronie {
            if windlass_schedule::parse_timezone(&value).is_err() {
                self.found.refuse(
                    number,
                    line,
                    format!("{value:?} is not an IANA time zone; the lines below are read in the one before"),
                );
                return;
            }
            self.zone = value;
            return;
        }
        self.environment.insert(name, value);
    }

    fn entry(&mut self, number: usize, line: &str, comment: String) -> Result<(), String> {
        let mut notes = Vec::new();
        let line = match line.strip_prefix('-') {
            Some(rest) if self.dialect == CrontabDialect::Cronie => {
                notes.push("the - before the schedule, which keeps runs out of the system log, is left out".into());
                rest
            }
            _ => line,
        };
        let options = usize::from(self.dialect == CrontabDialect::Fcron && line.starts_with(['&', '%']));
        let fields = if line.starts_with('@') { 1 } else { 5 + options };
        let (schedule, rest) = split_words(line, fields).ok_or("five fields and a command are expected")?;
        let (user, command) = match self.form {
            CrontabForm::User => (None, rest),
            CrontabForm::System => {
                let (user, command) =
                    split_words(rest, 1).ok_or("a user and a command are expected after the schedule")?;
                (Some(user), command)
            }
        };
        if schedule.contains('~') && self.dialect == CrontabDialect::Cronie {
            return Err(format!(
                "{} draws {schedule:?} anew whenever it reads the file; H(a-b) is a value that stays",
                self.dialect.name()
            ));
        }
        let given = Given { dialect: self.dialect.name(), expression: schedule, zone: &self.zone, ..Given::default() };
        let translation = translate(&given).map_err(|refusal| refusal.to_string())?;
        let (environment, settings) = self.surroundings(&mut notes);
        let shell = environment.get("SHELL").cloned().unwrap_or_else(|| "/bin/sh".into());
        // The input of a command is no part of its name.
        let named = command.split('%').next().filter(|_| self.dialect.has_percent()).unwrap_or(command);
        let mut job = ImportedJob {
            name: command_name(named).unwrap_or_else(|| format!("line-{number}")),
            description: comment,
            line: number,
            command: vec![shell, "-c".into(), self.command(command, &mut notes)],
            environment,
            settings,
            notes,
            ..ImportedJob::default()
        };
        job.set_schedule(translation);
        self.set_user(&mut job, user);
        self.found.add(job);
        Ok(())
    }

    /// The variables of a command, and the settings that some of them stand for.
    fn surroundings(&self, notes: &mut Vec<String>) -> (BTreeMap<String, String>, BTreeMap<String, String>) {
        let mut environment = self.environment.clone();
        let mut settings = BTreeMap::new();
        match environment.remove("MAILTO") {
            None => notes
                .push("cron mails the output to the owner of the file: make a rule for alerts, or read the log".into()),
            Some(to) if to.is_empty() => {}
            Some(to) => notes.push(format!("cron mails the output to {to}: make a rule for alerts with this receiver")),
        }
        environment.remove("MAILFROM");
        if environment.contains_key("CRON_TZ") {
            notes.push(format!(
                "{} does not read CRON_TZ: the schedule is in the time zone of its machine",
                self.dialect.name()
            ));
        }
        if self.dialect == CrontabDialect::Cronie
            && let Some(minutes) = environment.remove("RANDOM_DELAY")
            && let Some(seconds) = minutes.parse::<u32>().ok().and_then(|minutes| minutes.checked_mul(60))
        {
            settings.insert("cronjob.jitter_seconds".into(), seconds.to_string());
            notes.push(format!(
                "cronie draws a delay of up to {minutes} minutes when it reads the file; here it is fixed for each job"
            ));
        }
        if let Some(path) = environment.remove("PATH") {
            settings.insert("process.path".into(), quoted(&path));
        }
        if let Some(home) = environment.remove("HOME") {
            settings.insert("process.home".into(), quoted(&home));
            settings.insert("process.working_folder".into(), quoted(&home));
        }
        (environment, settings)
    }

    /// Whose process it is, and where it begins.
    fn set_user(&mut self, job: &mut ImportedJob, user: Option<&str>) {
        let mut texts = Vec::new();
        match user {
            Some(user) => {
                job.set_user(user);
                texts.extend(job.user_note());
            }
            None => texts.push(
                "cron runs it as the owner of the file, and sets LOGNAME and USER; here it runs as the user of the \
                 server, unless process.user names another one"
                    .to_owned(),
            ),
        }
        if !job.settings.contains_key("process.home") {
            texts.push(
                "cron starts it in the home of its user, which is HOME; here both are an empty folder, unless \
                 process.home and process.working_folder name others"
                    .to_owned(),
            );
        }
        job.notes.extend(texts.into_iter().filter(|text| self.told.insert(text.clone())));
    }

    /// A command with its input as one text for the shell.
    fn command(&self, text: &str, notes: &mut Vec<String>) -> String {
        if !self.dialect.has_percent() || !text.contains('%') {
            return text.to_owned();
        }
        let mut parts = vec![String::new()];
        let mut letters = text.chars().peekable();
        while let Some(letter) = letters.next() {
            match letter {
                '\\' if letters.peek() == Some(&'%') => {
                    letters.next();
                    push(&mut parts, '%');
                }
                '%' => parts.push(String::new()),
                letter => push(&mut parts, letter),
            }
        }
        let command = parts.remove(0);
        if parts.is_empty() {
            return command;
        }
        notes.push("what follows % is the input of the command".into());
        let input = parts.join("\n");
        let end = (0..).map(|number| format!("INPUT{number}")).find(|end| !input.lines().any(|line| line == end));
        let end = end.unwrap_or_default();
        format!("{{ {command}\n}} <<'{end}'\n{input}\n{end}")
    }
}

fn push(parts: &mut [String], letter: char) {
    if let Some(last) = parts.last_mut() {
        last.push(letter);
    }
}

/// The first words of a line, with the blanks between them, and the rest; none if nothing is left.
fn split_words(line: &str, count: usize) -> Option<(&str, &str)> {
    let mut rest = line;
    for _ in 0..count {
        let (_, after) = rest.split_once(char::is_whitespace)?;
        rest = after.trim_start();
    }
    let words = line.strip_suffix(rest)?.trim_end();
    (!rest.is_empty()).then_some((words, rest))
}

/// The name and the value of a variable, without the quotes around them.
fn assignment(line: &str) -> Option<(String, String)> {
    let (name, rest) = match line.strip_prefix(['"', '\'']) {
        Some(quoted) => quoted.split_once(['"', '\''])?,
        None => line.split_at(line.find(|letter: char| letter.is_whitespace() || letter == '=')?),
    };
    let value = rest.trim_start().strip_prefix('=')?.trim();
    let is_name = !name.is_empty() && name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
    let inner = ['"', '\''].into_iter().find_map(|quote| value.strip_prefix(quote)?.strip_suffix(quote));
    is_name.then(|| (name.to_owned(), inner.unwrap_or(value).to_owned()))
}

#[cfg(test)]
#[path = "crontab_tests.rs"]
mod tests;

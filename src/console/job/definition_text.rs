//! The definition of a job as the texts of a form, and back. What the form does not name stays as it is.

use entity::job;
use entity::job_spec::{Command, JobSpec, JobType, LifecycleType, Schedule, Source};

use super::argument_list;
use crate::console::form::Form;
use crate::engine::definition::{
    DEFAULT_CPU_MILLI, DEFAULT_MEMORY_MIB, DEFAULT_TIMEZONE, GivenImage, JobNumber, check_command, check_cron,
    check_image_source, default_icon,
};
use crate::engine::faults::Faults;
use crate::engine::limits;
use crate::error::{Error, Result};

/// The fields of a command, by the event that it belongs to.
pub(super) const COMMANDS: [(&str, &str); 3] = [
    ("schedule.on_start", "When the environment is started"),
    ("schedule.on_stop", "When the environment is stopped"),
    ("schedule.on_delete", "When the environment is deleted"),
];

/// The field of the command of a CRON job.
pub(super) const CRON: &str = "schedule.cronjob";

/// A definition as texts, by the names of fields.
#[derive(Clone)]
pub(super) struct DefinitionText {
    pub(super) job_type: JobType,
    /// Whether the image is built, which the form does not change.
    pub(super) is_built: bool,
    fields: Vec<(String, String)>,
}

impl DefinitionText {
    /// A new job of this type.
    pub(super) fn new(job_type: JobType) -> Self {
        let fields = [
            ("timezone", DEFAULT_TIMEZONE.to_owned()),
            ("cpu", DEFAULT_CPU_MILLI.to_string()),
            ("memory", DEFAULT_MEMORY_MIB.to_string()),
            ("max_nb_restart", "0".into()),
            ("max_duration_seconds", "0".into()),
        ];
        let fields = fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Self { job_type, is_built: false, fields }
    }

    /// A stored job.
    pub(super) fn of(name: &str, spec: &JobSpec) -> Self {
        let mut text = Self { job_type: spec.job_type(), is_built: spec.source.is_built(), fields: Vec::new() };
        text.set("name", name);
        text.set("description", &spec.description);
        for (number, value) in [
            (JobNumber::Cpu, spec.cpu_milli),
            (JobNumber::Memory, spec.memory_mib),
            (JobNumber::Retries, spec.max_nb_restart),
            (JobNumber::TimeLimit, spec.max_duration_seconds),
        ] {
            text.set(number.field(), &value.to_string());
        }
        if let Source::Image { image_name, tag, registry_id } = &spec.source {
            text.set("source.image.image_name", image_name);
            text.set("source.image.tag", tag);
            text.set("source.image.registry_id", &registry_id.to_string());
        }
        match &spec.schedule {
            Schedule::Cron { scheduled_at, timezone, command } => {
                text.set("scheduled_at", scheduled_at);
                text.set("timezone", timezone);
                text.set_command(CRON, Some(command));
            }
            Schedule::Lifecycle { on_start, on_stop, on_delete, lifecycle_type: _ } => {
                for ((field, _), command) in COMMANDS.into_iter().zip([on_start, on_stop, on_delete]) {
                    text.set_command(field, command.as_ref());
                }
            }
            // Checks have a form of their own.
            Schedule::Check { .. } => {}
        }
        text
    }

    /// What a form was filled in with, of a job of this type.
    pub(super) fn filled(form: &Form, like: &Self) -> Self {
        let mut text = Self { fields: Vec::new(), ..like.clone() };
        for name in names(like.job_type) {
            text.set(&name, form.text(&name));
        }
        for (field, _) in COMMANDS {
            if form.has(field) {
                text.set(field, "on");
            }
        }
        text
    }

    /// What the form of a new job was filled in with, as one of the type of `like`: what that form did not have is as in `like`. What is
    /// typed for the other type is kept, too.
    pub(super) fn switched(form: &Form, like: &Self) -> Self {
        let mut text = Self { fields: Vec::new(), ..like.clone() };
        let own = names(like.job_type);
        for name in &own {
            text.set(name, if form.has(name) { form.text(name) } else { like.text(name) });
        }
        for name in names(other(like.job_type)).iter().filter(|name| !own.contains(name) && form.has(name)) {
            text.set(name, form.text(name));
        }
        for (field, _) in COMMANDS.into_iter().filter(|(field, _)| form.has(field)) {
            text.set(field, "on");
        }
        text
    }

    /// What is typed for the other type of jobs, which the form does not show.
    pub(super) fn of_other_type(&self) -> impl Iterator<Item = (&str, &str)> {
        let own = names(self.job_type);
        let shows_commands = self.job_type != JobType::Cron;
        let is_shown = move |name: &str| {
            own.iter().any(|own| own == name) || (shows_commands && COMMANDS.iter().any(|(field, _)| *field == name))
        };
        let all = self.fields.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        all.filter(move |(name, value)| !value.is_empty() && !is_shown(name))
    }

    /// The text of a field.
    pub(super) fn text(&self, name: &str) -> &str {
        self.fields.iter().find(|(field, _)| field == name).map_or("", |(_, value)| value)
    }

    fn set(&mut self, name: &str, value: &str) {
        self.fields.push((name.to_owned(), value.to_owned()));
    }

    fn set_command(&mut self, field: &str, command: Option<&Command>) {
        let Some(command) = command else { return };
        self.set(field, "on");
        self.set(&format!("{field}.entrypoint"), command.entrypoint.as_deref().unwrap_or_default());
        let arguments = command.arguments.as_deref().map(argument_list::shown).unwrap_or_default();
        self.set(&format!("{field}.arguments"), &arguments);
    }

    /// The definition that the texts describe. `stored` is the job that is changed, if it is one.
    pub(super) fn read(&self, stored: Option<&job::Model>) -> Result<(String, JobSpec)> {
        let old = stored.map(|job| &job.spec);
        let mut faults = Faults::default();
        let name = faults.note(limits::name("name", self.text("name")));
        let description = faults.note(limits::text("description", self.text("description").to_owned()));
        let mut number = |number: JobNumber| {
            let read = self.text(number.field()).trim().parse::<i32>();
            let read = read.map_err(|_| Error::invalid(number.field(), "must be a whole number"));
            faults.note(read.and_then(|value| number.check(value)))
        };
        let (cpu_milli, memory_mib) = (number(JobNumber::Cpu), number(JobNumber::Memory));
        let (max_nb_restart, max_duration_seconds) = (number(JobNumber::Retries), number(JobNumber::TimeLimit));
        let source = faults.note_or(self.source(old), Source::none());
        let nothing = Schedule::Lifecycle {
            on_start: None,
            on_stop: None,
            on_delete: None,
            lifecycle_type: LifecycleType::Generic,
        };
        let schedule = faults.note_or(self.schedule(old), nothing);
        faults.result()?;
        let spec = match old {
            Some(old) => JobSpec {
                description,
                cpu_milli,
                memory_mib,
                max_nb_restart,
                max_duration_seconds,
                source,
                schedule,
                ..old.clone()
            },
            None => JobSpec {
                description,
                cpu_milli,
                memory_mib,
                max_nb_restart,
                max_duration_seconds,
                source,
                schedule,
                gpu: 0,
                ephemeral_storage_gib: None,
                cpu_architecture: None,
                auto_preview: false,
                auto_deploy: false,
                port: None,
                icon_uri: default_icon(self.job_type),
                healthchecks: Default::default(),
                annotations_groups: Vec::new(),
                labels_groups: Vec::new(),
                settings: Default::default(),
            },
        };
        Ok((name, spec))
    }

    fn source(&self, old: Option<&JobSpec>) -> Result<Source> {
        if let Some(old) = old.filter(|old| old.source.is_built()) {
            return Ok(old.source.clone());
        }
        let given = |name: &str| Some(self.text(name).trim().to_owned()).filter(|text| !text.is_empty());
        let image_name = given("source.image.image_name");
        if image_name.is_none() && given("source.image.tag").is_none() {
            return Ok(Source::none());
        }
        let (tag, registry_id) = (given("source.image.tag"), given("source.image.registry_id"));
        check_image_source(GivenImage { image_name, tag, registry_id })
    }

    fn schedule(&self, old: Option<&JobSpec>) -> Result<Schedule> {
        let old = old.map(|old| &old.schedule);
        match self.job_type {
            JobType::Cron => {
                let stored = match old {
                    Some(Schedule::Cron { command, .. }) => Some(command),
                    _ => None,
                };
                let mut faults = Faults::default();
                let command = faults.note(self.command(CRON, stored));
                let timezone = Some(self.text("timezone").trim()).filter(|zone| !zone.is_empty());
                let timezone = timezone.unwrap_or(DEFAULT_TIMEZONE).to_owned();
                let none = Schedule::Cron {
                    scheduled_at: String::new(),
                    timezone: String::new(),
                    command: Command::default(),
                };
                let checked = check_cron(self.text("scheduled_at").trim().to_owned(), timezone, command);
                let schedule = faults.note_or(checked, none);
                faults.result().map(|()| schedule)
            }
            JobType::Lifecycle | JobType::Check => {
                let (stored, lifecycle_type) = match old {
                    Some(Schedule::Lifecycle { on_start, on_stop, on_delete, lifecycle_type }) => {
                        ([on_start.as_ref(), on_stop.as_ref(), on_delete.as_ref()], *lifecycle_type)
                    }
                    _ => ([None; 3], LifecycleType::Generic),
                };
                let mut faults = Faults::default();
                let mut commands = COMMANDS.into_iter().zip(stored).map(|((field, _), stored)| {
                    if self.text(field).is_empty() {
                        return None;
                    }
                    Some(faults.note(self.command(field, stored)))
                });
                let (on_start, on_stop, on_delete) =
                    (commands.next().flatten(), commands.next().flatten(), commands.next().flatten());
                drop(commands);
                if on_start.is_none() && on_stop.is_none() && on_delete.is_none() {
                    faults.refuse("schedule", "must have at least one command");
                }
                faults.result().map(|()| Schedule::Lifecycle { on_start, on_stop, on_delete, lifecycle_type })
            }
        }
    }

    /// The command of an event. What was not touched stays as it is stored.
    fn command(&self, field: &str, stored: Option<&Command>) -> Result<Command> {
        let (program, list) = (format!("{field}.entrypoint"), format!("{field}.arguments"));
        let mut before = Self { fields: Vec::new(), ..self.clone() };
        before.set_command(field, stored);
        let entrypoint = if stored.is_some() && self.text(&program) == before.text(&program) {
            stored.and_then(|stored| stored.entrypoint.clone())
        } else {
            Some(self.text(&program).trim().to_owned()).filter(|text| !text.is_empty())
        };
        let arguments = if stored.is_some() && self.text(&list).trim() == before.text(&list) {
            stored.and_then(|stored| stored.arguments.clone())
        } else {
            argument_list::read(&list, self.text(&list))?
        };
        check_command(field, Command { entrypoint, arguments })
    }
}

/// The type that can be chosen instead.
fn other(job_type: JobType) -> JobType {
    if job_type == JobType::Cron { JobType::Lifecycle } else { JobType::Cron }
}

/// The names of the fields of a form.
pub(super) fn names(job_type: JobType) -> Vec<String> {
    let common = [
        "name",
        "description",
        "cpu",
        "memory",
        "max_nb_restart",
        "max_duration_seconds",
        "source.image.image_name",
        "source.image.tag",
        "source.image.registry_id",
    ];
    let mut all: Vec<String> = common.into_iter().map(str::to_owned).collect();
    let commands: Vec<&str> = match job_type {
        JobType::Cron => {
            all.extend(["scheduled_at".to_owned(), "timezone".to_owned()]);
            vec![CRON]
        }
        JobType::Lifecycle | JobType::Check => COMMANDS.into_iter().map(|(field, _)| field).collect(),
    };
    for field in commands {
        all.extend([format!("{field}.entrypoint"), format!("{field}.arguments")]);
    }
    all
}

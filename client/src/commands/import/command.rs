//! The words of `windlass import`, and which reader each source has.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use windlass_import::{
    CrontabDialect, CrontabForm, Imported, Source, read_celery, read_cron_job_manifests, read_crontab, read_dkron,
    read_event_bridge, read_github, read_gitlab, read_jenkins, read_nomad, read_quartz, read_rundeck, read_spring,
    read_systemd_timer, read_temporal,
};

use super::expression::Expression;
use super::zone::zone;
use crate::failure::{Failure, Result};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Read a crontab.
    Crontab {
        file: PathBuf,
        /// The program whose file it is; they read the same text differently.
        #[arg(long, value_enum, default_value = "cronie")]
        dialect: Dialect,
        /// The file has a column with the user, as /etc/crontab has.
        #[arg(long)]
        system: bool,
        #[command(flatten)]
        target: Target,
    },
    /// Read `CronJob` manifests of Kubernetes.
    Kubernetes(OneFile),
    /// Read a timer of systemd and its service.
    Systemd {
        timer: PathBuf,
        service: PathBuf,
        #[command(flatten)]
        target: Target,
    },
    /// Read the schedules of a workflow of GitHub Actions.
    Github(OneFile),
    /// Read pipeline schedules of GitLab: the JSON of `/projects/:id/pipeline_schedules`.
    Gitlab(OneFile),
    /// Read a job of Jenkins: its config.xml.
    Jenkins {
        file: PathBuf,
        /// The full name of the job, from which the values of H follow; by default that of its folders (jobs/NAME/config.xml).
        #[arg(long)]
        job: Option<String>,
        #[command(flatten)]
        target: Target,
    },
    /// Read periodic jobs of Nomad: a file of a job, or the JSON of `nomad job inspect`.
    Nomad(OneFile),
    /// Read schedules of EventBridge: the JSON of `aws scheduler get-schedule`, or a template of CloudFormation.
    Eventbridge(OneFile),
    /// Read triggers of Quartz: its `quartz_data.xml`.
    Quartz(OneFile),
    /// Read methods that Spring schedules: a source file with @Scheduled, in Java or Kotlin.
    Spring(OneFile),
    /// Read jobs of Dkron: the JSON of /v1/jobs.
    Dkron(OneFile),
    /// Read schedules of Temporal: the JSON of `temporal schedule describe`.
    Temporal(OneFile),
    /// Read jobs of Rundeck: its export in YAML or JSON.
    Rundeck(OneFile),
    /// Read periodic tasks of Celery beat: the JSON of `manage.py dumpdata django_celery_beat`.
    Celery(OneFile),
    /// Say what one expression of another program means here.
    Expression(Expression),
}

/// What reads a source.
type Reader = fn(&Source<'_>) -> Imported;

/// A source that is one file.
#[derive(Args)]
pub(crate) struct OneFile {
    file: PathBuf,
    #[command(flatten)]
    target: Target,
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Dialect {
    Vixie,
    Cronie,
    Busybox,
    Fcron,
}

impl From<Dialect> for CrontabDialect {
    fn from(dialect: Dialect) -> Self {
        match dialect {
            Dialect::Vixie => Self::Vixie,
            Dialect::Cronie => Self::Cronie,
            Dialect::Busybox => Self::Busybox,
            Dialect::Fcron => Self::Fcron,
        }
    }
}

/// What becomes of the jobs.
#[derive(Args)]
pub(crate) struct Target {
    /// The time zone in which the program reads schedules without one, such as Europe/Paris; by default that of this machine.
    #[arg(long)]
    pub(super) time_zone: Option<String>,
    /// Create the jobs.
    #[arg(long, requires = "env")]
    pub(super) apply: bool,
    /// Write the jobs as a file for `windlass apply`, with what is refused in its comments.
    #[arg(long, requires = "env", conflicts_with = "apply")]
    pub(super) as_file: bool,
    /// The environment in which they are created; for a file, as PROJECT/ENVIRONMENT.
    #[arg(long)]
    pub(super) env: Option<String>,
    /// Deploy them as well, so that they run.
    #[arg(long, requires = "apply")]
    pub(super) deploy: bool,
    /// The image of jobs whose file names none, as NAME:TAG or NAME@DIGEST. Jobs that run as plain processes do not use it.
    #[arg(long, default_value = "library/busybox:1.36.1")]
    pub(super) image: String,
    /// The container registry of the images; optional if there is only one.
    #[arg(long)]
    pub(super) registry: Option<String>,
    /// What jobs run whose file does not say it, as a text for the shell.
    #[arg(long = "command", value_name = "TEXT")]
    shell_command: Option<String>,
}

impl Target {
    /// The time zone of schedules that name none.
    fn zone(&self) -> Result<String> {
        zone(self.time_zone.as_deref())
    }
}

impl Command {
    /// What becomes of the jobs; an expression is none.
    pub(super) fn target(&self) -> Option<&Target> {
        match self {
            Self::Crontab { target, .. } | Self::Systemd { target, .. } | Self::Jenkins { target, .. } => Some(target),
            Self::Expression(_) => None,
            other => other.one_file().map(|(one, _)| &one.target),
        }
    }

    /// Whether jobs are created, for which a server is needed.
    pub(crate) fn applies(&self) -> bool {
        self.target().is_some_and(|target| target.apply)
    }

    /// The sources that are one file, with their readers.
    fn one_file(&self) -> Option<(&OneFile, Reader)> {
        Some(match self {
            Self::Kubernetes(one) => (one, |source| read_cron_job_manifests(source.text, source.zone)),
            Self::Github(one) => (one, read_github),
            Self::Gitlab(one) => (one, read_gitlab),
            Self::Nomad(one) => (one, read_nomad),
            Self::Eventbridge(one) => (one, read_event_bridge),
            Self::Quartz(one) => (one, read_quartz),
            Self::Spring(one) => (one, read_spring),
            Self::Dkron(one) => (one, read_dkron),
            Self::Temporal(one) => (one, read_temporal),
            Self::Rundeck(one) => (one, read_rundeck),
            Self::Celery(one) => (one, read_celery),
            Self::Crontab { .. } | Self::Systemd { .. } | Self::Jenkins { .. } | Self::Expression(_) => return None,
        })
    }

    /// What is in the files, with the command that is given for jobs that have none of their own.
    pub(super) fn read(&self) -> Result<Imported> {
        let mut found = self.read_files()?;
        if let Some(command) = self.target().and_then(|target| target.shell_command.as_deref()) {
            for job in found.jobs.iter_mut().filter(|job| !job.says_what_to_run()) {
                job.set_shell_command(command);
            }
        }
        Ok(found)
    }

    fn read_files(&self) -> Result<Imported> {
        match self {
            Self::Crontab { file, dialect, system, target } => {
                let form = if *system { CrontabForm::System } else { CrontabForm::User };
                Ok(read_crontab(&text(file)?, (*dialect).into(), form, &target.zone()?))
            }
            Self::Systemd { timer, service, target } => {
                let name = timer.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
                Ok(read_systemd_timer(&name, &text(timer)?, &text(service)?, &target.zone()?))
            }
            Self::Jenkins { file, job, target } => {
                // The folders are a part of the name.
                let path = std::path::absolute(file).unwrap_or_else(|_| file.clone());
                let (name, text, zone) = (path.to_string_lossy(), text(file)?, target.zone()?);
                Ok(read_jenkins(&Source { name: &name, text: &text, zone: &zone }, job.as_deref()))
            }
            other => other.one_file().map_or(Ok(Imported::default()), |(OneFile { file, target }, read)| {
                let name = file.to_string_lossy();
                Ok(read(&Source { name: &name, text: &text(file)?, zone: &target.zone()? }))
            }),
        }
    }
}

fn text(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).map_err(|error| Failure::Usage(format!("{}: {error}", path.display())))
}

//! The schedule of a job in requests: a cron expression, or commands for events.

use entity::job;
use entity::job_spec::{Command, JobType, LifecycleType, Schedule};
use poem_openapi::Object;
use serde::Deserialize;

use super::job_command::{JobCommand, JobLifecycleTypeEnum};
use crate::engine::definition::{self, DEFAULT_TIMEZONE, check_command};
use crate::engine::faults::Faults;
use crate::error::{Error, Result};

#[derive(Clone, Debug, Deserialize, Object)]
struct CronRequest {
    #[serde(default)]
    #[oai(default)]
    arguments: Option<Vec<String>>,
    #[serde(default)]
    #[oai(default)]
    entrypoint: Option<String>,
    #[serde(default)]
    #[oai(default)]
    timezone: Option<String>,
    scheduled_at: String,
}

#[derive(Clone, Debug, Default, Deserialize, Object)]
#[serde(default)]
#[oai(default)]
pub(super) struct ScheduleRequest {
    on_start: Option<JobCommand>,
    on_stop: Option<JobCommand>,
    on_delete: Option<JobCommand>,
    cronjob: Option<CronRequest>,
    lifecycle_type: Option<JobLifecycleTypeEnum>,
}

pub(super) fn check_schedule(
    given: Option<ScheduleRequest>,
    stored: Option<&job::Model>,
) -> Result<(JobType, Schedule)> {
    let given = match (given, stored) {
        (Some(given), _) => given,
        (None, Some(job)) => return Ok((job.job_type, job.spec.schedule.clone())),
        (None, None) => return Err(Error::invalid("schedule", "is missing")),
    };
    let ScheduleRequest { on_start, on_stop, on_delete, cronjob, lifecycle_type } = given;
    let events = on_start.is_some() || on_stop.is_some() || on_delete.is_some();
    let (job_type, schedule) = match cronjob {
        Some(_) if events => {
            return Err(Error::invalid("schedule", "must have either a cronjob or events, not both"));
        }
        Some(_) if lifecycle_type.is_some() => {
            return Err(Error::invalid("schedule.lifecycle_type", "must not be set for a cronjob"));
        }
        Some(cron) => (JobType::Cron, check_cron(cron, stored)?),
        None if !events => {
            return Err(Error::invalid(
                "schedule",
                "must have a cronjob or at least one of on_start, on_stop and on_delete",
            ));
        }
        None => {
            let mut faults = Faults::default();
            let mut command = |field: &str, given: Option<JobCommand>| {
                faults.note(given.map(|given| check_command(field, given.into())).transpose())
            };
            let schedule = Schedule::Lifecycle {
                on_start: command("schedule.on_start", on_start),
                on_stop: command("schedule.on_stop", on_stop),
                on_delete: command("schedule.on_delete", on_delete),
                lifecycle_type: lifecycle_type.map_or(LifecycleType::Generic, lifecycle),
            };
            faults.result()?;
            (JobType::Lifecycle, schedule)
        }
    };
    if stored.is_some_and(|job| job.job_type != job_type) {
        return Err(Error::invalid("schedule", "the type of a job cannot change between CRON and LIFECYCLE"));
    }
    Ok((job_type, schedule))
}

fn lifecycle(given: JobLifecycleTypeEnum) -> LifecycleType {
    match given {
        JobLifecycleTypeEnum::Generic => LifecycleType::Generic,
        JobLifecycleTypeEnum::Terraform => LifecycleType::Terraform,
        JobLifecycleTypeEnum::Cloudformation => LifecycleType::Cloudformation,
    }
}

fn check_cron(given: CronRequest, stored: Option<&job::Model>) -> Result<Schedule> {
    let CronRequest { arguments, entrypoint, timezone, scheduled_at } = given;
    let stored_timezone = stored.and_then(|job| match &job.spec.schedule {
        Schedule::Cron { timezone, .. } => Some(timezone.clone()),
        Schedule::Lifecycle { .. } | Schedule::Check { .. } => None,
    });
    let timezone =
        timezone.filter(|zone| !zone.is_empty()).or(stored_timezone).unwrap_or_else(|| DEFAULT_TIMEZONE.to_owned());
    definition::check_cron(scheduled_at, timezone, Command { entrypoint, arguments })
}

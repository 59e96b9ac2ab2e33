//! Checks the schedule of a job.

use entity::job_spec::{Command, Schedule};
use windlass_schedule::time_zone::Zone;
use windlass_schedule::{DayMatch, HashKey};

use super::command_check::check_command;
use crate::engine::cron;
use crate::engine::faults::Faults;
use crate::error::{Error, Result};

pub const DEFAULT_TIMEZONE: &str = "Etc/UTC";

/// What callers are told about a schedule without any times.
pub const NEVER_FIRES: &str = "the schedule never fires, because none of its months has such a day; the job runs only when it is started manually";

/// What callers are told about a schedule that is due at each start of the server.
pub const AT_START: &str = "the job runs at each start of the server, which is not known in advance";

/// Checks a CRON schedule with its command.
///
/// # Errors
/// `Invalid` or `Faults`.
pub fn check_cron(scheduled_at: String, timezone: String, command: Command) -> Result<Schedule> {
    const FIELD: &str = "schedule.cronjob";
    let mut faults = Faults::default();
    faults.note(check_times("schedule.cronjob.", &scheduled_at, &timezone).map(drop));
    let command = faults.note(check_command(FIELD, command));
    faults.result()?;
    Ok(Schedule::Cron { scheduled_at, timezone, command })
}

/// Parses a schedule and a time zone. The names of their fields begin with `prefix`. The values of `H` are those of no job.
///
/// # Errors
/// `Invalid` or `Faults`.
pub fn check_times(prefix: &str, scheduled_at: &str, timezone: &str) -> Result<(windlass_schedule::Schedule, Zone)> {
    check_times_of((prefix, scheduled_at, timezone), DayMatch::Or)
}

/// The same, where both days are matched as `cronjob.day_match` says.
///
/// # Errors
/// The same.
pub fn check_times_of(
    (prefix, scheduled_at, timezone): (&str, &str, &str),
    days: DayMatch,
) -> Result<(windlass_schedule::Schedule, Zone)> {
    let invalid = |field: &str, refused: cron::ParseError| Error::invalid(format!("{prefix}{field}"), refused.0);
    let zone = cron::parse_timezone(timezone).map_err(|refused| invalid("timezone", refused));
    let parsed = windlass_schedule::Schedule::parse(scheduled_at, days, HashKey::of(&[]));
    let expression = parsed.map_err(|refused| invalid("scheduled_at", refused));
    match (expression, zone) {
        (Ok(expression), Ok(zone)) => Ok((expression, zone)),
        (expression, zone) => {
            let mut faults = Faults::default();
            faults.note(expression.map(|_| ()));
            faults.note(zone.map(drop));
            faults.result()?;
            Err(Error::invalid(format!("{prefix}scheduled_at"), "is not valid"))
        }
    }
}

/// Whether a schedule has no times at all.
#[must_use]
pub fn never_fires(schedule: &Schedule) -> bool {
    let Schedule::Cron { scheduled_at, .. } = schedule else { return false };
    let parsed = windlass_schedule::Schedule::parse(scheduled_at, DayMatch::Or, HashKey::of(&[]));
    parsed.is_ok_and(|schedule| !schedule.can_fire())
}

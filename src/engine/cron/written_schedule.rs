//! Pure: the schedule that the configuration of a job contains, and what of it a Kubernetes CronJob cannot express.

use entity::job_spec::{JobSpec, Rhythm, Schedule as JobSchedule};
use windlass_schedule::{DayMatch, HashKey, ParseError, Schedule};

use crate::engine::advanced_settings::Settings;

/// The schedule of a job or a check; `None` if it has none. `key` selects the values of `H`.
///
/// # Errors
/// If the schedule is invalid.
pub(super) fn written_schedule(key: HashKey, spec: &JobSpec) -> Result<Option<Schedule>, ParseError> {
    let (JobSchedule::Cron { scheduled_at, .. } | JobSchedule::Check { rhythm: Rhythm::Cron { scheduled_at, .. }, .. }) =
        &spec.schedule
    else {
        return Ok(None);
    };
    Schedule::parse(scheduled_at, day_match(spec), key).map(Some)
}

fn day_match(spec: &JobSpec) -> DayMatch {
    match Settings(&spec.settings).text("cronjob.day_match").as_deref() {
        Some("and") => DayMatch::And,
        _ => DayMatch::Or,
    }
}

/// What of a job's schedule a CronJob cannot express; none for a LIFECYCLE job.
pub(super) fn beyond_cron_job(spec: &JobSpec) -> Option<&'static str> {
    let JobSchedule::Cron { scheduled_at, .. } = &spec.schedule else { return None };
    let schedule = written_schedule(HashKey::of(&[]), spec).ok()??;
    if schedule.plain().is_some() {
        return None;
    }
    Some(if schedule.is_at_start() {
        "@reboot"
    } else if scheduled_at.contains('|') {
        "several expressions joined by |"
    } else if day_match(spec) == DayMatch::And {
        "cronjob.day_match and"
    } else {
        "L, W, #, H and ranges that wrap in a schedule"
    })
}

#[cfg(test)]
#[path = "written_schedule_tests.rs"]
mod tests;

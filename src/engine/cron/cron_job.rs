//! Pure: the schedule of a job as a Kubernetes CronJob.

use entity::id::RunId;
use entity::job_spec::{JobSpec, Schedule};

use super::clock_change::{ClockChangeRules, GapRule, OverlapRule};
use super::error::ParseError;
use super::expression::CronExpression;
use super::policy::{Concurrency, Policy};
use crate::engine::advanced_settings::Settings;
use crate::runner::kubernetes::pod_options::{self, CronTimes};

/// How the CronJob controller (robfig/cron, version 3) handles clock changes: skipped times do not run, repeated times
/// run twice.
pub const KUBERNETES_CLOCK_CHANGES: ClockChangeRules =
    ClockChangeRules { gap: Some(GapRule::Skip), overlap: Some(OverlapRule::Both) };

/// An expression in the form that Kubernetes accepts, in which 7 is not a day of the week. If the weekdays contain a star, they remain a
/// star, because the day of the month then decides.
///
/// # Errors
/// If the expression is invalid.
pub(super) fn for_kubernetes(text: &str) -> Result<String, ParseError> {
    let schedule: CronExpression = text.parse()?;
    let fields: Vec<&str> = text.split_whitespace().collect();
    let [minutes, hours, days, months, weekdays] = fields.as_slice() else { return Ok(text.trim().to_owned()) };
    let weekdays = match weekdays.contains('7') {
        true if schedule.weekdays.star => "*".to_owned(),
        true => {
            let listed = (0..7).filter(|day| schedule.weekdays.bits >> day & 1 == 1);
            listed.map(|day: u32| day.to_string()).collect::<Vec<_>>().join(",")
        }
        false => (*weekdays).to_owned(),
    };
    Ok(format!("{minutes} {hours} {days} {months} {weekdays}"))
}

/// The times of a CRON job for its CronJob; `None` for a LIFECYCLE job.
///
/// # Errors
/// If the expression is invalid.
pub fn cron_job_times(spec: &JobSpec, applied_by: RunId) -> Result<Option<CronTimes>, ParseError> {
    let Schedule::Cron { scheduled_at, timezone, .. } = &spec.schedule else { return Ok(None) };
    let settings = Settings(&spec.settings);
    let policy = Policy::of(spec);
    Ok(Some(CronTimes {
        schedule: for_kubernetes(scheduled_at)?,
        zone: timezone.clone(),
        concurrency: match policy.concurrency {
            Concurrency::Allow => pod_options::Concurrency::Allow,
            Concurrency::Replace => pod_options::Concurrency::Replace,
            // Kubernetes never schedules a job that queues its runs (see `keeper`).
            Concurrency::Forbid | Concurrency::Queue => pod_options::Concurrency::Forbid,
        },
        suspended: policy.suspended,
        starting_deadline_seconds: settings.number("cronjob.starting_deadline_seconds"),
        keep_succeeded: settings.number("cronjob.success_jobs_history_limit").unwrap_or(1),
        keep_failed: settings.number("cronjob.failed_jobs_history_limit").unwrap_or(1),
        applied_by: applied_by.to_string(),
    }))
}

#[cfg(test)]
mod tests {
    use super::for_kubernetes;

    #[test]
    fn expressions_are_those_of_kubernetes() {
        for (given, expected) in [
            ("0 3 * * 7", "0 3 * * 0"),
            ("0 3 * * 5-7", "0 3 * * 0,5,6"),
            ("0 3 * * 1-5", "0 3 * * 1-5"),
            ("0 3 1 * *,7", "0 3 1 * *"),
            ("0 3 1 * 7,?", "0 3 1 * *"),
            ("0 3 1 * 0-7", "0 3 1 * 0,1,2,3,4,5,6"),
            ("0 3 1 * */7", "0 3 1 * 0"),
            ("*/7 7 7 7 *", "*/7 7 7 7 *"),
            ("  0  3 * *  mon ", "0 3 * * mon"),
            ("@daily", "@daily"),
        ] {
            assert_eq!(for_kubernetes(given).unwrap(), expected, "{given}");
        }
        assert!(for_kubernetes("0 3 * * 8").is_err());
    }
}

//! Pure: the schedule of a job as a Kubernetes CronJob.

use entity::id::RunId;
use entity::job_spec::{JobSpec, Schedule};
use windlass_schedule::{ClockChangeRules, CronExpression, GapRule, OverlapRule, ParseError};

use super::policy::{Concurrency, Policy};
use crate::engine::advanced_settings::Settings;
use crate::runner::kubernetes::pod_options::{self, CronTimes};

/// How the CronJob controller (robfig/cron, version 3) handles clock changes: skipped times do not run, repeated times
/// run twice.
pub const KUBERNETES_CLOCK_CHANGES: ClockChangeRules =
    ClockChangeRules { gap: Some(GapRule::Skip), overlap: Some(OverlapRule::Both) };

/// The times of a CRON job for its CronJob; `None` for a LIFECYCLE job.
///
/// # Errors
/// If the expression is invalid.
pub fn cron_job_times(spec: &JobSpec, applied_by: RunId) -> Result<Option<CronTimes>, ParseError> {
    let Schedule::Cron { scheduled_at, timezone, .. } = &spec.schedule else { return Ok(None) };
    let settings = Settings(&spec.settings);
    let policy = Policy::of(spec);
    Ok(Some(CronTimes {
        schedule: CronExpression::for_kubernetes(scheduled_at)?,
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

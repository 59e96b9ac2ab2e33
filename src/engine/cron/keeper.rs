//! Pure: who keeps the time of a deployed CRON job.
//!
//! A Kubernetes cluster does, with a CronJob, where that can say what the job asks for; else this server does, and starts
//! its runs in the cluster one by one.

use entity::cluster::ClusterKind;
use entity::job_spec::{JobSpec, Schedule};

use super::expression::{Gap, Overlap, Refused, Turns, for_kubernetes};
use super::policy::{Concurrency, MissedRuns, Policy};
use crate::engine::advanced_settings::Settings;

/// Who keeps the time of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Keeper {
    /// This server; with what a CronJob cannot say, where the job is in such a cluster.
    Server(Option<&'static str>),
    Kubernetes,
}

/// How the controller of CronJobs treats the turns of the clocks (robfig/cron, version 3): a time that is left out is not
/// run, and one that comes twice is run twice.
pub const KUBERNETES_TURNS: Turns = Turns { gap: Some(Gap::Skip), overlap: Some(Overlap::Both) };

/// Who keeps the time of a job of this configuration; none for a LIFECYCLE job.
#[must_use]
pub fn keeper(kind: ClusterKind, spec: &JobSpec) -> Option<Keeper> {
    if !matches!(spec.schedule, Schedule::Cron { .. }) {
        return None;
    }
    Some(match kind {
        ClusterKind::Local => Keeper::Server(None),
        ClusterKind::Kubernetes => match beyond_a_cron_job(spec) {
            Some(why) => Keeper::Server(Some(why)),
            None => Keeper::Kubernetes,
        },
    })
}

/// What a job asks for that a CronJob cannot do.
fn beyond_a_cron_job(spec: &JobSpec) -> Option<&'static str> {
    let settings = Settings(&spec.settings);
    let policy = Policy::of(spec);
    if settings.number("cronjob.jitter_seconds").unwrap_or(0) > 0 {
        return Some("cronjob.jitter_seconds");
    }
    if settings.text("cronjob.dst_gap").is_some() {
        return Some("cronjob.dst_gap");
    }
    if settings.text("cronjob.dst_overlap").is_some() {
        return Some("cronjob.dst_overlap");
    }
    if policy.concurrency == Concurrency::Queue {
        return Some("cronjob.concurrency_policy Queue");
    }
    if policy.missed != MissedRuns::Latest {
        return Some("cronjob.missed_runs");
    }
    beyond_a_job(spec)
}

fn beyond_a_job(spec: &JobSpec) -> Option<&'static str> {
    let named = |key: &'static str| spec.settings.contains_key(key).then_some(key);
    named("job.success_exit_codes")
        .or_else(|| named("job.fail_fast_exit_codes"))
        .or_else(|| named("job.retry_backoff_seconds"))
}

/// Whether Kubernetes can start the failed attempts of a run again: not where exit codes decide, or another pause than its
/// own is wanted.
#[must_use]
pub fn repeats_by_kubernetes(spec: &entity::run_spec::RunSpec) -> bool {
    spec.success_exit_codes.is_empty() && spec.fail_fast_exit_codes.is_empty() && spec.retry_backoff_seconds.is_none()
}

/// What a CronJob is told of the times of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CronTimes {
    /// Five fields, or a macro.
    pub schedule: String,
    /// IANA name.
    pub zone: String,
    pub concurrency: Concurrency,
    pub suspended: bool,
    pub starting_deadline_seconds: Option<i32>,
    pub keep_succeeded: i32,
    pub keep_failed: i32,
}

/// The times of a CRON job for a CronJob; none for a LIFECYCLE job.
///
/// # Errors
/// When its expression cannot be read.
pub fn cron_times(spec: &JobSpec) -> Result<Option<CronTimes>, Refused> {
    let Schedule::Cron { scheduled_at, timezone, .. } = &spec.schedule else { return Ok(None) };
    let settings = Settings(&spec.settings);
    let policy = Policy::of(spec);
    Ok(Some(CronTimes {
        schedule: for_kubernetes(scheduled_at)?,
        zone: timezone.clone(),
        concurrency: policy.concurrency,
        suspended: policy.suspended,
        starting_deadline_seconds: settings.number("cronjob.starting_deadline_seconds"),
        keep_succeeded: settings.number("cronjob.success_jobs_history_limit").unwrap_or(1),
        keep_failed: settings.number("cronjob.failed_jobs_history_limit").unwrap_or(1),
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
            ("*/7 7 7 7 *", "*/7 7 7 7 *"),
            ("  0  3 * *  mon ", "0 3 * * mon"),
            ("@daily", "@daily"),
        ] {
            assert_eq!(for_kubernetes(given).unwrap(), expected, "{given}");
        }
        assert!(for_kubernetes("0 3 * * 8").is_err());
    }
}

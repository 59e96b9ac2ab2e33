//! Pure: who keeps the time of a deployed CRON job.
//!
//! A Kubernetes cluster does, with a CronJob, where that can say what the job asks for; else this server does, and starts
//! its runs in the cluster one by one.

use entity::cluster::ClusterKind;
use entity::job_spec::{JobSpec, Schedule};

use super::policy::{Concurrency, MissedRuns, Policy};
use crate::engine::advanced_settings::Settings;

/// Who keeps the time of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Keeper {
    /// This server; with what a CronJob cannot say, where the job is in such a cluster.
    Server(Option<&'static str>),
    Kubernetes,
}

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

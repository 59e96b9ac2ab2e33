//! Pure: who schedules a deployed CRON job.
//!
//! A Kubernetes cluster schedules it with a CronJob, if a CronJob supports all settings of the job and runs it at the times of its
//! schedule. Otherwise this server schedules it, and starts each run in the cluster.

use entity::cluster::ClusterKind;
use entity::job_spec::{JobSpec, Schedule};

use super::controller::fault;
use super::policy::{Concurrency, MissedRuns, Policy};
use super::written_schedule::beyond_cron_job;
use crate::engine::advanced_settings::Settings;
use crate::engine::calendar::{EXCLUDE, ONLY};

/// Who schedules a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Keeper {
    /// This server. For a job in a Kubernetes cluster, contains the reason.
    Server(Option<String>),
    Kubernetes,
}

/// Who schedules a job with this configuration; `None` for a LIFECYCLE job.
#[must_use]
pub fn keeper(kind: ClusterKind, spec: &JobSpec) -> Option<Keeper> {
    if !matches!(spec.schedule, Schedule::Cron { .. }) {
        return None;
    }
    Some(match kind {
        ClusterKind::Local | ClusterKind::Agent => Keeper::Server(None),
        ClusterKind::Kubernetes => {
            let setting =
                unsupported_by_cron_job(spec).map(|setting| format!("a Kubernetes CronJob does not support {setting}"));
            match setting.or_else(|| fault(spec).map(str::to_owned)) {
                Some(why) => Keeper::Server(Some(why)),
                None => Keeper::Kubernetes,
            }
        }
    })
}

/// What is stored about the schedule of a deployed job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoredSchedule {
    /// The server has a next time for it.
    pub planned: bool,
    /// It has a CronJob.
    pub applied: bool,
}

/// Who schedules a deployed job now. That may differ from its configuration until its CronJob is removed, and after it was paused.
#[must_use]
pub fn keeper_of_deployed(kind: ClusterKind, spec: &JobSpec, stored: StoredSchedule) -> Option<Keeper> {
    Some(match keeper(kind, spec)? {
        Keeper::Kubernetes if stored.planned => Keeper::Server(Some(
            "a Kubernetes CronJob cannot be paused or skip a time; the next deployment after that gives the schedule back \
             to Kubernetes"
                .into(),
        )),
        Keeper::Server(_) if stored.applied && !stored.planned => Keeper::Kubernetes,
        other => other,
    })
}

/// The first setting of a job that a CronJob does not support.
fn unsupported_by_cron_job(spec: &JobSpec) -> Option<&'static str> {
    let settings = Settings(&spec.settings);
    let policy = Policy::of(spec);
    if let Some(form) = beyond_cron_job(spec) {
        return Some(form);
    }
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
    if settings.is_on("cronjob.manual_runs_count") {
        return Some("cronjob.manual_runs_count");
    }
    if let Some(key) = [EXCLUDE, ONLY].into_iter().find(|key| !settings.names(key).is_empty()) {
        return Some(key);
    }
    if policy.missed != MissedRuns::Latest {
        return Some("cronjob.missed_runs");
    }
    unsupported_by_job(spec)
}

/// The first setting of a job that a Kubernetes Job does not support.
fn unsupported_by_job(spec: &JobSpec) -> Option<&'static str> {
    let named = |key: &'static str| spec.settings.contains_key(key).then_some(key);
    named("job.success_exit_codes")
        .or_else(|| named("job.fail_fast_exit_codes"))
        .or_else(|| named("job.retry_backoff_seconds"))
}

/// Whether Kubernetes can retry a run. It cannot if exit codes decide on retries, or if the job sets its own backoff.
#[must_use]
pub fn repeats_by_kubernetes(spec: &entity::run_spec::RunSpec) -> bool {
    spec.success_exit_codes.is_empty() && spec.fail_fast_exit_codes.is_empty() && spec.retry_backoff_seconds.is_none()
}

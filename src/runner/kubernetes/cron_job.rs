//! CronJobs, and the Jobs that they have started.

use std::collections::HashSet;
use std::sync::PoisonError;

use chrono::{DateTime, Utc};
use entity::id::JobId;
use k8s_openapi::api::batch::v1::Job;
use kube::ResourceExt as _;
use serde::{Deserialize, Serialize};

use super::handle;
use super::kubernetes_runner::KubernetesRunner;
use super::object_labels::{JOB, RECORDED, SCHEDULED, SCHEDULED_FOR};

/// The output file of a step that applies a CronJob: a `CronJobVersion`.
pub const APPLIED_FILE: &str = "applied.json";

/// The version of a CronJob when it was applied. A difference means that it was changed manually.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CronJobVersion {
    pub uid: String,
    /// Incremented by the API server with every change of the specification.
    pub generation: i64,
    /// The version of the Secret with its variables.
    pub secret: Option<String>,
}

/// A Job that was started by a CronJob and is not recorded yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScheduledJob {
    pub handle: String,
    pub job: JobId,
    pub scheduled_for: DateTime<Utc>,
    pub uid: String,
}

impl KubernetesRunner {
    /// The Jobs that were started by CronJobs and are not recorded yet, in the order of their times.
    #[must_use]
    pub fn scheduled(&self) -> Vec<ScheduledJob> {
        let recorded = self.recorded.lock().unwrap_or_else(PoisonError::into_inner);
        let jobs = self.watch.jobs();
        let wanted = jobs.iter().filter(|job| {
            let labels = job.labels();
            labels.contains_key(SCHEDULED) && !labels.contains_key(RECORDED)
        });
        let mut found: Vec<ScheduledJob> = wanted.filter_map(|job| scheduled_job(job)).collect();
        found.retain(|job| !recorded.contains(&job.uid));
        found.sort_by_key(|job| job.scheduled_for);
        found
    }

    /// Remembers that these Jobs were recorded.
    pub fn note_recorded(&self, jobs: impl Iterator<Item = String>) {
        let mut recorded = self.recorded.lock().unwrap_or_else(PoisonError::into_inner);
        recorded.extend(jobs);
        if recorded.len() > 10_000 {
            // Jobs that are gone need not be remembered.
            let there: HashSet<String> = self.watch.jobs().iter().filter_map(|job| job.uid()).collect();
            recorded.retain(|uid| there.contains(uid));
        }
    }

    /// The current version of a CronJob; none if it is gone or being deleted.
    #[must_use]
    pub fn applied(&self, namespace: &str, name: &str) -> Option<CronJobVersion> {
        let there = self.watch.cron_job(namespace, name)?;
        if there.metadata.deletion_timestamp.is_some() {
            return None;
        }
        Some(CronJobVersion {
            uid: there.uid()?,
            generation: there.metadata.generation?,
            secret: self.watch.secret_version(namespace, name),
        })
    }
}

fn scheduled_job(job: &Job) -> Option<ScheduledJob> {
    let at = DateTime::parse_from_rfc3339(job.annotations().get(SCHEDULED_FOR)?).ok()?;
    Some(ScheduledJob {
        handle: handle::job(&job.namespace()?, &job.name_any()),
        job: JobId(job.labels().get(JOB)?.parse().ok()?),
        scheduled_for: at.to_utc(),
        uid: job.uid()?,
    })
}

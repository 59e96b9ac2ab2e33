//! Metrics of single jobs, which are off unless a setting asks for them: their number grows with that of the jobs.

use std::collections::HashMap;
use std::sync::atomic::AtomicU64;
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, Utc};
use entity::id::JobId;
use entity::run::RunState;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode_registry;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::labels::Outcome;

/// What is known about a job when metrics are read.
#[derive(Clone, Debug)]
pub struct JobSample {
    pub id: JobId,
    pub name: String,
    pub environment: String,
    pub project: String,
    pub next_at: Option<DateTime<Utc>>,
    pub succeeded_at: Option<DateTime<Utc>>,
    /// Of the newest run that has ended.
    pub last_state: Option<RunState>,
    pub last_seconds: Option<f64>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct JobLabels {
    job_id: String,
    job_name: String,
    environment: String,
    project: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct JobOutcomeLabels {
    job_id: String,
    job_name: String,
    environment: String,
    project: String,
    outcome: Outcome,
}

/// The runs of each job that this server has ended.
#[derive(Debug, Default)]
pub(super) struct EndedRuns(Mutex<HashMap<JobId, [u64; 3]>>);

const OUTCOMES: [(Outcome, RunState); 3] = [
    (Outcome::Succeeded, RunState::Succeeded),
    (Outcome::Failed, RunState::Failed),
    (Outcome::Cancelled, RunState::Cancelled),
];

impl EndedRuns {
    /// Counts a run, unless as many jobs as `most` are counted and this is another one.
    pub(super) fn count(&self, job: JobId, state: RunState, most: usize) {
        let mut jobs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if jobs.len() >= most && !jobs.contains_key(&job) {
            return;
        }
        let counts = jobs.entry(job).or_default();
        for (count, (_, counted)) in counts.iter_mut().zip(OUTCOMES) {
            *count += u64::from(counted == state);
        }
    }

    /// The counts of a job; those of jobs that are not in `jobs` are forgotten.
    fn of(&self, jobs: &[JobSample]) -> HashMap<JobId, [u64; 3]> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known: std::collections::HashSet<JobId> = jobs.iter().map(|job| job.id).collect();
        all.retain(|id, _| known.contains(id));
        all.clone()
    }
}

type Seconds = Family<JobLabels, Gauge<f64, AtomicU64>>;

/// The metrics of these jobs, as text in the `OpenMetrics` format, without its end. `left_out` is the number of the other jobs.
pub(super) fn text(jobs: &[JobSample], ended: &EndedRuns, left_out: u64) -> String {
    let counts = ended.of(jobs);
    let (success, next, duration) = (Seconds::default(), Seconds::default(), Seconds::default());
    let failed = Family::<JobLabels, Gauge>::default();
    let runs = Family::<JobOutcomeLabels, Counter>::default();
    let others: Gauge = Gauge::default();
    others.set(i64::try_from(left_out).unwrap_or(i64::MAX));
    for sample in jobs {
        let JobSample { id, name, environment, project, next_at, succeeded_at, last_state, last_seconds } =
            sample.clone();
        let labels = JobLabels { job_id: id.to_string(), job_name: name, environment, project };
        let set = |family: &Seconds, value: Option<f64>| {
            if let Some(value) = value {
                family.get_or_create(&labels).set(value);
            }
        };
        let seconds = |time: DateTime<Utc>| (time - DateTime::UNIX_EPOCH).as_seconds_f64();
        set(&success, succeeded_at.map(seconds));
        set(&next, next_at.map(seconds));
        set(&duration, last_seconds);
        if let Some(state) = last_state {
            failed.get_or_create(&labels).set(i64::from(state == RunState::Failed));
        }
        let JobLabels { job_id, job_name, environment, project } = labels;
        for ((outcome, _), count) in OUTCOMES.into_iter().zip(counts.get(&id).copied().unwrap_or_default()) {
            let labels = JobOutcomeLabels {
                job_id: job_id.clone(),
                job_name: job_name.clone(),
                environment: environment.clone(),
                project: project.clone(),
                outcome,
            };
            runs.get_or_create(&labels).inc_by(count);
        }
    }
    let mut registry = Registry::with_prefix("windlass");
    registry.register("job_runs_ended", "Runs of the job that this server has ended, by outcome", runs);
    registry.register("job_last_success_timestamp_seconds", "When the newest successful run of the job ended", success);
    registry.register("job_last_duration_seconds", "How long the newest run of the job that has ended took", duration);
    registry.register("job_last_run_failed", "1 if the newest run of the job that has ended failed, else 0", failed);
    registry.register("job_next_time_timestamp_seconds", "The next time of the job's schedule", next);
    registry.register("jobs_without_metrics", "Jobs beyond the limit of --metrics-per-job", others);
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _written = encode_registry(&mut text, &registry);
    text
}

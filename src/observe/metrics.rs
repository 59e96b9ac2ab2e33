//! Metrics in the OpenMetrics text format.

use std::sync::Arc;
use std::time::Duration;

use entity::id::JobId;
use entity::run::{RunState, Trigger};
use entity::skipped_time::SkipReason;
use prometheus_client::encoding::text::{encode_eof, encode_registry};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

pub use super::exposition::Exposition;
pub use super::job_metrics::JobSample;
use super::job_metrics::{self, EndedRuns};
use super::labels::{
    Cause, HeartbeatLabel, Outcome, PassLabel, RequestLabels, RunLabels, SkipCause, SkipLabels, SlowLabel, StateLabel,
    TableLabel,
};
pub use super::labels::{HeartbeatOutcome, Slow};

struct Inner {
    registry: Registry,
    runs: Family<RunLabels, Counter>,
    times: Counter,
    skipped: Family<SkipLabels, Counter>,
    lag: Histogram,
    lines: Counter,
    pruned: Family<TableLabel, Counter>,
    requests: Family<RequestLabels, Histogram>,
    open: Family<StateLabel, Gauge>,
    deployments: Family<StateLabel, Gauge>,
    pass_errors: Family<PassLabel, Counter>,
    pass_row_errors: Family<PassLabel, Counter>,
    failing_rows: Family<PassLabel, Gauge>,
    connections: Gauge,
    refused_connections: Counter,
    slow_clients: Family<SlowLabel, Counter>,
    heartbeats: Family<HeartbeatLabel, Counter>,
    ended_runs: EndedRuns,
    /// How many jobs have metrics of their own.
    most_jobs: u32,
}

/// The metrics of this server.
#[derive(Clone)]
pub struct Metrics(Arc<Inner>);

/// Gauges that are read from the database on each scrape.
#[derive(Clone, Copy, Debug, Default)]
pub struct QueueDepths {
    pub queued_runs: u64,
    pub running_runs: u64,
    pub queued_deployments: u64,
    pub running_deployments: u64,
}

fn seconds() -> Histogram {
    Histogram::new(exponential_buckets(0.001, 2.5, 12))
}

impl Default for Metrics {
    fn default() -> Self {
        Self::with_jobs(0)
    }
}

impl Metrics {
    /// Metrics, with those of up to `most_jobs` single jobs.
    #[must_use]
    pub fn with_jobs(most_jobs: u32) -> Self {
        let mut registry = Registry::with_prefix("windlass");
        let (runs, times, skipped) = (Family::default(), Counter::default(), Family::default());
        let (lag, lines, pruned) = (seconds(), Counter::default(), Family::default());
        let requests = Family::<RequestLabels, Histogram>::new_with_constructor(seconds);
        let (open, deployments) = (Family::default(), Family::default());
        let (pass_errors, pass_row_errors, failing_rows) = (Family::default(), Family::default(), Family::default());
        let (connections, refused_connections) = (Gauge::default(), Counter::default());
        let (slow_clients, heartbeats) = (Family::default(), Family::default());
        registry.register("http_connections", "Open connections", connections.clone());
        registry.register(
            "http_connections_refused",
            "Connections that were refused because too many were open",
            refused_connections.clone(),
        );
        registry.register(
            "http_slow_clients",
            "Clients that were disconnected because they took too long, by what they were too slow with",
            slow_clients.clone(),
        );
        registry.register("heartbeats", "Requests to the heartbeat URL, by outcome", heartbeats.clone());
        registry.register("runs_ended", "Runs that have ended, by outcome and trigger", runs.clone());
        registry.register("times_recorded", "Scheduled times that became runs", times.clone());
        registry.register("times_skipped", "Scheduled times that were skipped, by reason", skipped.clone());
        registry.register(
            "schedule_lag_seconds",
            "Delay from a scheduled time to the creation of its run",
            lag.clone(),
        );
        registry.register("log_lines", "Stored log lines of runs", lines.clone());
        registry.register("rows_pruned", "Expired rows that were deleted, by table", pruned.clone());
        registry.register("http_request_duration_seconds", "Duration of HTTP requests", requests.clone());
        registry.register("runs", "Open runs, by state", open.clone());
        registry.register("deployments", "Open deployments, by state", deployments.clone());
        registry.register("pass_errors", "Passes of the engine that failed as a whole", pass_errors.clone());
        registry.register("pass_row_errors", "Rows that a pass could not process", pass_row_errors.clone());
        registry.register(
            "pass_failing_rows",
            "Rows that a pass could not process at the last attempt",
            failing_rows.clone(),
        );
        Self(Arc::new(Inner {
            registry,
            runs,
            times,
            skipped,
            lag,
            lines,
            pruned,
            requests,
            open,
            deployments,
            pass_errors,
            pass_row_errors,
            failing_rows,
            connections,
            refused_connections,
            slow_clients,
            heartbeats,
            ended_runs: EndedRuns::default(),
            most_jobs,
        }))
    }
}

impl Metrics {
    /// Counts a run that has ended; `job` is the job that it executed.
    pub fn run_ended(&self, job: Option<JobId>, state: RunState, trigger: Trigger) {
        let outcome = match state {
            RunState::Succeeded => Outcome::Succeeded,
            RunState::Failed => Outcome::Failed,
            RunState::Cancelled => Outcome::Cancelled,
            RunState::Queued | RunState::Running => return,
        };
        let trigger = match trigger {
            Trigger::Schedule => Cause::Schedule,
            Trigger::Deployment => Cause::Deployment,
            Trigger::Force => Cause::Force,
            Trigger::Manual => Cause::Manual,
        };
        self.0.runs.get_or_create(&RunLabels { outcome, trigger }).inc();
        if let Some(job) = job.filter(|_| self.0.most_jobs > 0) {
            self.0.ended_runs.count(job, state, usize::try_from(self.0.most_jobs).unwrap_or(usize::MAX));
        }
    }

    /// Counts a scheduled time that became a run, with its delay.
    pub fn time_recorded(&self, lag: chrono::TimeDelta) {
        self.0.times.inc();
        self.0.lag.observe(lag.as_seconds_f64().max(0.0));
    }

    /// Counts a scheduled time that was skipped.
    pub fn time_skipped(&self, reason: SkipReason) {
        let reason = match reason {
            SkipReason::Overlap => SkipCause::Overlap,
            SkipReason::Missed => SkipCause::Missed,
            SkipReason::Paused => SkipCause::Paused,
            SkipReason::TooLate => SkipCause::TooLate,
            SkipReason::Calendar => SkipCause::Calendar,
            SkipReason::NoPing => SkipCause::NoPing,
        };
        self.0.skipped.get_or_create(&SkipLabels { reason }).inc();
    }

    /// Counts stored log lines.
    pub fn lines_stored(&self, count: u64) {
        self.0.lines.inc_by(count);
    }

    /// Counts deleted rows of a table.
    pub fn rows_pruned(&self, table: &'static str, count: u64) {
        self.0.pruned.get_or_create(&TableLabel { table }).inc_by(count);
    }

    /// Counts a pass that failed as a whole.
    pub fn pass_failed(&self, pass: &'static str) {
        self.0.pass_errors.get_or_create(&PassLabel { pass }).inc();
    }

    /// Counts a row that a pass could not process.
    pub fn row_failed(&self, pass: &'static str) {
        self.0.pass_row_errors.get_or_create(&PassLabel { pass }).inc();
    }

    /// Records how many rows a pass could not process at the last attempt.
    pub fn set_failing_rows(&self, pass: &'static str, rows: u64) {
        self.0.failing_rows.get_or_create(&PassLabel { pass }).set(i64::try_from(rows).unwrap_or(i64::MAX));
    }

    /// Records how many connections are open.
    pub fn set_connections(&self, count: u32) {
        self.0.connections.set(i64::from(count));
    }

    /// Counts a connection that was refused.
    pub fn connection_refused(&self) {
        self.0.refused_connections.inc();
    }

    /// Counts a client that was disconnected.
    pub fn client_too_slow(&self, part: Slow) {
        self.0.slow_clients.get_or_create(&SlowLabel { part }).inc();
    }

    /// Counts what became of a heartbeat.
    pub fn heartbeat(&self, outcome: HeartbeatOutcome) {
        self.0.heartbeats.get_or_create(&HeartbeatLabel { outcome }).inc();
    }

    /// Records the duration of a request.
    pub fn answered(&self, method: &str, status: u16, took: Duration) {
        let method = match method {
            "GET" => "GET",
            "POST" => "POST",
            "PUT" => "PUT",
            "DELETE" => "DELETE",
            "PATCH" => "PATCH",
            _ => "other",
        };
        let status = match status {
            100..=199 => "1xx",
            200..=299 => "2xx",
            300..=399 => "3xx",
            400..=499 => "4xx",
            _ => "5xx",
        };
        self.0.requests.get_or_create(&RequestLabels { method, status }).observe(took.as_secs_f64());
    }

    /// All metrics, as text in the `OpenMetrics` format: `jobs` are those of single jobs, and `left_out` is the number of jobs beyond them.
    #[must_use]
    pub fn text(&self, depths: QueueDepths, jobs: &[JobSample], left_out: u64) -> String {
        let set = |family: &Family<StateLabel, Gauge>, state, count: u64| {
            family.get_or_create(&StateLabel { state }).set(i64::try_from(count).unwrap_or(i64::MAX));
        };
        set(&self.0.open, "queued", depths.queued_runs);
        set(&self.0.open, "running", depths.running_runs);
        set(&self.0.deployments, "queued", depths.queued_deployments);
        set(&self.0.deployments, "running", depths.running_deployments);
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _written = encode_registry(&mut text, &self.0.registry);
        if self.0.most_jobs > 0 {
            text.push_str(&job_metrics::text(jobs, &self.0.ended_runs, left_out));
        }
        let _written = encode_eof(&mut text);
        text
    }
}

#[cfg(test)]
mod tests {
    use super::{Metrics, QueueDepths};
    use entity::run::{RunState, Trigger};
    use entity::skipped_time::SkipReason;

    #[test]
    fn events_are_counted() {
        let metrics = Metrics::default();
        metrics.run_ended(None, RunState::Failed, Trigger::Manual);
        metrics.time_recorded(chrono::TimeDelta::milliseconds(30));
        metrics.time_skipped(SkipReason::Overlap);
        metrics.answered("GET", 404, std::time::Duration::from_millis(2));
        metrics.pass_failed("prune");
        metrics.row_failed("observe");
        metrics.set_failing_rows("observe", 3);
        let text = metrics.text(QueueDepths { queued_runs: 7, ..QueueDepths::default() }, &[], 0);
        for line in [
            "windlass_runs_ended_total{outcome=\"Failed\",trigger=\"Manual\"} 1",
            "windlass_times_recorded_total 1",
            "windlass_times_skipped_total{reason=\"Overlap\"} 1",
            "windlass_schedule_lag_seconds_bucket{le=\"0.0390625\"} 1",
            "windlass_http_request_duration_seconds_count{method=\"GET\",status=\"4xx\"} 1",
            "windlass_runs{state=\"queued\"} 7",
            "windlass_pass_errors_total{pass=\"prune\"} 1",
            "windlass_pass_row_errors_total{pass=\"observe\"} 1",
            "windlass_pass_failing_rows{pass=\"observe\"} 3",
            "# EOF",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
        }
    }
}

//! The passes of the engine: which of them keep failing, and which rows they could not process.
//!
//! Kept in memory only: after a restart every row is tried at once.

use std::collections::HashMap;
use std::str::FromStr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};

/// A pass that failed this often in a row, for at least `LASTING`, keeps failing.
const OFTEN: u32 = 3;
/// Shorter than a restart of the database takes, but longer than one failed transaction.
const LASTING: TimeDelta = TimeDelta::seconds(10);
/// The pause after the first failure of a row; it doubles with each further failure.
const FIRST_PAUSE: TimeDelta = TimeDelta::seconds(1);
const LONGEST_PAUSE: TimeDelta = TimeDelta::minutes(5);
/// A row that has not been tried again for this long after its pause is gone.
const FORGOTTEN: TimeDelta = TimeDelta::hours(1);
/// The most rows to remember; queries leave them out by id.
const ROWS: usize = 1000;

/// A pass of the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Pass {
    ClockJumps,
    Schedules,
    Checks,
    Takeovers,
    DeploymentRules,
    StartDeployments,
    FinishDeployments,
    WorkspaceSchedules,
    WorkspaceApprovals,
    WorkspaceJobs,
    ClusterRuns,
    QueuedRuns,
    Claim,
    Orphans,
    Observe,
    Sweep,
    Leases,
    Connect,
    Drift,
    Prune,
    Webhooks,
    Alerts,
    Messages,
    Pushes,
    Reports,
}

impl Pass {
    /// All passes.
    pub const ALL: [Self; 25] = [
        Self::ClockJumps,
        Self::Schedules,
        Self::Checks,
        Self::Takeovers,
        Self::DeploymentRules,
        Self::StartDeployments,
        Self::FinishDeployments,
        Self::WorkspaceSchedules,
        Self::WorkspaceApprovals,
        Self::WorkspaceJobs,
        Self::ClusterRuns,
        Self::QueuedRuns,
        Self::Claim,
        Self::Orphans,
        Self::Observe,
        Self::Sweep,
        Self::Leases,
        Self::Connect,
        Self::Drift,
        Self::Prune,
        Self::Webhooks,
        Self::Alerts,
        Self::Messages,
        Self::Pushes,
        Self::Reports,
    ];

    /// The name in logs, metrics and health checks.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ClockJumps => "clock_jumps",
            Self::Schedules => "schedules",
            Self::Checks => "checks",
            Self::Takeovers => "takeovers",
            Self::DeploymentRules => "deployment_rules",
            Self::StartDeployments => "start_deployments",
            Self::FinishDeployments => "finish_deployments",
            Self::WorkspaceSchedules => "workspace_schedules",
            Self::WorkspaceApprovals => "workspace_approvals",
            Self::WorkspaceJobs => "workspace_jobs",
            Self::ClusterRuns => "cluster_runs",
            Self::QueuedRuns => "queued_runs",
            Self::Claim => "claim",
            Self::Orphans => "orphans",
            Self::Observe => "observe",
            Self::Sweep => "sweep",
            Self::Leases => "leases",
            Self::Connect => "connect",
            Self::Drift => "drift",
            Self::Prune => "prune",
            Self::Webhooks => "webhooks",
            Self::Alerts => "alerts",
            Self::Messages => "messages",
            Self::Pushes => "pushes",
            Self::Reports => "reports",
        }
    }
}

/// The failures of a row or a pass since its last success.
#[derive(Clone, Copy, Debug)]
struct Setback {
    since: DateTime<Utc>,
    /// Without those that were caused by the database.
    failures: u32,
    not_before: DateTime<Utc>,
}

#[derive(Default)]
struct Ledger {
    passes: HashMap<Pass, Setback>,
    rows: HashMap<(Pass, String), Setback>,
}

/// The failures of passes and rows on this server.
#[derive(Clone, Default)]
pub struct Setbacks(Arc<Mutex<Ledger>>);

/// The cause of a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The row cannot be processed.
    Row,
    /// The database is unavailable, which says nothing about the row.
    Database,
}

impl Setbacks {
    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records that a pass failed as a whole.
    pub fn pass_failed(&self, pass: Pass, now: DateTime<Utc>) {
        let mut ledger = self.ledger();
        let setback = ledger.passes.entry(pass).or_insert_with(|| Setback::new(now));
        setback.failures = setback.failures.saturating_add(1);
    }

    /// Records that a pass succeeded.
    pub fn pass_succeeded(&self, pass: Pass) {
        self.ledger().passes.remove(&pass);
    }

    /// Whether a pass has failed and has not succeeded since.
    #[must_use]
    pub fn has_failed_pass(&self) -> bool {
        !self.ledger().passes.is_empty()
    }

    /// The passes that keep failing.
    #[must_use]
    pub fn failing_passes(&self, now: DateTime<Utc>) -> Vec<&'static str> {
        let ledger = self.ledger();
        let keeps_failing = |pass: &Pass| {
            ledger.passes.get(pass).is_some_and(|setback| setback.failures >= OFTEN && setback.since + LASTING <= now)
        };
        Pass::ALL.into_iter().filter(keeps_failing).map(Pass::name).collect()
    }

    /// Records that a pass could not process a row. Returns how often the row itself was the cause.
    pub fn row_failed(&self, pass: Pass, id: &str, cause: Cause, now: DateTime<Utc>) -> u32 {
        let mut ledger = self.ledger();
        ledger.rows.retain(|_, setback| setback.not_before + FORGOTTEN > now);
        let key = (pass, id.to_owned());
        if ledger.rows.len() >= ROWS && !ledger.rows.contains_key(&key) {
            return u32::from(cause == Cause::Row);
        }
        let setback = ledger.rows.entry(key).or_insert_with(|| Setback::new(now));
        // When the database is back, all rows are tried again soon.
        let pause = match cause {
            Cause::Database => FIRST_PAUSE,
            Cause::Row => {
                setback.failures = setback.failures.saturating_add(1);
                pause_after(setback.failures)
            }
        };
        setback.not_before = now + pause;
        setback.failures
    }

    /// Records that a row was processed, or has ended.
    pub fn row_succeeded(&self, pass: Pass, id: &str) {
        let mut ledger = self.ledger();
        if !ledger.rows.is_empty() {
            ledger.rows.remove(&(pass, id.to_owned()));
        }
    }

    /// Whether a row waits before it is tried again.
    #[must_use]
    pub fn is_paused(&self, pass: Pass, id: &str, now: DateTime<Utc>) -> bool {
        let ledger = self.ledger();
        !ledger.rows.is_empty()
            && ledger.rows.get(&(pass, id.to_owned())).is_some_and(|setback| setback.not_before > now)
    }

    /// The rows of a pass that wait before they are tried again; their queries leave them out.
    #[must_use]
    pub fn paused<T: FromStr>(&self, pass: Pass, now: DateTime<Utc>) -> Vec<T> {
        let ledger = self.ledger();
        let of_pass = ledger.rows.iter().filter(|((of, _), setback)| *of == pass && setback.not_before > now);
        of_pass.filter_map(|((_, id), _)| id.parse().ok()).collect()
    }

    /// The number of rows that each pass could not process at its last try.
    #[must_use]
    pub fn failing_rows(&self) -> Vec<(Pass, u64)> {
        let ledger = self.ledger();
        let count = |pass: Pass| ledger.rows.keys().filter(|(of, _)| *of == pass).count();
        Pass::ALL.into_iter().map(|pass| (pass, u64::try_from(count(pass)).unwrap_or(u64::MAX))).collect()
    }
}

impl Setback {
    fn new(now: DateTime<Utc>) -> Self {
        Self { since: now, failures: 0, not_before: now }
    }
}

fn pause_after(failures: u32) -> TimeDelta {
    let doublings = failures.clamp(1, 20) - 1;
    FIRST_PAUSE.checked_mul(2_i32.saturating_pow(doublings)).unwrap_or(LONGEST_PAUSE).min(LONGEST_PAUSE)
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta};

    use super::{Cause, Pass, Setbacks};

    #[test]
    fn a_row_is_paused_for_longer_after_each_failure() {
        let mut now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let setbacks = Setbacks::default();
        let mut pauses = Vec::new();
        for try_number in 1..=12 {
            assert_eq!(setbacks.row_failed(Pass::Observe, "7", Cause::Row, now), try_number);
            assert_eq!(setbacks.paused::<i32>(Pass::Observe, now), [7]);
            assert!(setbacks.paused::<i32>(Pass::Claim, now).is_empty(), "other passes are not affected");
            let mut pause = 0;
            while setbacks.is_paused(Pass::Observe, "7", now) {
                pause += 1;
                now += TimeDelta::seconds(1);
            }
            pauses.push(pause);
        }
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]);
        assert_eq!(
            setbacks.failing_rows().into_iter().filter(|(_, rows)| *rows > 0).collect::<Vec<_>>(),
            [(Pass::Observe, 1)]
        );
        setbacks.row_succeeded(Pass::Observe, "7");
        assert_eq!(setbacks.row_failed(Pass::Observe, "7", Cause::Row, now), 1, "a success starts over");
    }

    #[test]
    fn failures_of_the_database_use_up_no_tries() {
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let setbacks = Setbacks::default();
        for _ in 0..20 {
            assert_eq!(setbacks.row_failed(Pass::Claim, "a", Cause::Database, now), 0);
        }
        assert!(setbacks.is_paused(Pass::Claim, "a", now));
        assert!(!setbacks.is_paused(Pass::Claim, "a", now + TimeDelta::seconds(1)), "the pause does not grow");
        assert_eq!(setbacks.row_failed(Pass::Claim, "a", Cause::Row, now), 1);
    }

    #[test]
    fn a_pass_keeps_failing_after_several_failures_over_some_time() {
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let later = now + TimeDelta::seconds(10);
        let setbacks = Setbacks::default();
        for _ in 0..3 {
            assert!(setbacks.failing_passes(later).is_empty());
            setbacks.pass_failed(Pass::Prune, now);
        }
        assert!(setbacks.failing_passes(now).is_empty(), "too early");
        assert_eq!(setbacks.failing_passes(later), ["prune"]);
        setbacks.pass_succeeded(Pass::Prune);
        assert!(setbacks.failing_passes(later).is_empty());
    }

    #[test]
    fn rows_that_are_gone_are_forgotten() {
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let setbacks = Setbacks::default();
        setbacks.row_failed(Pass::Claim, "gone", Cause::Row, now);
        setbacks.row_failed(Pass::Claim, "new", Cause::Row, now + TimeDelta::hours(2));
        assert!(setbacks.failing_rows().contains(&(Pass::Claim, 1)));
    }
}

//! Looks for runs that have not started in time, or take too long.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use entity::alert_rule::Model as Rule;
use entity::id::{JobId, OrganizationId};

use super::found::{Found, found, patience};
use super::happened::Happened;
use super::subject::Subject;
use crate::app::App;
use crate::engine::run_lengths::RunLengths;
use crate::error::Result;
use crate::store;
use crate::store::alert::WatchedRun;

/// How many open runs of an organization one pass looks at, the oldest first.
pub(super) const RUNS: u32 = 500;
/// How many successful runs tell how long a job usually takes, and how many are enough.
const HISTORY: u32 = 100;
const ENOUGH: usize = 5;
/// How long that is believed.
const FRESH: TimeDelta = TimeDelta::minutes(10);
/// How many jobs are remembered.
const REMEMBERED: usize = 10_000;

/// How long the runs of jobs usually take, in milliseconds.
#[derive(Default)]
pub(super) struct Usual(HashMap<JobId, (Option<u64>, DateTime<Utc>)>);

/// Runs that have not started: the oldest of each job.
pub(super) async fn late<'a>(app: &App, rules: &[&'a Rule], now: DateTime<Utc>) -> Result<Vec<Found<'a>>> {
    let Some(shortest) = rules.iter().map(|rule| patience(rule)).min() else { return Ok(Vec::new()) };
    let runs = store::alert::list_late_runs(&app.db, &organizations(rules), now - shortest, RUNS).await?;
    let is_late = |rule: &Rule, run: &WatchedRun| {
        let seconds = (now - run.since).num_seconds();
        let time = run.since.format("%Y-%m-%d %H:%M:%S UTC");
        (run.since + patience(rule) <= now).then(|| format!("the run for {time} has not started after {seconds} s"))
    };
    Ok(pairs(rules, &runs, now, is_late))
}

/// Runs that take too long.
pub(super) async fn long<'a>(
    app: &App,
    rules: &[&'a Rule],
    usual: &mut Usual,
    now: DateTime<Utc>,
) -> Result<Vec<Found<'a>>> {
    let Some(shortest) = shortest(rules) else { return Ok(Vec::new()) };
    let runs = store::alert::list_long_runs(&app.db, &organizations(rules), now - shortest, RUNS).await?;
    usual.learn_for(app, rules, &runs, now).await?;
    Ok(pairs(rules, &runs, now, |rule, run| too_long(rule, run, usual.of(run.job), now)))
}

/// The organizations of rules.
fn organizations(rules: &[&Rule]) -> Vec<OrganizationId> {
    let mut all: Vec<OrganizationId> = rules.iter().map(|rule| rule.organization_id).collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// After what time a run may take too long for one of the rules.
pub(super) fn shortest(rules: &[&Rule]) -> Option<TimeDelta> {
    rules.iter().map(|rule| if rule.times_p95.is_some() { TimeDelta::zero() } else { patience(rule) }).min()
}

/// That a run has been running for a time.
pub(super) fn running_for(took: TimeDelta) -> String {
    format!("the run has been running for {} s", took.num_seconds())
}

/// Why a run takes too long for a rule.
pub(super) fn too_long(rule: &Rule, run: &WatchedRun, usual: Option<u64>, now: DateTime<Utc>) -> Option<String> {
    let took = now - run.since;
    // Without a limit of its own, a rule that compares has none.
    let has_limit = rule.threshold.is_some() || rule.times_p95.is_none();
    if has_limit && took >= patience(rule) {
        return Some(running_for(took));
    }
    let (times, usual) = rule.times_p95.zip(usual)?;
    let usual = TimeDelta::milliseconds(i64::try_from(usual).unwrap_or(i64::MAX / 2));
    (took.as_seconds_f64() > times * usual.as_seconds_f64()).then(|| {
        let usual = usual.as_seconds_f64();
        format!("{}, more than {times} times as long as 95 of 100 runs: {usual:.1} s", running_for(took))
    })
}

impl Usual {
    pub(super) fn of(&self, job: JobId) -> Option<u64> {
        self.0.get(&job).and_then(|(p95, _)| *p95)
    }

    /// Reads how long the runs of those jobs take that a rule compares.
    pub(super) async fn learn_for(
        &mut self,
        app: &App,
        rules: &[&Rule],
        runs: &[WatchedRun],
        now: DateTime<Utc>,
    ) -> Result<()> {
        let compares = |run: &&WatchedRun| {
            rules.iter().any(|rule| rule.times_p95.is_some() && rule.organization_id == run.organization)
        };
        self.learn(app, runs.iter().filter(compares).map(|run| run.job), now).await
    }

    /// Reads how long the runs of jobs take, unless that was read a short time ago.
    async fn learn(&mut self, app: &App, jobs: impl Iterator<Item = JobId>, now: DateTime<Utc>) -> Result<()> {
        let is_fresh = |job: &JobId| self.0.get(job).is_some_and(|(_, at)| *at <= now && now < *at + FRESH);
        let mut unknown: Vec<JobId> = jobs.filter(|job| !is_fresh(job)).collect();
        unknown.sort_unstable();
        unknown.dedup();
        if unknown.is_empty() {
            return Ok(());
        }
        if self.0.len() + unknown.len() > REMEMBERED {
            self.0.clear();
        }
        let durations = store::overview::success_durations(&app.db, &unknown, HISTORY).await?;
        for job in unknown {
            let lengths = durations.get(&job).and_then(|durations| RunLengths::of(durations));
            let p95 = lengths.filter(|lengths| lengths.runs >= ENOUGH).map(|lengths| lengths.p95);
            self.0.insert(job, (p95, now));
        }
        Ok(())
    }
}

/// The runs of each rule's organization with a reason.
fn pairs<'a>(
    rules: &[&'a Rule],
    runs: &[WatchedRun],
    now: DateTime<Utc>,
    reason: impl Fn(&Rule, &WatchedRun) -> Option<String>,
) -> Vec<Found<'a>> {
    let mut of_organizations: HashMap<OrganizationId, Vec<&WatchedRun>> = HashMap::new();
    for run in runs {
        of_organizations.entry(run.organization).or_default().push(run);
    }
    let mut all = Vec::new();
    for rule in rules {
        for run in of_organizations.get(&rule.organization_id).into_iter().flatten() {
            if let Some(reason) = reason(rule, run) {
                let one = found(rule, Subject::Job(run.environment, run.job), (now, now), reason);
                all.push(Found { happened: Happened { run: Some(run.id), ..one.happened }, ..one });
            }
        }
    }
    all
}

//! Looks for runs that have not started in time, or take too long.

use std::collections::HashSet;

use chrono::{DateTime, TimeDelta, Utc};
use entity::alert_rule::{Condition, Model as Rule};
use entity::id::RunId;

use super::judge::{Fulfils, Happened, weigh};
use super::tell::tell;
use crate::app::App;
use crate::engine::alert::default_threshold;
use crate::error::{Error, Result};
use crate::store;
use crate::store::alert::WatchedRun;

/// How many open runs one pass looks at, the oldest first.
const RUNS: u64 = 500;

/// Stores alerts for runs that are late or take too long.
///
/// # Errors
/// Database errors.
pub(super) async fn look(app: &App, now: DateTime<Utc>) -> Result<()> {
    let rules = store::alert::list_timed_rules(&app.db).await?;
    for condition in [Condition::RunLate, Condition::RunTooLong] {
        let of: Vec<&Rule> = rules.iter().filter(|rule| rule.condition == condition).collect();
        let Some(shortest) = of.iter().map(|rule| patience(rule)).min() else { continue };
        let runs = match condition {
            Condition::RunLate => store::alert::list_late_runs(&app.db, now - shortest, RUNS).await?,
            _ => store::alert::list_long_runs(&app.db, now - shortest, RUNS).await?,
        };
        if !runs.is_empty() {
            note(app, &of, &runs, now).await?;
        }
    }
    Ok(())
}

fn patience(rule: &Rule) -> TimeDelta {
    TimeDelta::seconds(rule.threshold.or(default_threshold(rule.condition)).unwrap_or(0).into())
}

async fn note(app: &App, rules: &[&Rule], runs: &[WatchedRun], now: DateTime<Utc>) -> Result<()> {
    let ids: Vec<_> = rules.iter().map(|rule| rule.id).collect();
    let known = store::alert::list_alerts_of_rules(&app.db, ids).await?;
    let known: HashSet<(_, Option<RunId>)> = known.iter().map(|row| (row.rule_id, row.run_id)).collect();
    let new = |rule: &Rule, run: &WatchedRun| {
        rule.organization_id == run.organization
            && run.since + patience(rule) <= now
            && !known.contains(&(rule.id, Some(run.id)))
    };
    let found: Vec<(&Rule, &WatchedRun)> =
        rules.iter().flat_map(|rule| runs.iter().filter(|run| new(rule, run)).map(|run| (*rule, run))).collect();
    if found.is_empty() {
        return Ok(());
    }
    let mut ids: Vec<_> = found.iter().map(|(rule, _)| rule.id).collect();
    ids.sort_unstable();
    ids.dedup();
    store::write(&app.db, async |tx| {
        let locked = store::alert::lock_rules(tx, ids.clone()).await?;
        let happened = found.iter().map(|(rule, run)| Happened {
            fulfils: Fulfils::Rule(rule.id),
            environment: run.environment,
            job: Some(run.job),
            run: Some(run.id),
            at: now,
            reason: Some(reason(rule, run, now)),
        });
        let outgoing = weigh(tx, &locked, happened.collect()).await?;
        tell(tx, &locked, outgoing, now).await?;
        Ok::<_, Error>(())
    })
    .await
}

fn reason(rule: &Rule, run: &WatchedRun, now: DateTime<Utc>) -> String {
    let seconds = (now - run.since).num_seconds();
    match rule.condition {
        Condition::RunLate => {
            format!("the run for {} has not started after {seconds} s", run.since.format("%Y-%m-%d %H:%M:%S UTC"))
        }
        _ => format!("the run has been running for {seconds} s"),
    }
}

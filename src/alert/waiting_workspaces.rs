//! Looks for workspaces that wait for an approval, or whose newest plan found drift.

use chrono::{DateTime, Utc};
use entity::alert_rule::Model as Rule;

use super::found::{Found, found, patience};
use super::subject::Subject;
use crate::app::App;
use crate::error::Result;
use crate::store;
use crate::store::alert::WatchedWorkspace;

/// How many workspaces one look finds.
const MOST: u64 = 500;

/// Jobs that wait for an approval.
pub(super) async fn waiting<'a>(app: &App, rules: &[&'a Rule], now: DateTime<Utc>) -> Result<Vec<Found<'a>>> {
    let Some(shortest) = rules.iter().map(|rule| patience(rule)).min() else { return Ok(Vec::new()) };
    let jobs = store::alert::list_waiting_jobs(&app.db, now - shortest, MOST).await?;
    let reason = |job: &WatchedWorkspace| {
        let whose = job.team.as_ref().map(|team| format!(" of the team {team}")).unwrap_or_default();
        format!(
            "job {} has been waiting for an approval{whose} since {}",
            job.job,
            job.since.format("%Y-%m-%d %H:%M:%S UTC")
        )
    };
    Ok(of_rules(rules, &jobs, now, reason))
}

/// Workspaces with drift.
pub(super) async fn drifted<'a>(app: &App, rules: &[&'a Rule], now: DateTime<Utc>) -> Result<Vec<Found<'a>>> {
    if rules.is_empty() {
        return Ok(Vec::new());
    }
    let workspaces = store::alert::list_drifted(&app.db, MOST).await?;
    let reason = |one: &WatchedWorkspace| {
        let (were, s) = if one.drift == 1 { ("was", "") } else { ("were", "s") };
        format!("{} resource{s} {were} changed outside of the tool, as the plan of job {} found", one.drift, one.job)
    };
    Ok(of_rules(rules, &workspaces, now, reason))
}

fn of_rules<'a>(
    rules: &[&'a Rule],
    workspaces: &[WatchedWorkspace],
    now: DateTime<Utc>,
    reason: impl Fn(&WatchedWorkspace) -> String,
) -> Vec<Found<'a>> {
    let mut all = Vec::new();
    for rule in rules {
        let is_due =
            |one: &&WatchedWorkspace| one.organization == rule.organization_id && one.since + patience(rule) <= now;
        for one in workspaces.iter().filter(is_due) {
            all.push(found(rule, Subject::Workspace(one.workspace, one.job), (now, now), reason(one)));
        }
    }
    all
}

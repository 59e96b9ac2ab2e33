//! Looks for what nothing reports: runs that have not started in time or take too long, jobs without a success, approvals that are
//! awaited, drift, and clusters that cannot be reached.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, TimeDelta, Utc};
use entity::alert_rule::{Condition, Model as Rule};
use entity::id::{AlertRuleId, RunId};

use super::cluster_reach::{Unreached, unreachable};
use super::found::Found;
use super::happened::Happened;
use super::idle_jobs::IdleChecks;
use super::judge::weigh;
use super::long_for_webhooks::tell_webhooks;
use super::open_runs::{Usual, late, long};
use super::subject::locate;
use super::waiting_workspaces::{drifted, waiting};
use crate::app::App;
use crate::engine::alert::covers;
use crate::engine::news::tell;
use crate::error::{Error, Result};
use crate::store;
use crate::store::alert::AlertKey;

/// How often drift is looked for, which only a plan can find.
const DRIFT: TimeDelta = TimeDelta::seconds(10);

/// How many alerts a transaction stores.
const TOGETHER: usize = 500;

/// What is remembered between two looks. It only saves work; another server knows nothing of it.
#[derive(Default)]
pub(super) struct Watch {
    idle: IdleChecks,
    usual: Usual,
    unreached: Unreached,
    drift_at: Option<DateTime<Utc>>,
}

/// Stores alerts for what rules find.
///
/// # Errors
/// Database errors.
pub(super) async fn look(app: &App, watch: &mut Watch, now: DateTime<Utc>) -> Result<()> {
    let rules = store::alert::list_timed_rules(&app.db).await?;
    let of = |condition| rules.iter().filter(|rule| rule.condition == condition).collect::<Vec<&Rule>>();
    let mut found = Vec::new();
    found.extend(late(app, &of(Condition::RunLate), now).await?);
    let long_rules = of(Condition::RunTooLong);
    found.extend(long(app, &long_rules, &mut watch.usual, now).await?);
    tell_webhooks(app, &long_rules, &mut watch.usual, now).await?;
    found.extend(watch.idle.look(app, &of(Condition::NoSuccessFor), now).await?);
    found.extend(waiting(app, &of(Condition::ApprovalWaiting), now).await?);
    if watch.drift_at.is_none_or(|last| now - last >= DRIFT || now < last) {
        watch.drift_at = Some(now);
        found.extend(drifted(app, &of(Condition::WorkspaceDrifted), now).await?);
    }
    found.extend(unreachable(app, &of(Condition::ClusterUnreachable), &mut watch.unreached, now).await?);
    note(app, found, now).await
}

/// Leaves the first of what was found for each rule and subject, unless their alert still holds: for as long as it lasts, it is told once.
/// One about a run still holds while that run is among those that were found, whichever others are, too.
fn leave_new(found: &mut Vec<Found<'_>>, known: &HashMap<AlertKey, Option<RunId>>) {
    let key = |one: &Found<'_>| (one.rule.id, one.happened.subject.id());
    let is_known = |one: &&Found<'_>| known.get(&key(one)) == Some(&one.happened.run);
    let mut done: HashSet<AlertKey> = found.iter().filter(is_known).map(key).collect();
    found.retain(|one| done.insert(key(one)));
}

/// Stores alerts for what is new and covered by its rule. Nothing is written if there is nothing.
async fn note(app: &App, mut found: Vec<Found<'_>>, now: DateTime<Utc>) -> Result<()> {
    if found.is_empty() {
        return Ok(());
    }
    let mut rules: Vec<AlertRuleId> = found.iter().map(|one| one.rule.id).collect();
    rules.sort_unstable();
    rules.dedup();
    let mut subjects: Vec<_> = found.iter().map(|one| one.happened.subject.id()).collect();
    subjects.sort_unstable();
    subjects.dedup();
    let mut known = HashMap::new();
    for some in rules.chunks(500) {
        for subjects in subjects.chunks(5000) {
            let rows = store::alert::list_alerts(&app.db, some.to_vec(), subjects.to_vec()).await?;
            known.extend(rows.iter().map(|row| ((row.rule_id, row.subject_id), row.run_id)));
        }
    }
    leave_new(&mut found, &known);
    let located = locate(&app.db, found.iter().map(|one| one.happened.subject)).await?;
    found.retain(|one| {
        located
            .get(&one.happened.subject.id())
            .is_some_and(|at| at.organization == one.rule.organization_id && covers(one.rule, &at.position))
    });
    while !found.is_empty() {
        let rest = found.split_off(found.len().min(TOGETHER));
        store_some(app, found, now).await?;
        found = rest;
    }
    Ok(())
}

/// Stores alerts for what rules have found, in one transaction.
async fn store_some(app: &App, found: Vec<Found<'_>>, now: DateTime<Utc>) -> Result<()> {
    let mut rules: Vec<AlertRuleId> = found.iter().map(|one| one.rule.id).collect();
    rules.sort_unstable();
    rules.dedup();
    let happened: Vec<Happened> = found.into_iter().map(|one| one.happened).collect();
    store::write(&app.db, async |tx| {
        let mut locked = store::alert::lock_rules(tx, rules.clone()).await?;
        locked.retain(|rule| rule.enabled);
        let outgoing = weigh(tx, &locked, &happened, now).await?;
        tell(tx, &locked, outgoing, now).await?;
        Ok::<_, Error>(())
    })
    .await
}

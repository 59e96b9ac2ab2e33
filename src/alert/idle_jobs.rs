//! Looks for jobs without a success. Each rule is looked at when the next of its jobs can be idle for long enough, found by an index;
//! in between it costs nothing.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use entity::alert_rule::{Model as Rule, Target};
use entity::id::AlertRuleId;

use super::found::{Found, found, patience};
use super::subject::Subject;
use crate::app::App;
use crate::error::Result;
use crate::store;

/// The most jobs of a rule that are found at once.
const JOBS: u64 = 200;
/// How often a rule for a label is looked at: a job may get a label.
const LABELS: TimeDelta = TimeDelta::minutes(5);
/// The shortest time between two looks at a rule.
const PAUSE: TimeDelta = TimeDelta::seconds(2);

/// When each rule is looked at next.
#[derive(Default)]
pub(super) struct IdleChecks(HashMap<AlertRuleId, Check>);

struct Check {
    /// Which version of the rule it is for.
    updated_at: DateTime<Utc>,
    made_at: DateTime<Utc>,
    next_at: DateTime<Utc>,
}

impl IdleChecks {
    /// The jobs that have had no success for long enough.
    pub(super) async fn look<'a>(
        &mut self,
        app: &App,
        rules: &[&'a Rule],
        now: DateTime<Utc>,
    ) -> Result<Vec<Found<'a>>> {
        self.0.retain(|id, _| rules.iter().any(|rule| rule.id == *id));
        let mut all = Vec::new();
        for rule in rules {
            let is_due = self
                .0
                .get(&rule.id)
                .is_none_or(|check| check.updated_at != rule.updated_at || now < check.made_at || check.next_at <= now);
            if is_due {
                let next_at = one(app, rule, now, &mut all).await?;
                self.0.insert(rule.id, Check { updated_at: rule.updated_at, made_at: now, next_at });
            }
        }
        Ok(all)
    }
}

/// Adds what a rule finds, and returns when it has to look again.
async fn one<'a>(app: &App, rule: &'a Rule, now: DateTime<Utc>, all: &mut Vec<Found<'a>>) -> Result<DateTime<Utc>> {
    let lasts = patience(rule) + TimeDelta::seconds(rule.for_seconds.into());
    let groups = match (&rule.label_key, &rule.label_value) {
        (Some(key), Some(value)) if rule.target == Target::Label => {
            store::alert::groups_with_label(&app.db, rule.organization_id, (key, value)).await?
        }
        _ => Vec::new(),
    };
    let idle = store::alert::list_idle_jobs(&app.db, (rule, &groups), now - lasts, JOBS).await?;
    let next = store::alert::next_idle_job(&app.db, (rule, &groups), now - lasts).await?;
    for job in &idle {
        let since = job.since.format("%Y-%m-%d %H:%M:%S UTC");
        let minutes = (now - job.since).num_minutes();
        let reason = format!("no run has succeeded since {since}, for {minutes} min");
        all.push(found(rule, Subject::Job(job.environment, job.job), (job.since, now), reason));
    }
    if idle.len() as u64 == JOBS {
        return Ok(now);
    }
    // A job that is deployed from now on is idle for long enough no earlier than that.
    let latest = if rule.target == Target::Label { now + lasts.min(LABELS) } else { now + lasts };
    Ok(next.map_or(latest, |since| (since + lasts).min(latest)).max(now + PAUSE))
}

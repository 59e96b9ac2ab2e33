//! Tells webhooks which runs take too long: by the rules about that which cover their jobs, otherwise by the limit that a rule has by
//! default.

use chrono::{DateTime, TimeDelta, Utc};
use entity::alert_rule::{Condition, Model as Rule};
use entity::id::{JobId, OrganizationId, RunId, WebhookId};
use entity::webhook::{Model as Webhook, OwnEvent};

use super::open_runs::{RUNS, Usual, running_for, shortest, too_long};
use super::subject::{Located, Subject, locate};
use crate::app::App;
use crate::engine::alert::{covers, default_threshold};
use crate::engine::news;
use crate::error::{Error, Result};
use crate::store;
use crate::store::alert::WatchedRun;
use crate::store::webhook_news::NewsPlace;

/// Stores deliveries about runs that take too long. While no webhook wants to know, this is one query.
pub(super) async fn tell_webhooks(app: &App, rules: &[&Rule], usual: &mut Usual, now: DateTime<Utc>) -> Result<()> {
    let mut hooks = store::webhook_news::list_interested(&app.db).await?;
    hooks.retain(|hook| hook.own_events.as_ref().is_some_and(|events| events.0.contains(&OwnEvent::RunTooLong)));
    if hooks.is_empty() {
        return Ok(());
    }
    let limit = TimeDelta::seconds(default_threshold(Condition::RunTooLong).unwrap_or(0).into());
    let least = shortest(rules).map_or(limit, |least| least.min(limit));
    let mut organizations: Vec<OrganizationId> = hooks.iter().map(|hook| hook.organization_id).collect();
    organizations.sort_unstable();
    organizations.dedup();
    let mut runs = store::alert::list_long_runs(&app.db, &organizations, now - least, RUNS).await?;
    forget_told(app, &hooks, &mut runs).await?;
    if runs.is_empty() {
        return Ok(());
    }
    let located = locate(&app.db, runs.iter().map(|run| Subject::Job(run.environment, run.job))).await?;
    usual.learn_for(app, rules, &runs, now).await?;
    let reason = |run: &WatchedRun| {
        let at = located.get(&run.job.0)?;
        let own: Vec<&&Rule> = rules.iter().filter(|rule| is_about(rule, at)).collect();
        if own.is_empty() {
            return (run.since + limit <= now).then(|| running_for(now - run.since));
        }
        own.into_iter().find_map(|rule| too_long(rule, run, usual.of(run.job), now))
    };
    let found: Vec<(RunId, String)> = runs.iter().filter_map(|run| Some((run.id, reason(run)?))).collect();
    if found.is_empty() {
        return Ok(());
    }
    store::write(&app.db, async |tx| {
        news::runs_take_too_long(app, tx, &hooks, &found, now).await?;
        Ok::<_, Error>(())
    })
    .await
}

fn is_about(rule: &Rule, at: &Located) -> bool {
    rule.organization_id == at.organization && covers(rule, &at.position)
}

/// Leaves only the runs that some webhook wants to know about and was not told.
async fn forget_told(app: &App, hooks: &[Webhook], runs: &mut Vec<WatchedRun>) -> Result<()> {
    let ids: Vec<WebhookId> = hooks.iter().map(|hook| hook.id).collect();
    let causes: Vec<String> = runs.iter().map(|run| news::too_long_cause(run.id)).collect();
    let told = store::webhook_news::list_told(&app.db, &ids, &causes).await?;
    let knows = |hook: &Webhook, run: &WatchedRun| told.contains(&(hook.id, news::too_long_cause(run.id)));
    runs.retain(|run| hooks.iter().any(|hook| hook.organization_id == run.organization && !knows(hook, run)));
    let mut jobs: Vec<JobId> = runs.iter().map(|run| run.job).collect();
    jobs.sort_unstable();
    jobs.dedup();
    let places = store::webhook_news::job_places(&app.db, &jobs).await?;
    runs.retain(|run| {
        let is_its_job = |place: &&NewsPlace| place.job.as_ref().is_some_and(|(id, _)| *id == run.job);
        places.iter().find(is_its_job).is_some_and(|place| {
            hooks.iter().any(|hook| news::wants(hook, place, OwnEvent::RunTooLong) && !knows(hook, run))
        })
    });
    Ok(())
}

//! The pass that deploys and stops environments at the times of their deployment rules.

use chrono::{DateTime, Utc};
use entity::deployment::{Action, Origin};
use entity::deployment_rule::Model;
use entity::id::EnvironmentId;

use super::pass::{BATCH, Wish, report, succeeded};
use crate::app::App;
use crate::engine::command;
use crate::engine::cron;
use crate::engine::deployment_rule;
use crate::engine::requester::Requester;
use crate::error::{Error, Result};
use crate::liveness::passes::Pass;
use crate::store;

const PASS: Pass = Pass::DeploymentRules;

/// Applies the deployment rules that are due.
pub(super) async fn run_once(app: &App, now: DateTime<Utc>) -> Result<bool> {
    let due = store::deployment_rule::due(&app.db, app.setbacks.paused(PASS, now), now, BATCH).await?;
    let more = due.len() as u64 == BATCH;
    for id in due {
        match store::write(&app.db, async |tx| one(tx, id, now).await).await {
            // An environment that is being deleted is neither deployed nor stopped.
            Ok(()) | Err(Error::Conflict(_) | Error::NotFound(_)) => succeeded(app, PASS, id),
            // A rule has no end; it is tried again after the longest pause.
            Err(error) => {
                report(app, (PASS, "environment"), id, &error, Wish::Process, now);
            }
        }
    }
    Ok(more)
}

async fn one(tx: &sea_orm::DatabaseTransaction, id: EnvironmentId, now: DateTime<Utc>) -> Result<()> {
    let Some(row) = store::row::by_id::<Model>(tx, id).await? else { return Ok(()) };
    let come = |at: Option<DateTime<Utc>>| at.filter(|at| *at <= now);
    let away = if row.auto_delete { Action::Delete } else { Action::Stop };
    let action = match (come(row.next_start_at), come(row.next_stop_at)) {
        // If both times were missed, the later one counts.
        (Some(start), Some(stop)) if start > stop => Action::Deploy,
        (_, Some(_)) => away,
        (Some(_), None) => Action::Deploy,
        (None, None) => return Ok(()),
    };
    let next = match cron::parse_timezone(&row.timezone) {
        Ok(zone) => deployment_rule::next(&row, zone, now),
        Err(_) => (None, None),
    };
    if !store::deployment_rule::advance(tx, &row, next).await? {
        return Ok(());
    }
    let by = Requester { name: "deployment rule".into(), email: None, origin: Origin::Api, user_agent: None };
    match command::request_environment_in(tx, &by, row.environment_id, action, now).await {
        Ok(_) | Err(Error::Conflict(_)) => Ok(()),
        Err(error) => Err(error),
    }
}

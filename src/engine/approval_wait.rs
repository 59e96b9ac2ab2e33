//! What becomes of a workspace job while its approval is awaited: it may take too long, and its plan may become stale.

use chrono::{DateTime, TimeDelta, Utc};
use entity::workspace_job;
use sea_orm::ConnectionTrait;

use super::plan_inputs::WaitingPlan;
use crate::app::App;
use crate::error::Result;
use crate::store;

/// Whether an approval was not given in time.
#[must_use]
pub fn is_over(job: &workspace_job::Model, days: u32, now: DateTime<Utc>) -> bool {
    // Jobs of an earlier release did not store since when they wait.
    let since = job.asked_at.unwrap_or(job.updated_at);
    now - since >= TimeDelta::days(days.into())
}

/// What a job says whose approval was not given in time.
#[must_use]
pub fn not_given(days: u32) -> String {
    let unit = if days == 1 { "day" } else { "days" };
    format!("cancelled: the approval was not given within {days} {unit}; start a new job")
}

/// How the text begins that a job says whose plan is stale.
pub const STALE: &str = "the plan is stale: ";

/// Why the plan of a job cannot be applied any more; none if it can. Terraform applies a plan only to the state that it was made for, and
/// with the variables that it was made with, so that what was changed since would not count.
///
/// # Errors
/// If a step or a variable cannot be read; database errors.
pub async fn stale(app: &App, db: &impl ConnectionTrait, job: &workspace_job::Model) -> Result<Option<String>> {
    // Jobs of an earlier release did not store for which state they were planned.
    if job.asked_at.is_none() {
        return Ok(None);
    }
    let Some(plan) = WaitingPlan::of_job(db, job.id).await? else { return Ok(None) };
    let newest = store::workspace::newest_state_mark(db, job.workspace_id).await?;
    let what = if newest.as_ref().map(|state| state.id) != job.planned_state_id {
        let serial = newest.map_or_else(|| "removed".into(), |state| format!("changed (serial {})", state.serial));
        format!("the state was {serial}")
    } else if plan.has_other_inputs(app, db, job).await? {
        "variables were changed".to_owned()
    } else {
        return Ok(None);
    };
    Ok(Some(format!("{STALE}{what} after the plan was made; start a new job")))
}

/// What a job says besides that its plan is stale.
#[must_use]
pub fn without_stale(output: Option<String>) -> Option<String> {
    output.filter(|text| !text.starts_with(STALE))
}

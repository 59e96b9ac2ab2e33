//! What becomes of a workspace job while its approval is awaited: it may take too long, and its plan may become stale.

use chrono::{DateTime, TimeDelta, Utc};
use entity::workspace_job;
use sea_orm::ConnectionTrait;

use super::template::{self, FlowType};
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

/// Why the plan of a job cannot be applied any more; none if it can. Terraform applies a plan only to the state that it was made for.
///
/// # Errors
/// Database errors.
pub async fn stale(db: &impl ConnectionTrait, job: &workspace_job::Model) -> Result<Option<String>> {
    let applies = |flow: Vec<template::FlowStep>| {
        flow.iter().any(template::FlowStep::plans) && flow.iter().any(|step| step.kind == FlowType::TerraformApply)
    };
    // Jobs of an earlier release did not store for which state they were planned.
    if job.asked_at.is_none() || !template::parse(&job.tcl).is_ok_and(applies) {
        return Ok(None);
    }
    let newest = store::workspace::newest_state_mark(db, job.workspace_id).await?;
    let changed = newest.as_ref().map(|state| state.id) != job.planned_state_id;
    let serial = newest.map_or_else(|| "removed".into(), |state| format!("changed (serial {})", state.serial));
    Ok(changed.then(|| format!("the plan is stale: the state was {serial} after the plan was made; start a new job")))
}

//! Workspaces that are protected against destroy: no job of theirs destroys, and what their state describes is not forgotten.
//!
//! A plan may still delete single resources, which its approval is for.

use entity::{workspace, workspace_job, workspace_step};
use sea_orm::ConnectionTrait;

use super::template::{self, FlowStep};
use crate::error::{Error, Result};
use crate::store;

/// Why something is refused, and how to lift that.
const PROTECTED: &str =
    "the workspace is protected against destroy; whoever may manage it can set destroyProtection to false first";

/// Rejects what would remove all that a workspace manages, or its state.
///
/// # Errors
/// `Conflict` if the workspace is protected.
pub fn refuse(of: &workspace::Model) -> Result<()> {
    if of.destroy_protection { Err(Error::Conflict(PROTECTED.to_owned())) } else { Ok(()) }
}

/// Rejects a flow that would destroy.
///
/// # Errors
/// `Conflict` if the workspace is protected, and a step destroys.
pub fn refuse_flow(of: &workspace::Model, flow: &[FlowStep]) -> Result<()> {
    if template::destroys(flow) { refuse(of) } else { Ok(()) }
}

/// Why a job with these steps must not go on: its workspace may have been protected since it was requested.
///
/// # Errors
/// If a step cannot be read; database errors.
pub async fn stops(
    db: &impl ConnectionTrait,
    job: &workspace_job::Model,
    steps: &[workspace_step::Model],
) -> Result<Option<String>> {
    // A job that only plans ends before what would destroy.
    if job.plan_only {
        return Ok(None);
    }
    let specs = steps.iter().map(|step| serde_json::from_value(step.spec.clone()).map_err(Error::internal));
    let specs: Vec<FlowStep> = specs.collect::<Result<_>>()?;
    if !template::destroys(&specs) {
        return Ok(None);
    }
    let row = store::row::by_id::<workspace::Model>(db, job.workspace_id).await?;
    Ok(row.filter(|row| row.destroy_protection).map(|_| format!("cancelled: {PROTECTED}")))
}

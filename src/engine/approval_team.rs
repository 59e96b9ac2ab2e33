//! The teams that the approvals of a flow name.

use entity::id::OrganizationId;
use sea_orm::ConnectionTrait;

use super::template::{FlowStep, FlowType, TERRAFORM_CLI};
use crate::error::{Error, Result};
use crate::store;

/// Checks that the organization knows the teams that are to approve: a job would wait for an unknown one in vain.
///
/// # Errors
/// `Invalid` with the step and its team; database errors.
pub async fn check(db: &impl ConnectionTrait, organization: OrganizationId, flow: &[FlowStep]) -> Result<()> {
    let team = |step: &FlowStep| step.team.clone().filter(|team| !team.is_empty() && team != TERRAFORM_CLI);
    let approvals = flow.iter().filter(|step| step.kind == FlowType::Approval);
    let asked: Vec<(i32, String)> = approvals.filter_map(|step| Some((step.step, team(step)?))).collect();
    if asked.is_empty() {
        return Ok(());
    }
    let names: Vec<&str> = asked.iter().map(|(_, team)| team.as_str()).collect();
    let known = store::team::known_names(db, organization, &names).await?;
    match asked.iter().find(|(_, team)| !known.contains(team)) {
        Some((step, team)) => {
            let text = format!(
                "step {step} asks the team {team}, which does not exist; team must be the name of a team or of an access to a workspace"
            );
            Err(Error::invalid("tcl", text))
        }
        None => Ok(()),
    }
}

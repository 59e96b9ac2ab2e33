//! The variables that the steps of a workspace get: as they are now, and as a plan was made with them.
//!
//! Those of a plan are kept with it, sealed, because its apply has to use the same values, and because a plan that was made with other
//! values than those of now is stale.

use std::collections::BTreeMap;

use entity::id::WorkspaceStepId;
use entity::terraform_variable;
use entity::workspace_job::{self, JobStatus};
use sea_orm::ConnectionTrait;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::given_variables;
use super::template::{FlowStep, FlowType};
use crate::app::App;
use crate::error::{Error, Result};
use crate::secret;
use crate::store;

/// A variable of the workspace or of its organization, in the clear. No `Debug`: the value may be sensitive.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Input {
    /// Whether it belongs to the workspace.
    pub(super) own: bool,
    pub(super) category: String,
    pub(super) key: String,
    pub(super) value: String,
    pub(super) sensitive: bool,
    pub(super) hcl: bool,
}

/// The value of a variable, in the clear.
pub(super) fn opened(app: &App, row: &terraform_variable::Model) -> Result<String> {
    match &row.sealed {
        Some(sealed) => {
            Ok(app.keys.open_text(&secret::place("terraform_variable", row.id.0), sealed)?.expose().clone())
        }
        None => Ok(row.value.clone().unwrap_or_default()),
    }
}

/// The variables of a job as they are now.
pub(super) async fn current(app: &App, db: &impl ConnectionTrait, job: &workspace_job::Model) -> Result<Vec<Input>> {
    let rows = store::workspace::variables(db, job.organization_id, job.workspace_id).await?;
    let mut inputs = Vec::with_capacity(rows.len());
    for row in rows {
        let value = opened(app, &row)?;
        inputs.push(Input {
            own: row.workspace_id == Some(job.workspace_id),
            category: row.category,
            key: row.key,
            value,
            sensitive: row.sensitive,
            hcl: row.hcl,
        });
    }
    // Whoever gave them to this job alone means them to override all others.
    let given = given_variables::of_job(app, job)?.variables.into_iter();
    let category = || "TERRAFORM".to_owned();
    inputs.extend(given.map(|(key, value)| Input {
        own: true,
        category: category(),
        key,
        value,
        sensitive: false,
        hcl: true,
    }));
    Ok(inputs)
}

/// The place for which the variables of a plan are sealed.
fn place_of(step: WorkspaceStepId) -> String {
    secret::place("workspace_step_inputs", step.0)
}

/// Seals the variables that a step plans with.
pub(super) fn sealed(app: &App, step: WorkspaceStepId, inputs: &[Input]) -> Result<Vec<u8>> {
    let text = serde_json::to_vec(inputs).map_err(Error::internal)?;
    app.keys.seal(&place_of(step), &text)
}

/// The variables that a step has planned with.
pub(super) fn of_plan(app: &App, step: WorkspaceStepId, sealed: &[u8]) -> Result<Vec<Input>> {
    let text = app.keys.open(&place_of(step), sealed)?;
    serde_json::from_slice(text.expose()).map_err(|_| Error::internal("the stored variables of a plan are not JSON"))
}

/// The variables that a step gets; later ones override earlier ones. A step that lists its inputs gets only those of the
/// organization's variables, under the listed names.
pub(super) fn chosen(spec: &FlowStep, inputs: &[Input]) -> Vec<Input> {
    let names = |of: &Option<BTreeMap<String, String>>| of.clone().unwrap_or_default();
    let shared = || inputs.iter().filter(|input| !input.own);
    let mut found: Vec<Input> = Vec::new();
    if spec.inputs_env.is_some() || spec.inputs_terraform.is_some() {
        for (category, listed) in [("ENV", names(&spec.inputs_env)), ("TERRAFORM", names(&spec.inputs_terraform))] {
            for (name, global) in listed {
                let global = global.trim_start_matches('$');
                if let Some(input) = shared().find(|input| input.key == global) {
                    found.push(Input { key: name, category: category.into(), ..input.clone() });
                }
            }
        }
    } else {
        found.extend(shared().cloned());
    }
    found.extend(inputs.iter().filter(|input| input.own).cloned());
    found
}

/// A plan that waits to be applied: the step that has made it, with its entry in the flow, and that of the step that applies it.
pub(super) struct WaitingPlan {
    step: WorkspaceStepId,
    plan: FlowStep,
    apply: FlowStep,
}

impl WaitingPlan {
    /// That of a job: of the last step that plans before the first one that is still to apply.
    pub(super) async fn of_job(db: &impl ConnectionTrait, job: i32) -> Result<Option<Self>> {
        let mut made = None;
        for mark in store::workspace::step_marks(db, job).await? {
            let spec: FlowStep = serde_json::from_value(mark.spec).map_err(Error::internal)?;
            if spec.plans() {
                made = (mark.status == JobStatus::Completed).then_some((mark.id, spec));
            } else if spec.kind == FlowType::TerraformApply && mark.status == JobStatus::Pending {
                return Ok(made.map(|(step, plan)| Self { step, plan, apply: spec }));
            }
        }
        Ok(None)
    }

    /// Whether its steps would get other variables now than those that it was made with.
    pub(super) async fn has_other_inputs(
        &self,
        app: &App,
        db: &impl ConnectionTrait,
        job: &workspace_job::Model,
    ) -> Result<bool> {
        let planned = match app.plan_digests.get(self.step) {
            Some(known) => known,
            None => {
                // Earlier releases did not store them.
                let Some(sealed) = store::workspace::plan_inputs(db, self.step).await? else { return Ok(false) };
                let digest = self.digest(&of_plan(app, self.step, &sealed)?);
                app.plan_digests.keep(self.step, digest);
                digest
            }
        };
        Ok(self.digest(&current(app, db, job).await?) != planned)
    }

    /// One number for what its steps get of these variables.
    fn digest(&self, inputs: &[Input]) -> [u8; 32] {
        let mut hash = Sha256::new();
        let mut add = |bytes: &[u8]| {
            hash.update((bytes.len() as u64).to_be_bytes());
            hash.update(bytes);
        };
        for spec in [&self.plan, &self.apply] {
            let found = chosen(spec, inputs).into_iter();
            let by_name = found.map(|input| ((input.category, input.key), (input.value, input.hcl)));
            let by_name: BTreeMap<_, _> = by_name.collect();
            add(&(by_name.len() as u64).to_be_bytes());
            for ((category, key), (value, hcl)) in by_name {
                let is_expression = hcl && category != "ENV";
                for part in [category.as_bytes(), key.as_bytes(), value.as_bytes(), &[u8::from(is_expression)]] {
                    add(part);
                }
            }
        }
        hash.finalize().into()
    }
}

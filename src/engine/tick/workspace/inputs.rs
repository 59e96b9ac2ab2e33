//! The variables of a workspace step: its environment, a file of Terraform values, and values whose type the module declares.

use std::collections::BTreeMap;

use entity::workspace_step;
use sea_orm::ActiveValue;
use zeroize::Zeroizing;

use super::super::prepared::Impossible;
use super::subject::WorkspaceSubject;
use crate::app::App;
use crate::engine::masking;
use crate::engine::plan_inputs::{self, Input, chosen};
use crate::engine::template::FlowStep;
use crate::engine::variables::check_hcl;
use crate::engine::workspace::spec;
use crate::error::Result;
use crate::runner::terraform::tfvars::{self, LOOSE_BYTES};
use crate::secret::Secret;
use crate::store;

/// The variables of a step.
#[derive(Default)]
pub(super) struct Variables {
    pub(super) environment: Vec<(String, Secret<String>)>,
    /// The text of a `.tfvars` file.
    pub(super) values: String,
    /// Values that Terraform parses by the type of their variables.
    pub(super) loose: Vec<(String, Secret<String>)>,
    pub(super) secrets: Zeroizing<Vec<String>>,
    /// Remarks for the log.
    pub(super) notes: Vec<&'static str>,
}

/// The variables of a step. An apply gets those that its plan was made with.
pub(super) async fn variables(
    app: &App,
    of: &WorkspaceSubject,
    planned: Option<&workspace_step::Model>,
) -> Result<Result<Variables, Impossible>> {
    let kept = planned.and_then(|step| Some((step, step.inputs.as_ref()?)));
    let (inputs, planned_spec) = match kept {
        Some((step, sealed)) => (plan_inputs::of_plan(app, step.id, sealed)?, Some(spec(step)?)),
        None => (plan_inputs::current(app, &app.db, &of.job).await?, None),
    };
    if of.plans() {
        keep(app, of, &inputs).await?;
    }
    // The tool has read those of a plan.
    if planned_spec.is_none()
        && let Err(impossible) = check_expressions(&of.spec, &inputs)
    {
        return Ok(Err(impossible));
    }
    let mut found = match resolve(&of.spec, &inputs) {
        Ok(found) => found,
        Err(impossible) => return Ok(Err(impossible)),
    };
    if let Some(spec) = planned_spec {
        let of_plan = match resolve(&spec, &inputs) {
            Ok(of_plan) => of_plan,
            Err(impossible) => return Ok(Err(impossible)),
        };
        found.values = of_plan.values;
        found.loose = of_plan.loose;
        found.secrets.extend(of_plan.secrets.iter().cloned());
    }
    Ok(Ok(found))
}

async fn keep(app: &App, of: &WorkspaceSubject, inputs: &[Input]) -> Result<()> {
    let sealed = plan_inputs::sealed(app, of.step.id, inputs)?;
    let change = workspace_step::ActiveModel { inputs: ActiveValue::Set(Some(sealed)), ..Default::default() };
    store::write_one(&app.db, async |db| store::workspace::change_step(&db, of.step.id, change.clone()).await).await?;
    Ok(())
}

/// Checks the variables that are expressions. The tool would name a line of a file that nobody knows.
fn check_expressions(spec: &FlowStep, inputs: &[Input]) -> Result<(), Impossible> {
    if !spec.kind.runs_tool() {
        return Ok(());
    }
    let terraform = chosen(spec, inputs).into_iter().filter(|input| input.category != "ENV");
    let by_key: BTreeMap<String, Input> = terraform.map(|input| (input.key.clone(), input)).collect();
    for (key, input) in by_key.iter().filter(|(_, input)| input.hcl) {
        check_hcl(key, &input.value).map_err(Impossible)?;
    }
    Ok(())
}

/// A variable with which the tool would refuse the backend of the state.
const IGNORED: &str = "TF_WORKSPACE";

fn resolve(spec: &FlowStep, inputs: &[Input]) -> Result<Variables, Impossible> {
    let mut variables = Variables::default();
    let mut environment: BTreeMap<String, String> = BTreeMap::new();
    let mut values: BTreeMap<String, (String, bool)> = BTreeMap::new();
    for Input { category, key, value, sensitive, hcl, .. } in chosen(spec, inputs) {
        if sensitive {
            if hcl || tfvars::depends_on_type(&value) {
                variables.secrets.append(&mut masking::leaves(&value));
            }
            variables.secrets.push(value.clone());
        }
        if category == "ENV" {
            if spec.kind.runs_tool() && key == IGNORED {
                variables.notes.push(
                    "TF_WORKSPACE is ignored: the state of a workspace has no workspaces of its own (the ENV variable is \
                     passed on only to steps of the type customScripts)",
                );
                continue;
            }
            if key.is_empty() || key.contains(['=', '\0']) || value.contains('\0') {
                return Err(Impossible(format!(
                    "{key:?} cannot be the name of an environment variable, or its value has a NUL character"
                )));
            }
            environment.insert(key, value);
        } else {
            if !tfvars::is_name(&key) {
                return Err(Impossible(format!("{key:?} cannot be the name of a Terraform variable")));
            }
            values.insert(key, (value, hcl));
        }
    }
    let mut room = LOOSE_BYTES;
    for (key, (value, hcl)) in values {
        let size = key.len() + value.len();
        if !hcl && size <= room && tfvars::depends_on_type(&value) {
            room -= size;
            variables.loose.push((key, Secret::new(value)));
        } else {
            variables.values.push_str(&tfvars::value_line(&key, &value, hcl));
        }
    }
    variables.environment = environment.into_iter().map(|(key, value)| (key, Secret::new(value))).collect();
    Ok(variables)
}

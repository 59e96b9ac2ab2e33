//! The variables of a workspace step: its environment, a file of Terraform values, and values whose type the module declares.
//!
//! The variables that a plan is made with are kept with it, sealed, because its apply has to use the same values.

use std::collections::BTreeMap;

use entity::workspace_step;
use sea_orm::ActiveValue;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::super::prepared::Impossible;
use super::subject::WorkspaceSubject;
use crate::app::App;
use crate::engine::given_variables;
use crate::engine::masking;
use crate::engine::template::FlowStep;
use crate::engine::workspace::spec;
use crate::error::{Error, Result};
use crate::runner::terraform::tfvars::{self, LOOSE_BYTES};
use crate::secret::{self, Secret};
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

/// A variable of the workspace or of its organization, in the clear.
#[derive(Clone, Serialize, Deserialize)]
struct Input {
    /// Whether it belongs to the workspace.
    own: bool,
    category: String,
    key: String,
    value: String,
    sensitive: bool,
    hcl: bool,
}

/// The variables of a step. An apply gets those that its plan was made with.
pub(super) async fn variables(
    app: &App,
    of: &WorkspaceSubject,
    planned: Option<&workspace_step::Model>,
) -> Result<Result<Variables, Impossible>> {
    let kept = planned.and_then(|step| Some((step, step.inputs.as_ref()?)));
    let (inputs, planned_spec) = match kept {
        Some((step, sealed)) => (unseal(app, step, sealed)?, Some(spec(step)?)),
        None => (current(app, of).await?, None),
    };
    if of.plans() {
        keep(app, of, &inputs).await?;
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

/// The variables as they are now.
async fn current(app: &App, of: &WorkspaceSubject) -> Result<Vec<Input>> {
    let rows = store::workspace::variables(&app.db, of.workspace.organization_id, of.workspace.id).await?;
    let mut inputs = Vec::with_capacity(rows.len());
    for row in rows {
        let value = match &row.sealed {
            Some(sealed) => {
                app.keys.open_text(&secret::place("terraform_variable", row.id.0), sealed)?.expose().clone()
            }
            None => row.value.unwrap_or_default(),
        };
        inputs.push(Input {
            own: row.workspace_id == Some(of.workspace.id),
            category: row.category,
            key: row.key,
            value,
            sensitive: row.sensitive,
            hcl: row.hcl,
        });
    }
    // Whoever gave them to this job alone means them to override all others.
    let given = given_variables::of_job(app, &of.job)?.variables.into_iter();
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
fn place_of(step: entity::id::WorkspaceStepId) -> String {
    secret::place("workspace_step_inputs", step.0)
}

async fn keep(app: &App, of: &WorkspaceSubject, inputs: &[Input]) -> Result<()> {
    let text = serde_json::to_vec(inputs).map_err(Error::internal)?;
    let sealed = app.keys.seal(&place_of(of.step.id), &text)?;
    let change = workspace_step::ActiveModel { inputs: ActiveValue::Set(Some(sealed)), ..Default::default() };
    store::write_one(&app.db, async |db| store::workspace::change_step(&db, of.step.id, change.clone()).await).await?;
    Ok(())
}

fn unseal(app: &App, step: &workspace_step::Model, sealed: &[u8]) -> Result<Vec<Input>> {
    let text = app.keys.open(&place_of(step.id), sealed)?;
    serde_json::from_slice(text.expose()).map_err(|_| Error::internal("the stored variables of a plan are not JSON"))
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

/// The variables that a step gets; later ones override earlier ones. A step that lists its inputs gets only those of the
/// organization's variables, under the listed names.
fn chosen(spec: &FlowStep, inputs: &[Input]) -> Vec<Input> {
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

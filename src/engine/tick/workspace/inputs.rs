//! The variables of a workspace step: its environment, and a file of Terraform values.

use std::collections::{BTreeMap, BTreeSet};

use entity::id::WorkspaceId;
use entity::terraform_variable;

use super::super::prepared::Impossible;
use super::subject::WorkspaceSubject;
use crate::app::App;
use crate::engine::template::FlowStep;
use crate::error::Result;
use crate::runner::terraform::tfvars;
use crate::secret::{self, Secret};
use crate::store;

/// The variables of a step.
#[derive(Default)]
pub(super) struct Variables {
    pub(super) environment: Vec<(String, Secret<String>)>,
    /// The text of a `.tfvars` file.
    pub(super) values: String,
    pub(super) secrets: Vec<String>,
}

pub(super) async fn variables(app: &App, of: &WorkspaceSubject) -> Result<Result<Variables, Impossible>> {
    let rows = store::workspace::variables(&app.db, of.workspace.organization_id, of.workspace.id).await?;
    let mut open = Vec::with_capacity(rows.len());
    for row in rows {
        let value = match &row.sealed {
            Some(sealed) => {
                app.keys.open_text(&secret::place("terraform_variable", row.id.0), sealed)?.expose().clone()
            }
            None => row.value.clone().unwrap_or_default(),
        };
        open.push((row, value));
    }
    let mut variables = Variables::default();
    let mut environment: BTreeMap<String, String> = BTreeMap::new();
    let mut values: BTreeMap<String, (String, bool)> = BTreeMap::new();
    for (row, value) in chosen(&of.spec, of.workspace.id, &open) {
        if row.sensitive {
            // Mask the value itself, and the value as Terraform quotes it in its output.
            variables.secrets.push(tfvars::text_literal(&value));
            variables.secrets.push(value.replace('\\', "\\\\").replace('"', "\\\""));
            variables.secrets.push(value.clone());
        }
        if row.category == "ENV" {
            if row.key.is_empty() || row.key.contains(['=', '\0']) || value.contains('\0') {
                return Ok(Err(Impossible(format!(
                    "{:?} cannot be the name of an environment variable, or its value has a NUL character",
                    row.key
                ))));
            }
            environment.insert(row.key, value);
        } else {
            if !tfvars::is_name(&row.key) {
                return Ok(Err(Impossible(format!("{:?} cannot be the name of a Terraform variable", row.key))));
            }
            values.insert(row.key, (value, row.hcl));
        }
    }
    for (key, (value, hcl)) in &values {
        variables.values.push_str(&tfvars::value_line(key, value, *hcl));
    }
    variables.environment = environment.into_iter().map(|(key, value)| (key, Secret::new(value))).collect();
    Ok(Ok(variables))
}

/// The variables that a step gets; later ones override earlier ones. A step that lists its inputs gets only those of the
/// organization's variables, under the names that it assigns to them.
fn chosen(
    spec: &FlowStep,
    workspace: WorkspaceId,
    rows: &[(terraform_variable::Model, String)],
) -> Vec<(terraform_variable::Model, String)> {
    let names = |of: &Option<BTreeMap<String, String>>| of.clone().unwrap_or_default();
    let filtered = spec.inputs_env.is_some() || spec.inputs_terraform.is_some();
    let own: BTreeSet<_> =
        rows.iter().filter(|(row, _)| row.workspace_id == Some(workspace)).map(|(row, _)| row.id).collect();
    let mut found = Vec::new();
    if filtered {
        for (category, inputs) in [("ENV", names(&spec.inputs_env)), ("TERRAFORM", names(&spec.inputs_terraform))] {
            for (name, global) in inputs {
                let global = global.trim_start_matches('$');
                let shared = rows.iter().filter(|(row, _)| !own.contains(&row.id));
                if let Some((row, value)) = shared.into_iter().find(|(row, _)| row.key == global) {
                    let row = terraform_variable::Model { key: name, category: category.into(), ..row.clone() };
                    found.push((row, value.clone()));
                }
            }
        }
    } else {
        found.extend(rows.iter().filter(|(row, _)| !own.contains(&row.id)).cloned());
    }
    found.extend(rows.iter().filter(|(row, _)| own.contains(&row.id)).cloned());
    found
}

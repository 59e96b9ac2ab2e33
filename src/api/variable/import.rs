//! Imports variables into a job, each into its own scope.

use entity::variable::{Model, VariableKind};
use poem_openapi::Object;
use serde::{Deserialize, Serialize};

use super::super::audit;
use super::super::caller::Auth;
use super::parent::Parent;
use super::save::{insert, set_value, touch};
use super::scope::APIVariableScopeEnum;
use super::validate::{self, key};
use super::visible::visible;
use crate::app::App;
use crate::engine::limits;
use crate::error::{Error, Result};
use crate::store;

#[derive(Deserialize, Object)]
struct ImportedVariableRequest {
    name: String,
    value: String,
    scope: APIVariableScopeEnum,
    is_secret: bool,
}

#[derive(Deserialize, Object)]
pub(super) struct VariableImportRequest {
    overwrite: bool,
    vars: Vec<ImportedVariableRequest>,
}

#[derive(Debug, Serialize, Deserialize, Object)]
struct ImportedVariable {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<String>,
    scope: APIVariableScopeEnum,
    is_secret: bool,
}

#[derive(Debug, Serialize, Deserialize, Object)]
pub(super) struct VariableImport {
    total_variables_to_import: i64,
    successful_imported_variables: Vec<ImportedVariable>,
}

/// The action of an import on a variable.
#[derive(Clone)]
enum ImportAction {
    Create(Model),
    Replace(Model),
    /// The variable conflicts with one that the import must not replace.
    Skip,
}

impl ImportAction {
    fn row(&mut self) -> Option<&mut Model> {
        match self {
            Self::Create(row) | Self::Replace(row) => Some(row),
            Self::Skip => None,
        }
    }
}

/// Imports the variables that can be imported. An invalid name or value rejects the whole request.
pub(super) async fn run(
    app: &App,
    auth: &Auth,
    job: &Parent,
    request: VariableImportRequest,
) -> Result<VariableImport> {
    let VariableImportRequest { overwrite, vars } = request;
    if vars.len() > limits::ITEMS {
        return Err(Error::invalid("vars", format!("must have at most {} items", limits::ITEMS)));
    }
    let total = i64::try_from(vars.len()).unwrap_or(i64::MAX);
    let now = app.clock.now();
    let mut visible_rows = visible(app, job).await?;
    let mut actions = Vec::new();
    let mut imported = Vec::new();
    for (index, variable) in vars.into_iter().enumerate() {
        let name = key(&format!("vars[{index}].name"), &variable.name)?;
        let parent = parent_of(job, variable.scope)
            .ok_or_else(|| Error::invalid(format!("vars[{index}].scope"), "must be PROJECT, ENVIRONMENT or JOB"))?;
        let mut row = parent.empty_row(name.clone(), VariableKind::Value, now);
        row.is_secret = variable.is_secret;
        let mut action = action(&visible_rows, row, variable.scope, overwrite);
        let value_field = format!("vars[{index}].value");
        let Some(row) = action.row() else {
            limits::text(&value_field, variable.value)?;
            continue;
        };
        let value = validate::value(&value_field, variable.value, row)?;
        let shown = Some(value.clone()).filter(|_| !variable.is_secret);
        set_value(app, row, value)?;
        visible_rows.retain(|other| other.id != row.id);
        visible_rows.push(row.clone());
        actions.push((parent, action));
        imported.push(ImportedVariable { name, value: shown, scope: variable.scope, is_secret: variable.is_secret });
    }
    audit::write(app, auth, job.organization, async |tx| {
        for (parent, action) in actions {
            match action {
                ImportAction::Create(row) => drop(insert(tx, &parent, row).await?),
                ImportAction::Replace(row) => drop(store::row::update(tx, Model { updated_at: now, ..row }).await?),
                ImportAction::Skip => {}
            }
            touch(tx, &parent, now).await?;
        }
        Ok(((), job.change("IMPORT", false).after(&imported)))
    })
    .await?;
    Ok(VariableImport { total_variables_to_import: total, successful_imported_variables: imported })
}

fn parent_of(job: &Parent, scope: APIVariableScopeEnum) -> Option<Parent> {
    let parent = Parent {
        organization: job.organization,
        project: job.project.clone(),
        environment: job.environment.clone(),
        job: job.job.clone(),
        output_jobs: std::collections::HashMap::new(),
    };
    match scope {
        APIVariableScopeEnum::Job => Some(parent),
        APIVariableScopeEnum::Environment => Some(Parent { job: None, ..parent }),
        APIVariableScopeEnum::Project => Some(Parent { job: None, environment: None, ..parent }),
        _ => None,
    }
}

/// Applies the rules of the official import to the variables visible to the job. The caller sets the value.
fn action(visible_rows: &[Model], mut new: Model, scope: APIVariableScopeEnum, overwrite: bool) -> ImportAction {
    let narrowness = |row: &Model| APIVariableScopeEnum::of(row).narrowness();
    let named: Vec<&Model> = visible_rows.iter().filter(|row| row.key == new.key).collect();
    let is_fixed = |row: &&Model| matches!(row.kind, VariableKind::BuiltIn | VariableKind::Alias);
    let is_other_kind = |row: &&Model| row.is_secret != new.is_secret;
    if named.iter().any(|row| is_fixed(row) || is_other_kind(row) || narrowness(row) > scope.narrowness()) {
        return ImportAction::Skip;
    }
    match named.iter().find(|row| narrowness(row) == scope.narrowness()) {
        Some(_) if !overwrite => ImportAction::Skip,
        Some(old) => ImportAction::Replace((*old).clone()),
        None => {
            if let Some(wider) = named.iter().max_by_key(|row| narrowness(row)) {
                new.kind = VariableKind::Override;
                new.mount_path.clone_from(&wider.mount_path);
                new.target_id = Some(wider.id);
            }
            ImportAction::Create(new)
        }
    }
}

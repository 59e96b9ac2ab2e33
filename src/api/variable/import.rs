//! Importing variables into a job, each into the scope that it names.

use entity::variable::{Model, VariableKind};
use poem_openapi::Object;
use serde::{Deserialize, Serialize};

use super::super::audit;
use super::super::caller::Auth;
use super::super::limits;
use super::parent::Parent;
use super::save::{insert, set_value, touch};
use super::scope::APIVariableScopeEnum;
use super::validate::key;
use super::visible::visible;
use crate::app::App;
use crate::error::{Error, Result};
use crate::store;

#[derive(Deserialize, Object)]
struct ImportedRequest {
    name: String,
    value: String,
    scope: APIVariableScopeEnum,
    is_secret: bool,
}

#[derive(Deserialize, Object)]
pub(super) struct VariableImportRequest {
    overwrite: bool,
    vars: Vec<ImportedRequest>,
}

#[derive(Debug, Serialize, Deserialize, Object)]
struct Imported {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<String>,
    scope: APIVariableScopeEnum,
    is_secret: bool,
}

#[derive(Debug, Serialize, Deserialize, Object)]
pub(super) struct VariableImport {
    total_variables_to_import: i64,
    successful_imported_variables: Vec<Imported>,
}

/// What an import does with one variable.
enum Step {
    Create(Model),
    Replace(Model),
    /// What is there may not be replaced by it.
    Skip,
}

impl Step {
    fn row(&mut self) -> Option<&mut Model> {
        match self {
            Self::Create(row) | Self::Replace(row) => Some(row),
            Self::Skip => None,
        }
    }
}

/// Imports what can be; names and values that are not valid refuse the whole.
pub(super) async fn run(app: &App, auth: &Auth, job: &Parent, given: VariableImportRequest) -> Result<VariableImport> {
    let VariableImportRequest { overwrite, vars } = given;
    if vars.len() > limits::ITEMS {
        return Err(Error::invalid("vars", format!("has more than {} items", limits::ITEMS)));
    }
    let total = i64::try_from(vars.len()).unwrap_or(i64::MAX);
    let now = app.clock.now();
    let mut seen = visible(app, job).await?;
    let mut steps = Vec::new();
    let mut done = Vec::new();
    for (place, one) in vars.into_iter().enumerate() {
        let name = key(&format!("vars[{place}].name"), &one.name)?;
        let value = limits::text(&format!("vars[{place}].value"), one.value)?;
        let parent = parent_of(job, one.scope)
            .ok_or_else(|| Error::invalid(format!("vars[{place}].scope"), "is PROJECT, ENVIRONMENT or JOB"))?;
        let mut row = parent.row(name.clone(), VariableKind::Value, now);
        row.is_secret = one.is_secret;
        let shown = Some(value.clone()).filter(|_| !one.is_secret);
        let mut step = step(&seen, row, one.scope, overwrite);
        let Some(row) = step.row() else { continue };
        set_value(app, row, value)?;
        seen.retain(|other| other.id != row.id);
        seen.push(row.clone());
        steps.push((parent, step));
        done.push(Imported { name, value: shown, scope: one.scope, is_secret: one.is_secret });
    }
    audit::write(app, auth, job.organization, async |tx| {
        for (parent, step) in steps {
            match step {
                Step::Create(row) => drop(insert(tx, &parent, row).await?),
                Step::Replace(row) => drop(store::row::update(tx, Model { updated_at: now, ..row }).await?),
                Step::Skip => {}
            }
            touch(tx, &parent, now).await?;
        }
        Ok(((), job.change("IMPORT", false).after(&done)))
    })
    .await?;
    Ok(VariableImport { total_variables_to_import: total, successful_imported_variables: done })
}

fn parent_of(job: &Parent, scope: APIVariableScopeEnum) -> Option<Parent> {
    let parent = Parent {
        organization: job.organization,
        project: job.project.clone(),
        environment: job.environment.clone(),
        job: job.job.clone(),
        leaving: std::collections::HashMap::new(),
    };
    match scope {
        APIVariableScopeEnum::Job => Some(parent),
        APIVariableScopeEnum::Environment => Some(Parent { job: None, ..parent }),
        APIVariableScopeEnum::Project => Some(Parent { job: None, environment: None, ..parent }),
        _ => None,
    }
}

/// The rules of the official import, given all that the job sees; the value is set by the caller.
fn step(seen: &[Model], mut new: Model, scope: APIVariableScopeEnum, overwrite: bool) -> Step {
    let width = |row: &Model| APIVariableScopeEnum::of(row).width();
    let named: Vec<&Model> = seen.iter().filter(|row| row.key == new.key).collect();
    let fixed = |row: &&Model| matches!(row.kind, VariableKind::BuiltIn | VariableKind::Alias);
    let other_kind = |row: &&Model| row.is_secret != new.is_secret;
    if named.iter().any(|row| fixed(row) || other_kind(row) || width(row) > scope.width()) {
        return Step::Skip;
    }
    match named.iter().find(|row| width(row) == scope.width()) {
        Some(_) if !overwrite => Step::Skip,
        Some(old) => Step::Replace((*old).clone()),
        None => {
            if let Some(wider) = named.iter().max_by_key(|row| width(row)) {
                new.kind = VariableKind::Override;
                new.mount_path.clone_from(&wider.mount_path);
                new.target_id = Some(wider.id);
            }
            Step::Create(new)
        }
    }
}

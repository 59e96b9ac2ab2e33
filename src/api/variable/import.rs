//! Imports variables into a job, each into its own scope.

use poem_openapi::Object;
use serde::{Deserialize, Serialize};

use super::super::caller::Auth;
use super::access_parent;
use super::scope::APIVariableScopeEnum;
use crate::app::App;
use crate::engine::variable::{self, Import, Parent};
use crate::error::Result;

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

/// Imports the variables that can be imported into the scopes of a job whose variables the caller may change. An invalid name or
/// value rejects the whole request, as does a scope in which the caller may not change variables.
pub(super) async fn run(
    app: &App,
    auth: &Auth,
    job: &Parent,
    request: VariableImportRequest,
) -> Result<VariableImport> {
    let VariableImportRequest { overwrite, vars } = request;
    let total = i64::try_from(vars.len()).unwrap_or(i64::MAX);
    let read = |variable: ImportedVariableRequest| {
        let ImportedVariableRequest { name, value, scope, is_secret } = variable;
        variable::ImportedVariable { name, value, scope: scope.known(), is_secret }
    };
    let widest = access_parent::widest_of_job(app, auth, job).await?;
    let wanted = Import { widest, overwrite, variables: vars.into_iter().map(read).collect() };
    let imported = variable::import(app, &auth.requester(), job, wanted).await?;
    let shown = |variable: variable::ImportedVariable| {
        let variable::ImportedVariable { name, value, scope, is_secret } = variable;
        let value = Some(value).filter(|_| !is_secret);
        Some(ImportedVariable { name, value, scope: scope?.into(), is_secret })
    };
    let successful_imported_variables = imported.into_iter().filter_map(shown).collect();
    Ok(VariableImport { total_variables_to_import: total, successful_imported_variables })
}

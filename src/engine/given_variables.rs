//! Values of Terraform variables that somebody gave to one workspace job, sealed for its configuration.

use entity::id::ConfigurationVersionId;
use entity::workspace_job;

use crate::app::App;
use crate::error::{Error, Result};
use crate::secret;

fn place_of(id: ConfigurationVersionId) -> String {
    secret::place("workspace_job_variables", id.0)
}

/// Seals values, which are HCL, by the names of their variables; none if there are none.
///
/// # Errors
/// When they cannot be sealed.
pub fn sealed(app: &App, of: ConfigurationVersionId, variables: &[(String, String)]) -> Result<Option<Vec<u8>>> {
    if variables.is_empty() {
        return Ok(None);
    }
    let text = serde_json::to_vec(variables).map_err(Error::internal)?;
    Ok(Some(app.keys.seal(&place_of(of), &text)?))
}

/// The values of a job, by the names of their variables.
///
/// # Errors
/// When the keys of this server do not open them.
pub fn of_job(app: &App, job: &workspace_job::Model) -> Result<Vec<(String, String)>> {
    let (Some(of), Some(sealed)) = (job.configuration_version_id, &job.variables) else { return Ok(Vec::new()) };
    let text = app.keys.open(&place_of(of), sealed)?;
    serde_json::from_slice(text.expose()).map_err(|_| Error::internal("the stored variables of a job are not JSON"))
}

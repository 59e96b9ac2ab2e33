//! What somebody gave to one workspace job alone, sealed for its configuration: values of Terraform variables, and whether its plan writes
//! configuration for what is to be imported.

use entity::id::ConfigurationVersionId;
use entity::workspace_job;
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::error::{Error, Result};
use crate::secret;

/// What was given to a job.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Given {
    /// Values, which are HCL, by the names of their variables.
    pub variables: Vec<(String, String)>,
    /// Whether the plan writes configuration for what is to be imported and has none.
    pub generates: bool,
}

/// The stored form.
#[derive(Deserialize, Serialize)]
#[serde(untagged)]
enum Stored {
    Variables(Vec<(String, String)>),
    Generating { generating: Vec<(String, String)> },
}

fn place_of(id: ConfigurationVersionId) -> String {
    secret::place("workspace_job_variables", id.0)
}

/// Seals what is given to a job; none if that is nothing.
///
/// # Errors
/// When it cannot be sealed.
pub fn sealed(app: &App, of: ConfigurationVersionId, given: Given) -> Result<Option<Vec<u8>>> {
    let stored = match given {
        Given { variables, generates: false } if variables.is_empty() => return Ok(None),
        Given { variables, generates: false } => Stored::Variables(variables),
        Given { variables, generates: true } => Stored::Generating { generating: variables },
    };
    let text = serde_json::to_vec(&stored).map_err(Error::internal)?;
    Ok(Some(app.keys.seal(&place_of(of), &text)?))
}

/// What was given to a job.
///
/// # Errors
/// When the keys of this server do not open it.
pub fn of_job(app: &App, job: &workspace_job::Model) -> Result<Given> {
    let (Some(of), Some(sealed)) = (job.configuration_version_id, &job.variables) else { return Ok(Given::default()) };
    let text = app.keys.open(&place_of(of), sealed)?;
    let stored = serde_json::from_slice(text.expose());
    match stored.map_err(|_| Error::internal("the stored variables of a job are not JSON"))? {
        Stored::Variables(variables) => Ok(Given { variables, generates: false }),
        Stored::Generating { generating } => Ok(Given { variables: generating, generates: true }),
    }
}

/// Whether programs ask for the JSON form of the plan of a job: they show a saved one, and take from others the configuration that was
/// written.
///
/// # Errors
/// When the keys of this server do not open what was given to the job.
pub fn keeps_plan_json(app: &App, job: &workspace_job::Model) -> Result<bool> {
    Ok(job.save_plan || of_job(app, job)?.generates)
}

//! The names of a run, as HCP Terraform gives them to its steps: in variables of the environment, and as values of Terraform variables that a
//! module declares (<https://developer.hashicorp.com/terraform/cloud-docs/workspaces/run/run-environment>).

use entity::{organization, project};

use super::subject::WorkspaceSubject;
use crate::app::App;
use crate::error::Result;
use crate::secret::Secret;
use crate::store;

/// The variables, except for those that the workspace sets itself.
pub(super) async fn run_names(
    app: &App,
    of: &WorkspaceSubject,
    own: &[(String, Secret<String>)],
) -> Result<Vec<(String, Secret<String>)>> {
    let row = &of.workspace;
    let organization = store::row::by_id::<organization::Model>(&app.db, row.organization_id).await?;
    let project = match row.project_id {
        Some(id) => store::row::by_id::<project::Model>(&app.db, id).await?,
        None => None,
    };
    let slug = organization.map(|organization| format!("{}/{}", organization.name, row.name));
    let names = [
        ("TFC_RUN_ID", Some(format!("run-{}", of.job.id))),
        ("TFC_WORKSPACE_NAME", Some(row.name.clone())),
        ("TFC_WORKSPACE_SLUG", slug),
        ("TFC_PROJECT_NAME", project.map(|project| project.name)),
    ];
    // With a run id, programs plan `import` blocks only if the agent is new enough for them.
    let mut found = vec![("TFC_AGENT_VERSION".to_owned(), Secret::new("1.10".to_owned()))];
    for (name, value) in names {
        let Some(value) = value else { continue };
        let both = [name.to_owned(), format!("TF_VAR_{name}")];
        let is_new = |name: &String| !own.iter().any(|(key, _)| key == name);
        found.extend(both.into_iter().filter(is_new).map(|name| (name, Secret::new(value.clone()))));
    }
    Ok(found)
}

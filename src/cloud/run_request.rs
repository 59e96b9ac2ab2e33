//! A run as it is asked for.

use entity::configuration_version::{self, ConfigurationStatus};
use entity::workspace;
use poem::{Body, Request};
use sea_orm::DatabaseTransaction;
use serde::Deserialize;

use super::caller::{SeenWorkspace, Visit};
use super::configuration_routes::configuration;
use super::error::{Problem, Result};
use super::json_api::{Given, one};
use crate::access::{principal, require_right};
use crate::engine::given_variables;
use crate::engine::template::{CLI_APPLY, CLI_DESTROY};
use crate::engine::variables::check_hcl;
use crate::engine::workspace::{CloudRun, NewJob};
use crate::store;

/// The most variables and addresses of a run.
const MOST: usize = 500;

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct RunAttributes {
    message: Option<String>,
    #[serde(default)]
    auto_apply: bool,
    #[serde(default)]
    plan_only: bool,
    #[serde(default)]
    save_plan: bool,
    #[serde(default)]
    is_destroy: bool,
    refresh: Option<bool>,
    #[serde(default)]
    refresh_only: bool,
    #[serde(default)]
    allow_empty_apply: bool,
    #[serde(default)]
    allow_config_generation: bool,
    target_addrs: Option<Vec<String>>,
    replace_addrs: Option<Vec<String>>,
    variables: Option<Vec<RunVariable>>,
}

/// A variable of this run alone; its value is HCL.
#[derive(Deserialize)]
struct RunVariable {
    key: String,
    value: String,
}

/// A run that the caller may have.
pub(super) struct WantedRun {
    pub(super) seen: SeenWorkspace,
    configuration: configuration_version::Model,
    attributes: RunAttributes,
}

impl WantedRun {
    /// Reads and checks a request.
    pub(super) async fn of(visit: &Visit, request: &Request, body: Body) -> Result<Self> {
        let given: Given<RunAttributes> = one(request, body, "runs").await?;
        let id = given.relationships.id("workspace");
        let id = id.ok_or_else(|| Problem::invalid("data.relationships.workspace: must name a workspace"))?;
        let seen = visit.workspace(id).await?;
        require_right(seen.rights.plan)?;
        if seen.row.execution_mode == "local" {
            let text = "data.relationships.workspace: its execution mode is local, so it is planned and applied where its user is";
            return Err(Problem::invalid(text));
        }
        let place = "data.relationships.configuration-version";
        let row = match given.relationships.id("configuration-version") {
            Some(id) => configuration(visit, id).await?.0,
            None => {
                let newest = store::workspace::newest_configuration(&visit.app.db, seen.row.id).await?;
                newest
                    .ok_or_else(|| Problem::invalid(format!("{place}: nothing was uploaded for this workspace yet")))?
            }
        };
        if row.workspace_id != seen.row.id {
            return Err(Problem::invalid(format!("{place}: belongs to another workspace")));
        }
        if row.status != ConfigurationStatus::Uploaded {
            return Err(Problem::invalid(format!("{place}: its files were not uploaded")));
        }
        let wanted = Self { seen, configuration: row, attributes: given.attributes };
        wanted.check()?;
        Ok(wanted)
    }

    fn check(&self) -> Result<()> {
        let RunAttributes { save_plan, auto_apply, target_addrs, replace_addrs, variables, .. } = &self.attributes;
        let refused = |field: &str, text: &str| Err(Problem::invalid(format!("data.attributes.{field}: {text}")));
        if *save_plan && !self.configuration.provisional {
            return refused("save-plan", "needs a configuration that is provisional");
        }
        if *auto_apply && (*save_plan || self.plan_only()) {
            return refused("auto-apply", "must be false for a plan that is not applied, or later");
        }
        for (field, names) in [("target-addrs", target_addrs), ("replace-addrs", replace_addrs)] {
            if names.as_ref().is_some_and(|names| names.len() > MOST || names.iter().any(String::is_empty)) {
                return refused(field, "must have at most 500 addresses, of which none is empty");
            }
        }
        if variables.as_ref().is_some_and(|list| list.len() > MOST) {
            return refused("variables", "must have at most 500 variables");
        }
        for RunVariable { key, value } in variables.iter().flatten() {
            check_hcl(key, value).or_else(|text| refused("variables", &text))?;
        }
        Ok(())
    }

    fn plan_only(&self) -> bool {
        self.attributes.plan_only || self.configuration.speculative
    }

    /// The job that the run is. Its steps are those of the template that every organization has for runs of the command line.
    pub(super) async fn job(&self, visit: &Visit, tx: &DatabaseTransaction, of: &workspace::Model) -> Result<NewJob> {
        let attributes = &self.attributes;
        let name = if attributes.is_destroy { CLI_DESTROY } else { CLI_APPLY };
        let template = store::workspace::template_by_name(tx, of.organization_id, name).await?;
        let template = template.ok_or_else(|| {
            let text = format!("the organization has no template named {name}, whose steps this run would have");
            Problem::conflict("missing template", text)
        })?;
        let given = attributes.variables.iter().flatten();
        let given = given_variables::Given {
            variables: given.map(|one| (one.key.clone(), one.value.clone())).collect(),
            generates: attributes.allow_config_generation,
        };
        let app = &visit.app;
        Ok(NewJob {
            template: Some(template.id),
            comments: attributes.message.clone().filter(|text| !text.is_empty()),
            via: "CLI".into(),
            refresh: attributes.refresh.unwrap_or(true),
            refresh_only: attributes.refresh_only,
            targets: attributes.target_addrs.clone().unwrap_or_default(),
            replacements: attributes.replace_addrs.clone().unwrap_or_default(),
            by: visit.author().to_owned(),
            requester: Some(visit.requester()),
            principal: Some(principal::stored(&visit.caller)),
            rights: self.seen.rights,
            cloud: Some(CloudRun {
                configuration: self.configuration.id,
                variables: given_variables::sealed(app, self.configuration.id, given)?,
                plan_only: self.plan_only(),
                auto_apply: attributes.auto_apply,
                save_plan: attributes.save_plan,
                allow_empty_apply: attributes.allow_empty_apply,
                is_destroy: attributes.is_destroy,
            }),
            ..NewJob::default()
        })
    }
}

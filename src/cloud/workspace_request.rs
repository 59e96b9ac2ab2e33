//! A workspace as programs describe it. Attributes that have no meaning here are passed over, and those that would promise something
//! which the server does not do are refused.

use entity::id::ProjectId;
use poem::{Body, Request};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::error::{Problem, Result};
use super::json_api::{Given, Relationships, one};
use super::tag_binding::TagBinding;
use crate::engine::workspace_definition::{Belonging, WorkspaceDefinition};
use crate::error::Error;
use crate::input::Refusal;

/// The attributes of a workspace. What is missing stays as it is.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
struct Attributes {
    name: Option<String>,
    #[serde(deserialize_with = "given")]
    description: Option<Option<String>>,
    execution_mode: Option<String>,
    /// What older programs send instead of an execution mode.
    operations: Option<bool>,
    #[serde(deserialize_with = "given")]
    terraform_version: Option<Option<String>>,
    #[serde(deserialize_with = "given")]
    working_directory: Option<Option<String>>,
    auto_apply: Option<bool>,
    vcs_repo: Option<Value>,
}

/// Tells null from a missing value.
fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(from).map(Some)
}

/// A tag of a workspace, by its name.
#[derive(Debug, Deserialize)]
pub(super) struct TagLinkage {
    attributes: TagName,
}

#[derive(Debug, Deserialize)]
struct TagName {
    name: String,
}

/// A tag with a value, as it is sent.
#[derive(Debug, Deserialize)]
pub(super) struct BindingLinkage {
    attributes: TagBinding,
}

impl TagLinkage {
    pub(super) fn binding(self) -> TagBinding {
        TagBinding::of(&self.attributes.name)
    }
}

impl BindingLinkage {
    pub(super) fn binding(self) -> TagBinding {
        self.attributes
    }
}

/// Checks tags; `field` is where they are in the request.
pub(super) fn checked(field: &str, tags: Vec<TagBinding>) -> Result<Vec<TagBinding>> {
    match tags.iter().find_map(TagBinding::refusal) {
        Some(refusal) => Err(Problem::invalid(format!("{field}: {refusal}"))),
        None => Ok(tags),
    }
}

/// A request to create or change a workspace.
pub(super) struct WorkspaceRequest {
    attributes: Attributes,
    pub(super) belonging: Belonging,
}

impl WorkspaceRequest {
    pub(super) async fn read(request: &Request, body: Body) -> Result<Self> {
        let Given { attributes, relationships, .. } = one::<Attributes>(request, body, "workspaces").await?;
        if attributes.vcs_repo.as_ref().is_some_and(|repository| !repository.is_null()) {
            let text = "data.attributes.vcs-repo: must be null; the repository of a workspace is set in the console or by its `source`";
            return Err(Problem::invalid(text));
        }
        if attributes.auto_apply == Some(true) {
            let text = "data.attributes.auto-apply: must be false; a run is applied without a question if it asks for it itself";
            return Err(Problem::invalid(text));
        }
        let belonging = belonging(&relationships)?;
        Ok(Self { attributes, belonging })
    }

    /// A new workspace, for which the server or the caller's machine carries out plans.
    pub(super) fn new_definition(&self, tool: &str, mode: &str) -> Result<WorkspaceDefinition> {
        if self.attributes.name.is_none() {
            return Err(Problem::invalid("data.attributes.name: is required"));
        }
        let base = WorkspaceDefinition {
            iac_type: tool.to_owned(),
            execution_mode: mode.to_owned(),
            folder: "/".to_owned(),
            // As everywhere that programs have a `cloud` block for.
            sees_name: Some(true),
            ..WorkspaceDefinition::default()
        };
        Ok(self.definition(base))
    }

    /// The definition with the attributes that were given.
    pub(super) fn definition(&self, old: WorkspaceDefinition) -> WorkspaceDefinition {
        let Attributes { name, description, execution_mode, operations, terraform_version, working_directory, .. } =
            &self.attributes;
        let from_operations = operations.map(|on_server| if on_server { "remote" } else { "local" }.to_owned());
        let folder = working_directory.as_ref().map(|folder| match folder.as_deref() {
            None | Some("") => "/".to_owned(),
            Some(folder) => folder.to_owned(),
        });
        let version = terraform_version.as_ref().map(|version| match version.as_deref() {
            None | Some("latest") => String::new(),
            Some(version) => version.to_owned(),
        });
        WorkspaceDefinition {
            name: name.clone().unwrap_or(old.name),
            description: description.clone().unwrap_or(old.description),
            execution_mode: execution_mode.clone().or(from_operations).unwrap_or(old.execution_mode),
            terraform_version: version.unwrap_or(old.terraform_version),
            folder: folder.unwrap_or(old.folder),
            ..old
        }
    }
}

fn belonging(relationships: &Relationships) -> Result<Belonging> {
    let project = match relationships.id("project") {
        None => None,
        Some(id) => {
            let id = id.parse().map(ProjectId);
            let text = "data.relationships.project: must be a project of the organization";
            Some(Some(id.map_err(|_| Problem::invalid(text))?))
        }
    };
    let tags = relationships.many::<TagLinkage>("tags")?.into_iter().map(TagLinkage::binding);
    let bindings = relationships.many::<BindingLinkage>("tag-bindings")?.into_iter().map(BindingLinkage::binding);
    let tags = checked("data.relationships.tags", tags.chain(bindings).collect())?;
    Ok(Belonging { project, tags: tags.iter().map(TagBinding::name).collect() })
}

/// An error under the names that the fields have in this API.
pub(super) fn renamed(error: Error) -> Problem {
    let name = |field: String| match field.as_str() {
        "terraformVersion" => "data.attributes.terraform-version".to_owned(),
        "executionMode" => "data.attributes.execution-mode".to_owned(),
        "folder" => "data.attributes.working-directory".to_owned(),
        "project" | "tags" => format!("data.relationships.{field}"),
        _ => format!("data.attributes.{field}"),
    };
    match error {
        Error::Invalid { field, message } => Error::Invalid { field: name(field), message }.into(),
        Error::Faults(faults) => {
            let faults = faults.into_iter().map(|Refusal { field, message }| Refusal { field: name(field), message });
            Error::Faults(faults.collect()).into()
        }
        other => other.into(),
    }
}

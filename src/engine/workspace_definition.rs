//! Workspaces, as people define them. Callers have checked that the requester may manage workspaces.

use entity::id::{ClusterId, OrganizationId, ProjectId, SshKeyId, TemplateId, VcsId, WorkspaceId};
use entity::workspace;
use sea_orm::{ConnectionTrait, DatabaseTransaction};

use super::faults::Faults;
use super::requester::Requester;
use super::tool_version;
use super::visible_name::is_visible;
use super::workspace_cluster;
use super::workspace_event::{self, By};
use super::workspace_tags;
use crate::app::App;
use crate::error::{Error, Result};
use crate::secret::has_secret;
use crate::store;

/// The tools.
pub const TOOLS: &[&str] = &["tofu", "terraform"];
/// Where the tool runs: on this server, or where people call it.
pub const MODES: &[&str] = &["remote", "local"];
/// The longest texts, in characters.
pub const NAME: usize = 256;
pub const DESCRIPTION: usize = 2048;
pub const BRANCH: usize = 256;
pub const FOLDER: usize = 1024;
pub const VERSION: usize = 64;
const SOURCE: usize = 4096;
/// Where the login for a source belongs.
pub const LOGIN: &str = "they belong into the accessToken of a vcs, which the workspace refers to";

/// A workspace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WorkspaceDefinition {
    pub name: String,
    pub description: Option<String>,
    /// The URL of a repository, or `empty`.
    pub source: String,
    pub branch: String,
    pub folder: String,
    pub terraform_version: String,
    pub iac_type: String,
    pub execution_mode: String,
    pub default_template: Option<TemplateId>,
    pub vcs: Option<VcsId>,
    pub ssh_key: Option<SshKeyId>,
    /// Where its steps run; none leaves it to the server.
    pub cluster: Option<ClusterId>,
    /// None leaves it as it is.
    pub destroy_protection: Option<bool>,
    /// Whether `terraform.workspace` is the name of the workspace in its steps, and not `default`; none leaves it as it is.
    pub sees_name: Option<bool>,
}

impl From<&workspace::Model> for WorkspaceDefinition {
    fn from(row: &workspace::Model) -> Self {
        Self {
            name: row.name.clone(),
            description: row.description.clone(),
            source: row.source.clone(),
            branch: row.branch.clone(),
            folder: row.folder.clone(),
            terraform_version: row.terraform_version.clone(),
            iac_type: row.iac_type.clone(),
            execution_mode: row.execution_mode.clone(),
            default_template: row.default_template.as_ref().and_then(|id| id.parse().ok()).map(TemplateId),
            vcs: row.vcs_id,
            ssh_key: row.ssh_key_id,
            cluster: row.cluster_id,
            destroy_protection: Some(row.destroy_protection),
            sees_name: Some(row.sees_name),
        }
    }
}

/// Where a workspace belongs; what is not given stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Belonging {
    /// The project, or none of them.
    pub project: Option<Option<ProjectId>>,
    /// The names of tags that it gets, besides those that it has.
    pub tags: Vec<String>,
}

/// Checks that a folder is inside the repository. Symbolic links are resolved when a step enters the folder.
///
/// # Errors
/// What is allowed.
pub fn check_folder(folder: &str) -> Result<(), &'static str> {
    let outside = folder.split([',', '/']).any(|part| part.trim() == "..");
    if outside || folder.chars().any(char::is_control) {
        return Err("must be a path inside the repository, without .. and control characters");
    }
    Ok(())
}

/// Checks that some version of the tool fits. `tool_version::look` has to be called before.
///
/// # Errors
/// `Invalid` if the range is malformed, or if no version fits; database errors.
pub async fn check_tool(
    app: &App,
    db: &impl ConnectionTrait,
    place: (OrganizationId, Option<ClusterId>),
    execution_mode: &str,
    (iac_type, range): (&str, &str),
) -> Result<()> {
    if execution_mode == "local" {
        // The server keeps the state, and runs nothing.
        tool_version::range(range)?;
        return Ok(());
    }
    tool_version::check(app, db, place, (iac_type, range)).await
}

/// Which sources are accepted besides those of repositories elsewhere.
#[derive(Clone, Debug, Default)]
struct Sources {
    /// Whether repositories on the server's machine may be read.
    local: bool,
    /// The source that is stored. An earlier release may have accepted another one.
    kept: Option<String>,
}

/// Checks that a source is the URL of a repository, or that there is none.
fn check_source(source: &str, accepted: &Sources) -> Result<(), &'static str> {
    let local: &[&str] = if accepted.local { &["file://"] } else { &[] };
    let mut known = ["https://", "http://", "ssh://", "git@"].iter().chain(local);
    let is_url = known.any(|scheme| source.strip_prefix(scheme).is_some_and(|rest| !rest.is_empty()));
    if is_url || ["", "empty"].contains(&source) || accepted.kept.as_deref() == Some(source) {
        return Ok(());
    }
    Err("must be the URL of a repository, and begin with https://, http://, ssh:// or git@")
}

impl WorkspaceDefinition {
    /// Checks the texts.
    fn check(&self, accepted: &Sources) -> Result<()> {
        let mut faults = Faults::default();
        let description = self.description.as_deref().unwrap_or_default();
        for (field, text, most) in [
            ("name", &*self.name, NAME),
            ("description", description, DESCRIPTION),
            ("source", &self.source, SOURCE),
            ("branch", &self.branch, BRANCH),
            ("folder", &self.folder, FOLDER),
            ("terraformVersion", &self.terraform_version, VERSION),
        ] {
            if text.chars().count() > most {
                faults.refuse(field, format!("must have at most {most} characters"));
            }
        }
        if self.name.trim().is_empty() {
            faults.refuse("name", "must not be empty");
        }
        if self.sees_name == Some(true) && !self.name.trim().is_empty() && !is_visible(&self.name) {
            faults.refuse(
                "name",
                "must have no spaces or slashes, and not be default, if terraform.workspace is to be this name",
            );
        }
        if has_secret(&self.source) {
            faults.refuse("source", "must not contain a password or a token; choose a login instead");
        } else if let Err(allowed) = check_source(&self.source, accepted) {
            faults.refuse("source", allowed);
        }
        if let Err(allowed) = check_folder(&self.folder) {
            faults.refuse("folder", allowed);
        }
        for (field, text, of) in [("iacType", &self.iac_type, TOOLS), ("executionMode", &self.execution_mode, MODES)] {
            if !of.contains(&text.as_str()) {
                faults.refuse(field, format!("must be one of {}", of.join(", ")));
            }
        }
        faults.result()
    }

    /// Checks that what it refers to belongs to the organization.
    async fn check_references(&self, tx: &DatabaseTransaction, organization: OrganizationId) -> Result<()> {
        let mut faults = Faults::default();
        let is_own = |of: Option<OrganizationId>| of == Some(organization);
        if let Some(id) = self.default_template
            && store::workspace::template(tx, organization, id).await?.is_none()
        {
            faults.refuse("defaultTemplate", "must be a template of the organization");
        }
        if let Some(id) = self.vcs
            && !is_own(store::workspace::vcs(tx, id).await?.map(|row| row.organization_id))
        {
            faults.refuse("vcs", "must be a VCS connection of the organization");
        }
        if let Some(id) = self.ssh_key
            && !is_own(store::workspace::ssh_key(tx, id).await?.map(|row| row.organization_id))
        {
            faults.refuse("ssh", "must be an SSH key of the organization");
        }
        faults.result()?;
        match self.cluster {
            Some(id) => workspace_cluster::check(tx, organization, id).await,
            None => Ok(()),
        }
    }

    fn write(self, row: workspace::Model) -> workspace::Model {
        let or = |text: String, fallback: &str| if text.is_empty() { fallback.to_owned() } else { text };
        workspace::Model {
            name: self.name,
            description: self.description,
            source: or(self.source, "empty"),
            branch: or(self.branch, "remote-content"),
            folder: or(self.folder, "/"),
            terraform_version: self.terraform_version,
            iac_type: self.iac_type,
            execution_mode: self.execution_mode,
            default_template: self.default_template.map(|id| id.to_string()),
            vcs_id: self.vcs,
            ssh_key_id: self.ssh_key,
            cluster_id: self.cluster,
            destroy_protection: self.destroy_protection.unwrap_or(row.destroy_protection),
            sees_name: self.sees_name.unwrap_or(row.sees_name),
            ..row
        }
    }
}

/// Stores a workspace as somebody defines it: a new one, or one that has another definition now.
///
/// # Errors
/// `Invalid` with all faults; `Conflict` if the organization has a workspace of this name; database errors.
pub async fn save_workspace(
    app: &App,
    by: &Requester,
    organization: OrganizationId,
    old: Option<WorkspaceId>,
    wanted: WorkspaceDefinition,
) -> Result<WorkspaceId> {
    let stored = match old {
        Some(id) => store::row::by_id::<workspace::Model>(&app.db, id).await?,
        None => None,
    };
    let tool = (wanted.iac_type.as_str(), wanted.terraform_version.as_str());
    let is_new = stored.is_none_or(|row| (row.iac_type.as_str(), row.terraform_version.as_str()) != tool);
    if is_new && wanted.execution_mode != "local" {
        tool_version::look(app).await;
        tool_version::require_installed(app, &app.db, (organization, wanted.cluster), tool).await?;
    }
    save_workspace_in(app, by, organization, old, (|_| wanted.clone(), Belonging::default())).await
}

/// The same for a change of the definition that the workspace has, which may be another one than the caller has seen; a new one has an
/// empty definition. Puts it where it belongs.
///
/// # Errors
/// As `save_workspace`.
pub async fn save_workspace_in(
    app: &App,
    by: &Requester,
    organization: OrganizationId,
    old: Option<WorkspaceId>,
    (change, belonging): (impl Fn(WorkspaceDefinition) -> WorkspaceDefinition, Belonging),
) -> Result<WorkspaceId> {
    tool_version::look(app).await;
    let now = app.clock.now();
    let id = store::write(&app.db, async |tx| {
        let missing = || Error::NotFound("workspace");
        let definition = |row: &workspace::Model| match old {
            Some(_) => change(WorkspaceDefinition::from(row)),
            None => change(WorkspaceDefinition::default()),
        };
        let row = match old {
            Some(id) => store::row::by_id::<workspace::Model>(tx, id).await?.ok_or_else(missing)?,
            None => empty(organization, by.author(), now),
        };
        // Locks the cluster, which comes before a workspace.
        let wanted = definition(&row);
        let kept = old.map(|_| row.source.clone());
        wanted.check(&Sources { local: app.config.local_repositories, kept })?;
        wanted.check_references(tx, organization).await?;
        let row = match old {
            Some(id) => store::workspace::lock(tx, id).await?.filter(|row| !row.deleted).ok_or_else(missing)?,
            None => row,
        };
        let wanted = definition(&row);
        let tool = (wanted.iac_type.as_str(), wanted.terraform_version.as_str());
        check_tool(app, tx, (organization, wanted.cluster), &wanted.execution_mode, tool).await?;
        let taken = format!("the organization already has a workspace {}; hidden ones count, too", wanted.name);
        let before = old.map(|_| row.clone());
        let row = wanted.write(belonging.place(tx, row).await?);
        let saved = match old {
            Some(_) => {
                let row = workspace::Model { updated_at: now, updated_by: by.author().to_owned(), ..row };
                store::row::update(tx, row).await
            }
            None => store::row::create(tx, row).await,
        };
        let row = saved.map_err(|error| Error::or_taken(error, taken))?;
        workspace_event::saved(tx, By { who: by, at: now }, before.as_ref(), &row).await?;
        workspace_tags::add(tx, &row, &belonging.tags, By { who: by, at: now }).await?;
        Ok::<_, Error>(row.id)
    })
    .await?;
    app.wake.now();
    Ok(id)
}

impl Belonging {
    /// The row in the project that it belongs to.
    async fn place(&self, tx: &DatabaseTransaction, row: workspace::Model) -> Result<workspace::Model> {
        if let Some(Some(id)) = self.project {
            let found = store::project::by_id(tx, id).await?;
            if found.is_none_or(|project| project.organization_id != row.organization_id) {
                return Err(Error::invalid("project", "must be a project of the organization"));
            }
        }
        Ok(workspace::Model { project_id: self.project.unwrap_or(row.project_id), ..row })
    }
}

fn empty(organization: OrganizationId, by: &str, now: chrono::DateTime<chrono::Utc>) -> workspace::Model {
    workspace::Model {
        id: WorkspaceId::create(),
        organization_id: organization,
        project_id: None,
        vcs_id: None,
        ssh_key_id: None,
        created_at: now,
        updated_at: now,
        created_by: by.to_owned(),
        updated_by: by.to_owned(),
        name: String::new(),
        description: None,
        source: String::new(),
        branch: String::new(),
        folder: String::new(),
        terraform_version: String::new(),
        iac_type: String::new(),
        execution_mode: String::new(),
        locked: false,
        lock_description: None,
        deleted: false,
        default_template: None,
        allow_remote_apply: false,
        module_ssh_key: None,
        last_job_status: "NeverExecuted".to_owned(),
        last_job_date: None,
        state_lock: None,
        state_lock_step: None,
        webhook_id: None,
        destroy_protection: false,
        cluster_id: None,
        sees_name: false,
        locked_by: None,
        locked_at: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_faults_of_a_workspace_are_named() {
        let wrong = WorkspaceDefinition {
            name: " ".into(),
            branch: "b".repeat(257),
            source: "https://me:password@git.example/a.git".into(),
            folder: "a/../..".into(),
            iac_type: "pulumi".into(),
            execution_mode: "remote".into(),
            ..WorkspaceDefinition::default()
        };
        let Err(Error::Faults(faults)) = wrong.check(&Sources::default()) else {
            panic!("accepted, or not all faults")
        };
        let fields: Vec<&str> = faults.iter().map(|fault| fault.field.as_str()).collect();
        assert_eq!(fields, ["branch", "name", "source", "folder", "iacType"]);
    }

    #[test]
    fn sources_are_repositories() {
        let none = Sources::default();
        for fine in ["", "empty", "https://git.example/a.git", "ssh://git@git.example/a", "git@git.example:a.git"] {
            assert_eq!(check_source(fine, &none), Ok(()), "{fine}");
        }
        for wrong in ["ftp://x", "file:///srv/a", "https://", "x", "git.example/a"] {
            assert!(check_source(wrong, &none).is_err(), "{wrong}");
        }
        let local = Sources { local: true, kept: Some("ftp://x".into()) };
        assert_eq!((check_source("file:///srv/a", &local), check_source("ftp://x", &local)), (Ok(()), Ok(())));
    }
}

//! Which version of its tool a workspace gets, and whether there can be one.

use entity::cluster::ClusterKind;
use entity::id::{ClusterId, OrganizationId};
use sea_orm::ConnectionTrait;

use super::workspace_cluster::cluster_for_steps;
use crate::app::App;
use crate::error::{Error, Result};
use crate::runner::terraform::version_range::{FORMS, Version, VersionRange};

/// The field of errors.
const FIELD: &str = "terraformVersion";

/// The program of a workspace.
#[must_use]
pub fn tool(iac_type: &str) -> &'static str {
    if iac_type == "terraform" { "terraform" } else { "tofu" }
}

/// Reads a range of versions.
///
/// # Errors
/// `Invalid` if it is malformed.
pub fn range(text: &str) -> Result<VersionRange> {
    VersionRange::parse(text).ok_or_else(|| Error::invalid(FIELD, FORMS))
}

/// The image of a tool with a version in the range; none if no tag is known to have one.
#[must_use]
pub(super) fn image(app: &App, tool: &str, range: &VersionRange) -> Option<String> {
    let set = if tool == "terraform" { &app.config.terraform_image } else { &app.config.opentofu_image };
    // The tag in the setting is for workspaces that accept any version.
    let (name, tag) = match set.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => (name, tag),
        _ => (set.as_str(), "latest"),
    };
    range.image_tag(tag).map(|tag| format!("{name}:{tag}"))
}

/// Finds out which versions are installed, so that `check` knows them. No transaction may be open.
pub async fn look(app: &App) {
    if app.runners.processes {
        app.toolbox.look("terraform").await;
        app.toolbox.look("tofu").await;
    }
}

/// Checks that some version of the tool fits where the workspace runs, which is the cluster that it names if it does. A server on which no version is known yet takes any.
///
/// # Errors
/// `Invalid` if the range is malformed, or if no version fits; database errors.
pub async fn check(
    app: &App,
    db: &impl ConnectionTrait,
    (organization, chosen): (OrganizationId, Option<ClusterId>),
    (iac_type, range): (&str, &str),
) -> Result<()> {
    let wanted = self::range(range)?;
    let tool = tool(iac_type);
    let cluster = cluster_for_steps(app, db, organization, chosen).await?;
    if cluster.is_some_and(|(_, kind)| kind == ClusterKind::Agent) {
        // Only the agent knows what is installed on its machine.
        return Ok(());
    }
    let in_cluster = cluster.is_some();
    let installed = if in_cluster || !app.runners.processes { Vec::new() } else { app.toolbox.known(tool) };
    if installed.iter().any(|version| wanted.has(version)) {
        return Ok(());
    }
    if in_cluster || app.runners.local_is_docker() {
        let fits = image(app, tool, &wanted).is_some();
        let text =
            "accepts no version that an image is known to have; give an exact version, or only its first two numbers";
        return if fits { Ok(()) } else { Err(Error::invalid(FIELD, text)) };
    }
    if installed.is_empty() {
        return Ok(());
    }
    Err(Error::invalid(FIELD, format!("accepts no version of {tool} that is installed: {}", names(&installed))))
}

/// Checks that a version which somebody names is one that the server has, if its steps are processes of the server. `look` has to be
/// called before. Programs name their own version, and may only want to keep a state, so that `check` is not as strict.
///
/// # Errors
/// `Invalid` if the range is malformed, or if the tool is not installed; database errors.
pub async fn require_installed(
    app: &App,
    db: &impl ConnectionTrait,
    (organization, chosen): (OrganizationId, Option<ClusterId>),
    (iac_type, range): (&str, &str),
) -> Result<()> {
    let (wanted, tool) = (self::range(range)?, tool(iac_type));
    let is_here = app.runners.processes && !app.runners.local_is_docker();
    if wanted.is_any() || !is_here || cluster_for_steps(app, db, organization, chosen).await?.is_some() {
        return Ok(());
    }
    if app.toolbox.known(tool).is_empty() {
        return Err(Error::invalid(FIELD, format!("accepts no version of {tool} that is installed: there is none")));
    }
    Ok(())
}

/// Versions in a message.
pub(super) fn names(versions: &[Version]) -> String {
    versions.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

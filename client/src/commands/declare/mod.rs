//! `windlass apply`, `diff` and `export`: environments as files. The server compares and stores; here the files are read and written.

mod change;
mod declared_workspace;
mod document;
mod edit;
mod files;
mod organization;
mod outcome;
mod settings;
mod shown;
mod values;
mod workspaces;
mod written;

use std::collections::HashSet;
use std::path::PathBuf;

use clap::Args;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use self::change::Change;
use self::declared_workspace::Workspace;
use self::document::{Document, PROJECT_LISTS};
pub(crate) use self::edit::{Edit, edit};
use self::organization::Mode;
use self::outcome::{Told, tell};
use self::settings::{Kind, Setting};
use self::shown::show;
pub(crate) use self::written::yaml;
use crate::failure::{Failure, Result};
use crate::names::Place;
use crate::screen::Screen;

/// The JSON Schema of the files, for editors.
const SCHEMA: &str = include_str!("../../../../api-spec/windlass.schema.json");

#[derive(Args)]
pub(crate) struct Source {
    /// A file, a folder with `.yaml`, `.yml` and `.json` files, or `-` for standard input; may be repeated.
    #[arg(long = "file", short, required = true)]
    files: Vec<PathBuf>,
    /// Delete jobs and checks of these environments that have this label, as KEY=VALUE, and workspaces that have it as a tag, if they are
    /// not in the files.
    #[arg(long)]
    prune: Option<String>,
}

#[derive(Args)]
pub(crate) struct Apply {
    #[command(flatten)]
    source: Source,
    /// Deploy what has changed as well.
    #[arg(long)]
    deploy: bool,
}

#[derive(Args)]
pub(crate) struct Export {
    /// The environments; all if none is named, and all workspaces.
    environments: Vec<String>,
}

async fn tell_all(place: &Place, documents: &[Document], prune: Option<&str>, dry_run: bool) -> Result<Vec<Told>> {
    let mode = if dry_run { Mode::Preview } else { Mode::Store };
    let of = |kind: Kind| -> Vec<&Setting> {
        documents.iter().flat_map(|document| &document.settings).filter(|setting| setting.kind == kind).collect()
    };
    let mut told: Vec<Told> = Vec::with_capacity(documents.len());
    let mut seen = HashSet::new();
    for kind in [Kind::Calendar, Kind::Receiver] {
        told.extend(organization::settle(place, kind, &of(kind), mode).await?);
    }
    let declared: Vec<&Workspace> = documents.iter().flat_map(|document| &document.workspaces).collect();
    told.extend(workspaces::settle(place, &declared, prune, mode).await?);
    for document in documents.iter().filter(|document| document.has_environment()) {
        let mut one = tell(place, document, prune, dry_run).await?;
        // What several documents would change of their project changes once.
        one.outcome.changes.retain(|change| {
            !change.is_of_project() || seen.insert((document.project(), change.kind.clone(), change.name.clone()))
        });
        told.push(one);
    }
    told.extend(organization::settle(place, Kind::Rule, &of(Kind::Rule), mode).await?);
    Ok(told)
}

/// Shows what would change; ends with exit code 2 if anything would.
pub(crate) async fn diff(place: &Place, source: Source, screen: &mut Screen) -> Result<()> {
    let documents = files::read(&source.files)?;
    let told = tell_all(place, &documents, source.prune.as_deref(), true).await?;
    let differs = told.iter().any(|told| !told.outcome.changes.is_empty());
    show(&told, "is as declared", screen)?;
    if differs { Err(Failure::Exited(2)) } else { Ok(()) }
}

/// Stores what is declared. All files are checked before the first is stored.
pub(crate) async fn apply(place: &Place, wanted: Apply, screen: &mut Screen) -> Result<()> {
    let Apply { source, deploy } = wanted;
    let documents = files::read(&source.files)?;
    let prune = source.prune.as_deref();
    if documents.len() > 1 || documents.iter().any(Document::has_more) {
        tell_all(place, &documents, prune, true).await?;
    }
    let told = tell_all(place, &documents, prune, false).await?;
    show(&told, "is unchanged", screen)?;
    if deploy {
        let projects: HashSet<&str> = told
            .iter()
            .filter(|told| told.outcome.changes.iter().any(|change| change.is_of_project() && change.is_variable()))
            .map(Told::project)
            .collect();
        for told in &told {
            deploy_changed(place, told, projects.contains(told.project()), screen).await?;
        }
    } else if told.iter().any(|told| told.outcome.changes.iter().any(Change::waits_for_deployment)) {
        screen.remark("what has changed runs when it is deployed: `windlass deploy ENV`, or apply with --deploy");
    }
    Ok(())
}

/// Deploys the jobs that have changed, or the whole environment if what all of its jobs see has; `all_see` says so of its project.
async fn deploy_changed(place: &Place, told: &Told, all_see: bool, screen: &mut Screen) -> Result<()> {
    let Some(id) = told.outcome.environment_id else { return Ok(()) };
    let kept = told.outcome.changes.iter().filter(|change| !(change.kind == "JOB" && change.action == "DELETE"));
    let changed: Vec<&Change> = kept.filter(|change| !matches!(change.kind.as_str(), "STAGE" | "CHECK")).collect();
    if changed.is_empty() && !all_see {
        return Ok(());
    }
    if all_see || changed.iter().any(|change| change.job_id.is_none()) {
        place.api.send(Method::POST, &format!("/environment/{id}/deploy"), None).await?;
    } else {
        let mut jobs: Vec<Uuid> = changed.iter().filter_map(|change| change.job_id).collect();
        jobs.sort_unstable();
        jobs.dedup();
        let jobs: Vec<Value> = jobs.into_iter().map(|id| json!({ "id": id })).collect();
        place.api.post(&format!("/environment/{id}/service/deploy"), &json!({ "jobs": jobs })).await?;
    }
    screen.say(&format!("the deployment of {} is requested", told.name));
    Ok(())
}

/// Writes environments as a file that can be applied again.
pub(crate) async fn export(place: &Place, wanted: Export, screen: &mut Screen) -> Result<()> {
    let all = if wanted.environments.is_empty() {
        place.environments().await?
    } else {
        let mut found = Vec::with_capacity(wanted.environments.len());
        for name in &wanted.environments {
            found.push(place.environment(name).await?);
        }
        found
    };
    let mut documents = Vec::with_capacity(all.len());
    if wanted.environments.is_empty() {
        documents.extend(workspaces::export(place).await?);
    }
    for one in all {
        let path = format!("/environment/{}/declaration", one.environment.id);
        documents.push(place.api.get(&path, &[]).await?);
    }
    if screen.is_json() {
        return screen.raw(&json!({ "results": documents }));
    }
    let mut projects = HashSet::new();
    for (place, mut document) in documents.into_iter().enumerate() {
        // The variables of a project are written once.
        let project = document.get("project").and_then(Value::as_str).unwrap_or_default().to_owned();
        if let (false, Value::Object(fields)) = (projects.insert(project), &mut document) {
            PROJECT_LISTS.iter().for_each(|key| drop(fields.remove(*key)));
        }
        let text = yaml(document)?;
        let separator = if place == 0 { "" } else { "---\n" };
        screen.pass(format!("{separator}{text}").as_bytes())?;
    }
    Ok(())
}

/// Prints the JSON Schema of the files.
pub(crate) fn schema(screen: &mut Screen) -> Result<()> {
    screen.pass(SCHEMA.as_bytes())
}

//! Modules of the private registry.

use clap::{Args, Subcommand};
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::api::shown;
use crate::commands::unconfirmed::unconfirmed;
use crate::failure::{Failure, Result};
use crate::names::Place;
use crate::screen::{Cell, Screen, Tone};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// List modules.
    List,
    /// Add a module: a repository, or a folder of it.
    Add(Add),
    /// Read the tags of a module now, and print its versions.
    Refresh {
        /// Its name and its system, such as network/aws.
        module: String,
    },
    /// Delete a module.
    Delete {
        /// Its name and its system, such as network/aws.
        module: String,
        /// Delete it without asking.
        #[arg(long)]
        yes: bool,
    },
}

#[derive(Args)]
pub(crate) struct Add {
    /// Its name and its system, such as network/aws.
    module: String,
    /// The URL of the repository.
    source: String,
    /// The folder of the module in the repository.
    #[arg(long)]
    folder: Option<String>,
    /// What its tags have before the version, such as network/.
    #[arg(long)]
    tag_prefix: Option<String>,
    #[arg(long)]
    description: Option<String>,
    /// The VCS connection with which the repository is read.
    #[arg(long)]
    vcs: Option<String>,
    /// The SSH key with which the repository is read.
    #[arg(long)]
    ssh: Option<String>,
}

#[derive(Deserialize)]
struct Data<T> {
    data: T,
}

#[derive(Deserialize)]
struct Row {
    id: String,
    attributes: Value,
}

impl Row {
    fn text(&self, name: &str) -> &str {
        self.attributes.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    fn address(&self) -> String {
        format!("{}/{}", self.text("name"), self.text("provider"))
    }
}

#[derive(Deserialize)]
struct Listed {
    modules: Vec<ListedModule>,
}

#[derive(Deserialize)]
struct ListedModule {
    versions: Vec<ListedVersion>,
}

#[derive(Deserialize)]
struct ListedVersion {
    version: String,
}

fn below(place: &Place, rest: &str) -> String {
    format!("/api/v1/organization/{}/{rest}", place.organization)
}

/// The parts of an address.
fn parts(module: &str) -> Result<(&str, &str)> {
    let wrong = || Failure::Usage(format!("a module is written as name/system, such as network/aws, not {module}"));
    module.split_once('/').filter(|(name, system)| !name.is_empty() && !system.contains('/')).ok_or_else(wrong)
}

async fn rows(place: &Place, rest: &str) -> Result<Vec<Row>> {
    let answer: Data<Vec<Row>> = shown(&place.api.get(&below(place, rest), &[]).await?)?;
    Ok(answer.data)
}

/// The id of a row by its name, for a relationship.
async fn linked(place: &Place, kind: &str, name: &str) -> Result<Value> {
    let all = rows(place, kind).await?;
    let found = all.into_iter().find(|row| row.text("name") == name || row.id == name);
    let found = found.ok_or_else(|| Failure::NotFound(format!("there is no {kind} {name}")))?;
    Ok(json!({"data": {"type": kind, "id": found.id}}))
}

pub(super) async fn run(place: &Place, command: Command, screen: &mut Screen) -> Result<()> {
    match command {
        Command::List => list(place, screen).await,
        Command::Add(wanted) => add(place, wanted, screen).await,
        Command::Refresh { module } => {
            let (name, system) = parts(&module)?;
            refresh(place, name, system, screen).await
        }
        Command::Delete { module, yes } => {
            let all = rows(place, "module").await?;
            let found = all.into_iter().find(|row| row.address() == module || row.id == module);
            let row = found.ok_or_else(|| Failure::NotFound(format!("there is no module {module}")))?;
            if !yes {
                return Err(unconfirmed(&format!("the module {}", row.address())));
            }
            place.api.send(Method::DELETE, &below(place, &format!("module/{}", row.id)), None).await?;
            screen.say(&format!("{} is deleted", row.address()));
            Ok(())
        }
    }
}

async fn list(place: &Place, screen: &mut Screen) -> Result<()> {
    if screen.is_raw() {
        return screen.raw(&place.api.get(&below(place, "module"), &[]).await?);
    }
    let mut cells: Vec<Vec<Cell>> = Vec::new();
    for row in rows(place, "module").await? {
        let fault = row.text("refreshError");
        let state = if fault.is_empty() { Cell::from("") } else { Cell::new(fault.to_owned(), Tone::Bad) };
        cells.push(vec![
            row.address().into(),
            row.text("latestVersion").into(),
            row.text("source").into(),
            row.text("folder").into(),
            state,
        ]);
    }
    screen.table(&["module", "latest", "source", "folder", "fault"], &cells);
    Ok(())
}

async fn add(place: &Place, wanted: Add, screen: &mut Screen) -> Result<()> {
    let Add { module, source, folder, tag_prefix, description, vcs, ssh } = wanted;
    let (name, system) = parts(&module)?;
    let attributes = json!({
        "name": name, "provider": system, "source": source, "folder": folder, "tagPrefix": tag_prefix, "description": description,
    });
    let mut relationships = Map::new();
    for (kind, name) in [("vcs", vcs), ("ssh", ssh)] {
        if let Some(name) = name {
            relationships.insert(kind.to_owned(), linked(place, kind, &name).await?);
        }
    }
    let body = json!({"data": {"type": "module", "attributes": attributes, "relationships": relationships}});
    place.api.json_api(Method::POST, &below(place, "module"), &body).await?;
    refresh(place, name, system, screen).await
}

async fn refresh(place: &Place, name: &str, system: &str, screen: &mut Screen) -> Result<()> {
    let path = format!("/v1/modules/{}/{name}/{system}/refresh", place.organization);
    let answer = place.api.send(Method::POST, &path, None).await?;
    if screen.is_raw() {
        return screen.raw(&answer);
    }
    let listed: Listed = shown(&answer)?;
    let versions = listed.modules.into_iter().flat_map(|module| module.versions);
    let cells: Vec<Vec<Cell>> = versions.map(|version| vec![version.version.into()]).collect();
    if cells.is_empty() {
        screen.say(&format!("{name}/{system} has no versions yet: none of its tags is a version such as v1.0.0"));
        return Ok(());
    }
    screen.table(&["version"], &cells);
    Ok(())
}

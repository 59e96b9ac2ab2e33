//! `windlass workspace state`: the versions of the state of a workspace.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde::Deserialize;
use serde_json::{Value, json};

use super::workspace_changes::{ChangedOutput, ChangedResource, table};
use super::workspace_rows::{Row, find, of_state, rows};
use crate::api::shown;
use crate::failure::{Failure, Result};
use crate::names::Place;
use crate::screen::{Cell, Screen};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// List the versions, the newest first.
    List { workspace: String },
    /// Print the outputs of a version, without sensitive values.
    Show(Version),
    /// Print what differs between two versions, without sensitive values.
    Diff {
        workspace: String,
        /// A serial or an id.
        from: String,
        /// A serial or an id; the newest by default.
        to: Option<String>,
    },
    /// List the resources of a version, without downloading it.
    Resources(Version),
    /// Make an earlier version the newest one again, under a new serial.
    Rollback {
        workspace: String,
        /// A serial or an id.
        version: String,
        /// Why; it is kept with the new version.
        #[arg(long)]
        reason: String,
        /// The id of the lock of the state, if you hold it.
        #[arg(long)]
        lock_id: Option<String>,
    },
    /// Store a state file as the newest version.
    Import(ImportFile),
    /// Print a version as it is stored, or write it into a file. It may contain secrets in the clear.
    Export {
        #[command(flatten)]
        of: Version,
        /// The file; it must not exist.
        #[arg(long)]
        file: Option<PathBuf>,
    },
}

#[derive(Args)]
pub(crate) struct Version {
    workspace: String,
    /// A serial or an id; the newest by default.
    #[arg(long)]
    version: Option<String>,
}

#[derive(Args)]
pub(crate) struct ImportFile {
    workspace: String,
    file: PathBuf,
    /// Why; it is kept with the version.
    #[arg(long)]
    reason: Option<String>,
    /// The MD5 sum that the file must have, in hexadecimal digits.
    #[arg(long)]
    md5: Option<String>,
    /// Replace a state that is newer, or of another lineage.
    #[arg(long)]
    force: bool,
    /// The id of the lock of the state, if you hold it.
    #[arg(long)]
    lock_id: Option<String>,
}

#[derive(Deserialize)]
struct Head {
    id: String,
    serial: i64,
}

#[derive(Deserialize)]
struct Page {
    total: u64,
    more: bool,
    resources: Vec<Resource>,
}

#[derive(Deserialize)]
struct Resource {
    address: String,
    #[serde(rename = "type")]
    kind: String,
    provider: String,
    module: Option<String>,
}

#[derive(Deserialize)]
struct Outputs {
    version: Head,
    outputs: Vec<Output>,
}

#[derive(Deserialize)]
struct Output {
    name: String,
    sensitive: bool,
    large: bool,
    value: Option<Value>,
}

#[derive(Deserialize)]
struct Comparison {
    from: Head,
    to: Head,
    resources: Vec<ChangedResource>,
    outputs: Vec<ChangedOutput>,
    more: bool,
}

pub(crate) async fn run(place: &Place, command: Command, screen: &mut Screen) -> Result<()> {
    match command {
        Command::List { workspace } => list(place, &workspace, screen).await,
        Command::Show(of) => show(place, of, screen).await,
        Command::Diff { workspace, from, to } => diff(place, &workspace, (&from, to.as_deref()), screen).await,
        Command::Resources(of) => resources(place, of, screen).await,
        Command::Rollback { workspace, version, reason, lock_id } => {
            let row = find(place, &workspace).await?;
            let id = version_id(place, &row, &version).await?;
            let query: Vec<_> = lock_id.map(|id| ("ID", id)).into_iter().collect();
            let body = json!({"versionId": id, "reason": reason});
            let answer = place.api.post_with(&of_state(place, &row, "rollback"), &query, &body).await?;
            told(&answer, &workspace, screen)
        }
        Command::Import(wanted) => import(place, wanted, screen).await,
        Command::Export { of, file } => export(place, of, file, screen).await,
    }
}

/// The id of a version that is named by its serial or its id.
async fn version_id(place: &Place, of: &Row, named: &str) -> Result<String> {
    let Ok(serial) = named.parse::<i64>() else { return Ok(named.to_owned()) };
    let query = [("filter[history]", format!("serial=={serial}")), ("sort", "-createdDate".to_owned())];
    let found = rows(place, &format!("workspace/{}/history", of.id()), &query).await?;
    let missing = || Failure::NotFound(format!("there is no version with the serial {serial}"));
    found.first().map(Row::id).ok_or_else(missing)
}

async fn query_of(place: &Place, row: &Row, version: Option<&str>) -> Result<Vec<(&'static str, String)>> {
    Ok(match version {
        Some(named) => vec![("version", version_id(place, row, named).await?)],
        None => Vec::new(),
    })
}

fn told(answer: &Value, workspace: &str, screen: &mut Screen) -> Result<()> {
    if screen.is_raw() {
        return screen.raw(answer);
    }
    let head: Head = shown(answer)?;
    screen.say(&format!("the newest state of {workspace} has the serial {} (version {})", head.serial, head.id));
    Ok(())
}

async fn list(place: &Place, name: &str, screen: &mut Screen) -> Result<()> {
    let row = find(place, name).await?;
    let path = format!("workspace/{}/history", row.id());
    let query = [("sort", "-createdDate".to_owned()), ("page[size]", "100".to_owned())];
    if screen.is_raw() {
        let path = format!("/api/v1/organization/{}/{path}", place.organization);
        return screen.raw(&place.api.get(&path, &query).await?);
    }
    let cells: Vec<Vec<Cell>> = rows(place, &path, &query)
        .await?
        .iter()
        .map(|one| {
            let serial = one.attributes.get("serial").map(Value::to_string).unwrap_or_default();
            let job = one.text("jobReference");
            let job = if job.is_empty() { String::new() } else { format!("job {job}") };
            let id = one.id();
            let texts =
                [serial.as_str(), one.text("createdDate"), one.text("createdBy"), &job, one.text("reason"), &id];
            texts.map(|text| Cell::from(text.to_owned())).into()
        })
        .collect();
    screen.table(&["serial", "when", "by", "job", "why", "id"], &cells);
    Ok(())
}

async fn show(place: &Place, of: Version, screen: &mut Screen) -> Result<()> {
    let row = find(place, &of.workspace).await?;
    let query = query_of(place, &row, of.version.as_deref()).await?;
    let answer = place.api.get(&of_state(place, &row, "outputs"), &query).await?;
    if screen.is_raw() {
        return screen.raw(&answer);
    }
    let Outputs { version, outputs } = shown(&answer)?;
    screen.remark(&format!("serial {} (version {})", version.serial, version.id));
    let value = |one: &Output| match &one.value {
        _ if one.sensitive => "(sensitive)".to_owned(),
        _ if one.large => "(large)".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
        None => "null".to_owned(),
    };
    let cells = outputs.iter().map(|one| vec![one.name.as_str().into(), value(one).into()]);
    let cells: Vec<Vec<Cell>> = cells.collect();
    screen.table(&["output", "value"], &cells);
    Ok(())
}

async fn diff(place: &Place, name: &str, (from, to): (&str, Option<&str>), screen: &mut Screen) -> Result<()> {
    let row = find(place, name).await?;
    let mut query = vec![("from", version_id(place, &row, from).await?)];
    if let Some(to) = to {
        query.push(("to", version_id(place, &row, to).await?));
    }
    let answer = place.api.get(&of_state(place, &row, "comparison"), &query).await?;
    if screen.is_raw() {
        return screen.raw(&answer);
    }
    let Comparison { from, to, resources, outputs, more } = shown(&answer)?;
    screen.remark(&format!("from serial {} to serial {}", from.serial, to.serial));
    let outputs = outputs.into_iter().map(ChangedResource::from);
    table(&resources.into_iter().chain(outputs).collect::<Vec<_>>(), screen);
    if more {
        screen.remark("there are more changes than are shown");
    }
    Ok(())
}

async fn resources(place: &Place, of: Version, screen: &mut Screen) -> Result<()> {
    const SIZE: u64 = 1000;
    let row = find(place, &of.workspace).await?;
    let mut query = query_of(place, &row, of.version.as_deref()).await?;
    query.push(("size", SIZE.to_string()));
    let (mut all, mut cells, mut page) = (Vec::new(), Vec::<Vec<Cell>>::new(), 1);
    loop {
        let mut query = query.clone();
        query.push(("page", page.to_string()));
        let answer = place.api.get(&of_state(place, &row, "resources"), &query).await?;
        if screen.is_raw() {
            all.extend(answer.get("resources").and_then(Value::as_array).cloned().unwrap_or_default());
        }
        let Page { total, more, resources } = shown(&answer)?;
        for one in &resources {
            let module = one.module.as_deref().unwrap_or("-");
            let texts = [one.address.as_str(), &one.kind, &one.provider, module];
            cells.push(texts.map(|text| Cell::from(text.to_owned())).into());
        }
        if resources.is_empty() || page * SIZE >= total {
            if more {
                screen.remark("the state has more resources than are listed");
            }
            break;
        }
        page += 1;
    }
    if screen.is_raw() {
        return screen.raw(&all.into());
    }
    screen.table(&["resource", "type", "provider", "module"], &cells);
    Ok(())
}

async fn import(place: &Place, wanted: ImportFile, screen: &mut Screen) -> Result<()> {
    let ImportFile { workspace, file, reason, md5, force, lock_id } = wanted;
    let row = find(place, &workspace).await?;
    let unread = |error: std::io::Error| Failure::Usage(format!("{} cannot be read: {error}", file.display()));
    let content = std::fs::read(&file).map_err(unread)?;
    let mut query = vec![("force", force.to_string())];
    query.extend(reason.map(|reason| ("reason", reason)));
    query.extend(md5.map(|md5| ("md5", md5)));
    query.extend(lock_id.map(|id| ("ID", id)));
    let answer = place.api.upload_json(&of_state(place, &row, "import"), &query, content).await?;
    told(&answer, &workspace, screen)
}

async fn export(place: &Place, of: Version, to: Option<PathBuf>, screen: &mut Screen) -> Result<()> {
    let row = find(place, &of.workspace).await?;
    let name = match of.version.as_deref() {
        Some(named) => format!("{}.raw.json", version_id(place, &row, named).await?),
        None => "terraform.tfstate".to_owned(),
    };
    let mut answer = place.api.stream(&of_state(place, &row, &format!("state/{name}")), &[]).await?;
    let broken = |error: reqwest::Error| Failure::Refused(format!("the state broke off: {error}"));
    let mut file = to.as_deref().map(private_file).transpose()?;
    let mut bytes = 0;
    while let Some(part) = answer.chunk().await.map_err(broken)? {
        bytes += part.len();
        match &mut file {
            Some(file) => std::io::Write::write_all(file, &part)
                .map_err(|error| Failure::Refused(format!("the file cannot be written: {error}")))?,
            None => screen.pass(&part)?,
        }
    }
    if bytes == 0 {
        return Err(Failure::NotFound(format!("{} has no such state", of.workspace)));
    }
    Ok(())
}

/// A new file that only its owner reads.
fn private_file(path: &Path) -> Result<std::fs::File> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map_err(|error| Failure::Usage(format!("{} cannot be created: {error}", path.display())))
}

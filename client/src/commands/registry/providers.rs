//! Providers of the private registry and its mirror.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde::Deserialize;

use super::provider_file::{Kind, ProviderFile, files, origin};
use crate::api::shown;
use crate::failure::{Failure, Result};
use crate::names::Place;
use crate::screen::{Cell, Screen};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// List providers, with their versions and platforms.
    List,
    /// Upload the files of providers: SHA256SUMS, SHA256SUMS.sig and archives, or folders with them.
    Upload(Upload),
}

#[derive(Args)]
pub(crate) struct Upload {
    /// Files, and folders of files.
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    /// The files are copies from other registries, in folders as `terraform providers mirror` writes them.
    #[arg(long)]
    mirror: bool,
    /// Versions of the plugin protocol that the provider speaks, separated by commas [default: 5.0].
    #[arg(long, conflicts_with = "mirror")]
    protocols: Option<String>,
}

#[derive(Deserialize)]
struct Listed {
    providers: Vec<Provider>,
}

#[derive(Deserialize)]
struct Provider {
    hostname: String,
    namespace: String,
    name: String,
    versions: Vec<Version>,
}

#[derive(Deserialize)]
struct Version {
    version: String,
    platforms: Vec<String>,
    signed: bool,
}

pub(super) async fn run(place: &Place, command: Command, screen: &mut Screen) -> Result<()> {
    match command {
        Command::List => list(place, screen).await,
        Command::Upload(wanted) => upload(place, wanted, screen).await,
    }
}

async fn list(place: &Place, screen: &mut Screen) -> Result<()> {
    let answer = place.api.get(&format!("/v1/mirror/{}", place.organization), &[]).await?;
    if screen.is_raw() {
        return screen.raw(&answer);
    }
    let listed: Listed = shown(&answer)?;
    let mut cells: Vec<Vec<Cell>> = Vec::new();
    for Provider { hostname, namespace, name, versions } in listed.providers {
        let is_own = hostname.is_empty();
        let address = if is_own { name } else { format!("{hostname}/{namespace}/{name}") };
        for Version { version, platforms, signed } in versions {
            let note = if is_own && !signed { "not signed yet" } else { "" };
            cells.push(vec![address.clone().into(), version.into(), platforms.join(" ").into(), note.into()]);
        }
    }
    screen.table(&["provider", "version", "platforms", "note"], &cells);
    Ok(())
}

async fn upload(place: &Place, wanted: Upload, screen: &mut Screen) -> Result<()> {
    let Upload { paths, mirror, protocols } = wanted;
    for file in files(&paths, mirror)? {
        let path = address(place, &file, mirror)?;
        let shown = file.path.display().to_string();
        let failed = |error: std::io::Error| Failure::Usage(format!("{shown} cannot be read: {error}"));
        let bytes = tokio::fs::read(&file.path).await.map_err(failed)?;
        let protocols = protocols.iter().filter(|_| file.kind == Kind::Checksums);
        let query: Vec<(&str, String)> = protocols.map(|text| ("protocols", text.clone())).collect();
        place.api.upload_bytes(&path, &query, bytes).await.map_err(|failure| failure.about(&file.filename))?;
        screen.say(&format!("{} is uploaded", file.filename));
    }
    Ok(())
}

/// Where a file is uploaded.
fn address(place: &Place, file: &ProviderFile, mirror: bool) -> Result<String> {
    let ProviderFile { name, version, filename, .. } = file;
    let organization = place.organization;
    if !mirror {
        return Ok(format!("/v1/providers/{organization}/{name}/{version}/files/{filename}"));
    }
    let unknown = || {
        let text = "a copy must be in folders that say where it is from: HOSTNAME/NAMESPACE/NAME/FILE, not";
        Failure::Usage(format!("{text} {}", file.path.display()))
    };
    let (hostname, namespace) = origin(&file.path).ok_or_else(unknown)?;
    Ok(format!("/v1/mirror/{organization}/{hostname}/{namespace}/{name}/{version}/files/{filename}"))
}

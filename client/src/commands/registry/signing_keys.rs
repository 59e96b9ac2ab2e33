//! The public keys that sign providers.

use std::path::PathBuf;

use clap::Subcommand;
use reqwest::Method;
use serde::Deserialize;
use serde_json::json;

use crate::api::shown;
use crate::commands::unconfirmed::unconfirmed;
use crate::failure::{Failure, Result};
use crate::names::Place;
use crate::screen::{Cell, Screen};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// List signing keys.
    List,
    /// Add a public key, as `gpg --armor --export` writes it.
    Add { file: PathBuf },
    /// Delete a key by its id: programs then refuse what only it has signed.
    Delete {
        key: String,
        /// Delete it without asking.
        #[arg(long)]
        yes: bool,
    },
}

const PATH: &str = "/api/registry/private/v2/gpg-keys";

#[derive(Deserialize)]
struct Data<T> {
    data: T,
}

#[derive(Deserialize)]
struct Row {
    attributes: Attributes,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Attributes {
    key_id: String,
    created_at: String,
}

pub(super) async fn run(place: &Place, command: Command, screen: &mut Screen) -> Result<()> {
    match command {
        Command::List => {
            let query = [("filter[namespace]", place.organization.to_string())];
            let answer = place.api.get(PATH, &query).await?;
            if screen.is_raw() {
                return screen.raw(&answer);
            }
            let listed: Data<Vec<Row>> = shown(&answer)?;
            let cells =
                listed.data.into_iter().map(|row| vec![row.attributes.key_id.into(), row.attributes.created_at.into()]);
            let cells: Vec<Vec<Cell>> = cells.collect();
            screen.table(&["key", "added"], &cells);
            Ok(())
        }
        Command::Add { file } => {
            let failed = |error: std::io::Error| Failure::Usage(format!("{} cannot be read: {error}", file.display()));
            let armor = tokio::fs::read_to_string(&file).await.map_err(failed)?;
            let attributes = json!({"namespace": place.organization, "ascii-armor": armor});
            let body = json!({"data": {"type": "gpg-keys", "attributes": attributes}});
            let answer = place.api.json_api(Method::POST, PATH, &body).await?;
            if screen.is_raw() {
                return screen.raw(&answer);
            }
            let added: Data<Row> = shown(&answer)?;
            screen.say(&format!("{} is added", added.data.attributes.key_id));
            Ok(())
        }
        Command::Delete { key, yes } => {
            if !yes {
                return Err(unconfirmed(&format!("the key {key}")));
            }
            place.api.send(Method::DELETE, &format!("{PATH}/{}/{key}", place.organization), None).await?;
            screen.say(&format!("{key} is deleted"));
            Ok(())
        }
    }
}

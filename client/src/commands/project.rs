//! `windlass project`.

use clap::Subcommand;
use reqwest::Method;
use serde_json::json;

use super::unconfirmed::unconfirmed;
use crate::api::shown;
use crate::failure::{Failure, Result};
use crate::names::Place;
use crate::rows::{List, Named};
use crate::screen::{Cell, Screen};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// List projects.
    List,
    /// Create a project.
    Create { name: String },
    /// Delete a project with all that is in it.
    Delete {
        project: String,
        /// Delete it without asking.
        #[arg(long)]
        yes: bool,
    },
}

pub(crate) async fn run(place: &Place, command: Command, screen: &mut Screen) -> Result<()> {
    let path = format!("/organization/{}/project", place.organization);
    match command {
        Command::List => {
            let answer = place.api.get(&path, &[]).await?;
            if screen.is_raw() {
                return screen.raw(&answer);
            }
            let projects: List<Named> = shown(&answer)?;
            let cells = projects.results.iter().map(|row| vec![row.name.as_str().into(), row.id.to_string().into()]);
            let cells: Vec<Vec<Cell>> = cells.collect();
            screen.table(&["project", "id"], &cells);
            Ok(())
        }
        Command::Create { name } => {
            let answer = place.api.post(&path, &json!({ "name": name })).await?;
            if screen.is_raw() {
                screen.raw(&answer)
            } else {
                screen.say(&format!("{name} is created"));
                Ok(())
            }
        }
        Command::Delete { project, yes } => {
            let row = find(place, &project).await?;
            if !yes {
                return Err(unconfirmed(&format!("the project {}", row.name)));
            }
            place.api.send(Method::DELETE, &format!("/project/{}", row.id), None).await?;
            screen.say(&format!("{} is being deleted", row.name));
            Ok(())
        }
    }
}

/// The project that is meant.
pub(crate) async fn find(place: &Place, name: &str) -> Result<Named> {
    let all: List<Named> = shown(&place.api.get(&format!("/organization/{}/project", place.organization), &[]).await?)?;
    let fits = |row: &Named| row.id.to_string() == name || row.name.to_lowercase() == name.to_lowercase();
    all.results.into_iter().find(fits).ok_or_else(|| Failure::NotFound(format!("there is no project {name}")))
}

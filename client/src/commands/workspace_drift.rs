//! `windlass workspace drift`: what was changed outside of the tool.

use clap::Subcommand;
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::workspace_changes::{ChangedResource, table};
use super::workspace_rows::{Data, Row, below, find, of_state};
use crate::api::shown;
use crate::failure::Result;
use crate::names::Place;
use crate::screen::Screen;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Print the resources that were changed, and their values.
    Show { workspace: String },
    /// Start a job that looks for drift, and changes nothing.
    Check { workspace: String },
    /// Start the job that takes the changes into the state.
    Accept { workspace: String },
    /// Start the job that makes everything again as it is configured.
    Revert { workspace: String },
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Drift {
    drifted: bool,
    since: Option<String>,
    checked_at: Option<String>,
    job_id: Option<i64>,
    resources: Vec<ChangedResource>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Started {
    job_id: i64,
}

pub(crate) async fn run(place: &Place, command: Command, screen: &mut Screen) -> Result<()> {
    match command {
        Command::Show { workspace } => show(place, &workspace, screen).await,
        Command::Check { workspace } => check(place, &workspace, screen).await,
        Command::Accept { workspace } => settle(place, &workspace, "accept", screen).await,
        Command::Revert { workspace } => settle(place, &workspace, "revert", screen).await,
    }
}

async fn show(place: &Place, name: &str, screen: &mut Screen) -> Result<()> {
    let row = find(place, name).await?;
    let answer = place.api.get(&of_state(place, &row, "drift"), &[]).await?;
    if screen.is_raw() {
        return screen.raw(&answer);
    }
    let found: Drift = shown(&answer)?;
    if !found.drifted {
        screen.say(&format!("no drift of {name} is known"));
        return Ok(());
    }
    let text = |at: Option<String>| at.unwrap_or_default();
    let job = found.job_id.unwrap_or_default();
    screen.remark(&format!("drifted since {}, as job {job} found at {}", text(found.since), text(found.checked_at)));
    table(&found.resources, screen);
    Ok(())
}

async fn check(place: &Place, name: &str, screen: &mut Screen) -> Result<()> {
    let row = find(place, name).await?;
    let body = json!({"data": {"type": "job", "attributes": {"command": "plan", "refreshOnly": true},
        "relationships": {"workspace": {"data": {"type": "workspace", "id": row.id()}}}}});
    let answer = place.api.json_api(Method::POST, &below(place, "job"), &body).await?;
    if screen.is_raw() {
        return screen.raw(&answer);
    }
    let job: Data<Row> = shown(&answer)?;
    screen.say(&format!("job {} of {name} looks for drift", job.data.id()));
    Ok(())
}

async fn settle(place: &Place, name: &str, word: &str, screen: &mut Screen) -> Result<()> {
    let row = find(place, name).await?;
    let answer = place.api.send(Method::POST, &of_state(place, &row, &format!("drift/{word}")), None::<&Value>).await?;
    if screen.is_raw() {
        return screen.raw(&answer);
    }
    let started: Started = shown(&answer)?;
    screen.say(&format!("job {} of {name} will {word} the drift", started.job_id));
    Ok(())
}

//! `windlass env`, `windlass deploy` and `windlass stop`.

use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::json;

use super::unconfirmed::unconfirmed;
use super::{project, watch};
use crate::failure::Result;
use crate::names::Place;
use crate::screen::{Cell, Screen};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// List environments.
    List,
    /// Create an environment.
    Create {
        name: String,
        /// The project that it belongs to.
        #[arg(long)]
        project: String,
        /// DEVELOPMENT, STAGING, PREVIEW or PRODUCTION; by default what the server decides.
        #[arg(long)]
        mode: Option<String>,
    },
    /// Delete an environment with all that is in it.
    Delete {
        env: String,
        /// Delete it without asking.
        #[arg(long)]
        yes: bool,
    },
}

#[derive(Args)]
pub(crate) struct Target {
    /// The environment.
    env: String,
    /// Wait for the end.
    #[arg(long, short)]
    watch: bool,
}

pub(crate) async fn run(place: &Place, command: Command, screen: &mut Screen) -> Result<()> {
    match command {
        Command::List => {
            let path = format!("/organization/{}/environments", place.organization);
            if screen.is_raw() {
                return screen.raw(&place.api.get(&path, &[]).await?);
            }
            let all = place.environments().await?;
            let cells = all.iter().map(|row| -> Vec<Cell> {
                let environment = &row.environment;
                vec![row.full_name().into(), environment.mode.to_lowercase().into(), environment.id.to_string().into()]
            });
            let cells: Vec<Vec<Cell>> = cells.collect();
            screen.table(&["environment", "mode", "id"], &cells);
            Ok(())
        }
        Command::Create { name, project, mode } => {
            let project = project::find(place, &project).await?;
            let mut body = json!({ "name": name });
            if let (Some(mode), Some(fields)) = (mode, body.as_object_mut()) {
                fields.insert("mode".into(), mode.to_uppercase().into());
            }
            let answer = place.api.post(&format!("/project/{}/environment", project.id), &body).await?;
            if screen.is_raw() {
                return screen.raw(&answer);
            }
            screen.say(&format!("{}/{name} is created", project.name));
            Ok(())
        }
        Command::Delete { env, yes } => {
            let found = place.environment(&env).await?;
            if !yes {
                return Err(unconfirmed(&format!("the environment {}", found.full_name())));
            }
            place.api.send(Method::DELETE, &format!("/environment/{}", found.environment.id), None).await?;
            screen.say(&format!("{} is being deleted", found.full_name()));
            Ok(())
        }
    }
}

/// Deploys or stops an environment.
pub(crate) async fn act(place: &Place, action: &str, target: Target, screen: &mut Screen) -> Result<()> {
    let Target { env, watch } = target;
    let found = place.environment(&env).await?;
    let id = found.environment.id;
    let answer = place.api.send(Method::POST, &format!("/environment/{id}/{action}"), None).await?;
    if watch {
        return watch::deployment(place, &format!("/environment/{id}/status"), screen).await;
    }
    if screen.is_raw() {
        return screen.raw(&answer);
    }
    screen.say(&format!("{action} of {} is requested", found.full_name()));
    Ok(())
}

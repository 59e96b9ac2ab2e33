//! `windlass api-token`: the tokens of an organization, on its server. `windlass token` is the command of the server itself, which needs
//! its database and no token.

use chrono::{DateTime, Utc};
use clap::Subcommand;
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::unconfirmed::unconfirmed;
use crate::api::shown;
use crate::failure::{Failure, Result};
use crate::names::Place;
use crate::rows::{List, Named};
use crate::screen::{Cell, Screen};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// List the tokens of the organization, and those of its members and teams.
    List,
    /// Create one, and print it: nobody sees it again.
    Create {
        name: String,
        /// What it may do, such as viewer, deployer or devops; admin if no role is named.
        #[arg(long)]
        role: Option<String>,
        /// Say what it is for.
        #[arg(long)]
        description: Option<String>,
        /// When it stops working, such as 2027-01-31T00:00:00Z.
        #[arg(long)]
        expires_at: Option<DateTime<Utc>>,
    },
    /// Make one stop working at once.
    Revoke {
        /// Its name or id.
        name: String,
        /// Revoke it without asking.
        #[arg(long)]
        yes: bool,
    },
}

/// A token of the organization, or of a person or a team.
#[derive(Deserialize)]
struct Token {
    id: Uuid,
    name: String,
    #[serde(default)]
    kind: Option<String>,
    #[serde(default)]
    role_name: Option<String>,
    #[serde(default)]
    description: Option<String>,
    expires_at: Option<DateTime<Utc>>,
    last_used_at: Option<DateTime<Utc>>,
}

impl Token {
    /// Of an API token its role, of another one whose it is.
    fn may(&self) -> String {
        self.role_name.clone().or_else(|| self.kind.as_ref().map(|kind| kind.to_lowercase())).unwrap_or_default()
    }
}

pub(crate) async fn run(place: &Place, command: Command, screen: &mut Screen) -> Result<()> {
    match command {
        Command::List => list(place, screen).await,
        Command::Create { name, role, description, expires_at } => {
            let role = match role {
                Some(name) => Some(role_of(place, &name).await?),
                None => None,
            };
            let body = json!({"name": name, "description": description.unwrap_or_default(), "role_id": role, "expires_at": expires_at});
            let answer = place.api.post(&path(place, "apiToken"), &body).await?;
            if screen.is_raw() {
                return screen.raw(&answer);
            }
            let token = answer.get("token").and_then(Value::as_str).unwrap_or_default();
            screen.remark(&format!("the token {name} is created; this is the only time that it is shown"));
            screen.pass(format!("{token}\n").as_bytes())
        }
        Command::Revoke { name, yes } => {
            let (token, of) = find(place, &name).await?;
            if !yes {
                return Err(unconfirmed(&format!("the token {}", token.name)));
            }
            place.api.send(Method::DELETE, &format!("{}/{}", path(place, of), token.id), None).await?;
            screen.say(&format!("the token {} is revoked", token.name));
            Ok(())
        }
    }
}

fn path(place: &Place, of: &str) -> String {
    format!("/organization/{}/{of}", place.organization)
}

/// The tokens of the organization, and those of its members and teams.
const LISTS: [&str; 2] = ["apiToken", "accessToken"];

async fn list(place: &Place, screen: &mut Screen) -> Result<()> {
    let mut all: Vec<Value> = Vec::new();
    for of in LISTS {
        let rows: List<Value> = shown(&place.api.get(&path(place, of), &[]).await?)?;
        all.extend(rows.results);
    }
    if screen.is_raw() {
        return screen.raw(&json!({ "results": all }));
    }
    let mut cells: Vec<Vec<Cell>> = Vec::new();
    for token in all.iter().map(shown::<Token>) {
        let token = token?;
        let end = if token.expires_at.is_some() { screen.time(token.expires_at) } else { "never".into() };
        cells.push(vec![
            token.name.as_str().into(),
            token.may().into(),
            screen.time(token.last_used_at).into(),
            end.into(),
            token.description.clone().unwrap_or_default().into(),
            token.id.to_string().into(),
        ]);
    }
    screen.table(&["token", "role", "last used", "ends", "description", "id"], &cells);
    Ok(())
}

/// The role of this name.
async fn role_of(place: &Place, name: &str) -> Result<Uuid> {
    let all: List<Named> = shown(&place.api.get(&path(place, "availableRole"), &[]).await?)?;
    let names = all.results.iter().map(|row| row.name.as_str()).collect::<Vec<_>>().join(", ");
    let found = all.results.iter().find(|row| row.name.to_lowercase() == name.to_lowercase());
    found.map(|row| row.id).ok_or_else(|| Failure::NotFound(format!("there is no role {name}; there are: {names}")))
}

/// The token that is meant, and the list that it is in.
async fn find(place: &Place, wanted: &str) -> Result<(Token, &'static str)> {
    let mut found = Vec::new();
    for of in LISTS {
        let rows: List<Token> = shown(&place.api.get(&path(place, of), &[]).await?)?;
        let fits = |row: &Token| row.name == wanted || row.id.to_string() == wanted.to_lowercase();
        found.extend(rows.results.into_iter().filter(fits).map(|row| (row, of)));
    }
    if found.len() > 1 {
        let ids: Vec<String> = found.iter().map(|(row, _)| row.id.to_string()).collect();
        return Err(Failure::Usage(format!(
            "several tokens are called {wanted}; name one by its id: {}",
            ids.join(", ")
        )));
    }
    found.pop().ok_or_else(|| Failure::NotFound(format!("there is no token {wanted}")))
}

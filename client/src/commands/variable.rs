//! `windlass variable` and `windlass secret`: those of a project, an environment or a job.

use std::io::Read as _;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::project;
use super::unconfirmed::unconfirmed;
use crate::api::shown;
use crate::failure::{Failure, Result};
use crate::names::Place;
use crate::rows::List;
use crate::screen::{Cell, Screen};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// List what a job gets, or what a project or an environment has.
    List(Owner),
    /// Create or change one.
    Set {
        /// The name; of a variable that is no secret, NAME=VALUE.
        name: String,
        #[command(flatten)]
        source: Source,
        /// Say what it is for.
        #[arg(long)]
        description: Option<String>,
        #[command(flatten)]
        owner: Owner,
    },
    /// Delete one.
    Delete {
        name: String,
        #[command(flatten)]
        owner: Owner,
        /// Delete it without asking.
        #[arg(long)]
        yes: bool,
    },
}

/// Whose variables are meant.
#[derive(Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Owner {
    #[arg(long)]
    project: Option<String>,
    #[arg(long)]
    env: Option<String>,
    #[arg(long)]
    job: Option<String>,
}

/// Where a value comes from; by default standard input, because other users of a machine can read its command lines.
#[derive(Args)]
#[group(multiple = false)]
pub(crate) struct Source {
    /// Read the value from a file.
    #[arg(long)]
    from_file: Option<PathBuf>,
    /// Take the value of a variable of the environment of this command.
    #[arg(long)]
    from_env: Option<String>,
}

/// Variables that everybody may read, or secrets.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Variable,
    Secret,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Variable => "variable",
            Self::Secret => "secret",
        }
    }
}

/// A project, an environment or a job.
struct Scope {
    name: &'static str,
    id: Uuid,
    /// As it is called in messages.
    called: String,
}

#[derive(Deserialize)]
struct Variable {
    id: Uuid,
    key: String,
    #[serde(default)]
    value: Option<String>,
    scope: String,
    is_secret: bool,
}

pub(crate) async fn run(place: &Place, kind: Kind, command: Command, screen: &mut Screen) -> Result<()> {
    match command {
        Command::List(owner) => list(place, kind, &owner.find(place).await?, screen).await,
        Command::Set { name, source, description, owner } => {
            let (name, value) = given(kind, name, &source)?;
            let scope = owner.find(place).await?;
            set(place, kind, &scope, (name, value, description), screen).await
        }
        Command::Delete { name, owner, yes } => {
            let scope = owner.find(place).await?;
            let found = own(place, &scope, &name).await?.filter(|row| row.is_secret == (kind == Kind::Secret));
            let missing = || Failure::NotFound(format!("{} has no {} {name} of its own", scope.called, kind.name()));
            let row = found.ok_or_else(missing)?;
            if !yes {
                return Err(unconfirmed(&format!("the {} {name} of {}", kind.name(), scope.called)));
            }
            place.api.send(Method::DELETE, &format!("/variable/{}", row.id), None).await?;
            screen.say(&format!("the {} {name} of {} is deleted", kind.name(), scope.called));
            Ok(())
        }
    }
}

impl Owner {
    async fn find(self, place: &Place) -> Result<Scope> {
        match (self.project, self.env, self.job) {
            (Some(name), ..) => {
                let row = project::find(place, &name).await?;
                Ok(Scope { name: "PROJECT", id: row.id, called: row.name })
            }
            (None, Some(name), _) => {
                let row = place.environment(&name).await?;
                Ok(Scope { name: "ENVIRONMENT", id: row.environment.id, called: row.full_name() })
            }
            (None, None, Some(name)) => {
                let row = place.job(&name).await?;
                Ok(Scope { name: "JOB", id: row.id, called: row.full_name() })
            }
            (None, None, None) => Err(Failure::Usage("name one with --project, --env or --job".into())),
        }
    }
}

/// The rows that a scope sees.
async fn seen(place: &Place, scope: &Scope) -> Result<Value> {
    let query = [("parent_id", scope.id.to_string()), ("scope", scope.name.to_owned())];
    place.api.get("/variable", &query).await
}

/// The row of a scope itself, not one that it inherits.
async fn own(place: &Place, scope: &Scope, name: &str) -> Result<Option<Variable>> {
    let rows: List<Variable> = shown(&seen(place, scope).await?)?;
    Ok(rows.results.into_iter().find(|row| row.key == name && row.scope == scope.name))
}

async fn list(place: &Place, kind: Kind, scope: &Scope, screen: &mut Screen) -> Result<()> {
    let answer = seen(place, scope).await?;
    let of_kind = |row: &Value| row.get("is_secret").and_then(Value::as_bool) == Some(kind == Kind::Secret);
    let List { results }: List<Value> = shown(&answer)?;
    let results: Vec<Value> = results.into_iter().filter(of_kind).collect();
    if screen.is_raw() {
        return screen.raw(&json!({ "results": results }));
    }
    let rows = results.iter().map(shown).collect::<Result<Vec<Variable>>>()?;
    let cells = rows.iter().map(|row| -> Vec<Cell> {
        let mut cells: Vec<Cell> = vec![row.key.as_str().into(), row.scope.to_lowercase().into()];
        if kind == Kind::Variable {
            cells.push(row.value.clone().unwrap_or_default().into());
        }
        cells
    });
    let cells: Vec<Vec<Cell>> = cells.collect();
    let header: &[&str] = if kind == Kind::Variable { &["name", "of", "value"] } else { &["name", "of"] };
    screen.table(header, &cells);
    Ok(())
}

async fn set(
    place: &Place,
    kind: Kind,
    scope: &Scope,
    (name, value, description): (String, String, Option<String>),
    screen: &mut Screen,
) -> Result<()> {
    let is_secret = kind == Kind::Secret;
    let (answer, done) = match own(place, scope, &name).await? {
        Some(row) if row.is_secret != is_secret => {
            let other = if row.is_secret { "secret" } else { "variable" };
            let text = format!("{name} of {} is a {other}: use `windlass {other} set`", scope.called);
            return Err(Failure::Usage(text));
        }
        Some(row) => {
            let mut body = json!({ "key": name, "value": value });
            if let (Some(text), Some(fields)) = (description, body.as_object_mut()) {
                fields.insert("description".into(), text.into());
            }
            (place.api.send(Method::PUT, &format!("/variable/{}", row.id), Some(&body)).await?, "changed")
        }
        None => {
            let body = json!({
                "key": name, "value": value, "is_secret": is_secret, "variable_scope": scope.name,
                "variable_parent_id": scope.id, "description": description,
            });
            (place.api.post("/variable", &body).await?, "created")
        }
    };
    if screen.is_raw() {
        return screen.raw(&answer);
    }
    screen.say(&format!("the {} {name} of {} is {done}; deployments use it from now on", kind.name(), scope.called));
    Ok(())
}

/// The name and the value that are meant.
fn given(kind: Kind, name: String, source: &Source) -> Result<(String, String)> {
    let unreadable = |error: std::io::Error| Failure::Usage(format!("the value cannot be read: {error}"));
    if let Some((name, value)) = name.split_once('=') {
        if kind == Kind::Secret {
            let text =
                "give only the name of a secret, and its value on standard input, with --from-file or --from-env";
            return Err(Failure::Usage(text.into()));
        }
        if source.from_file.is_some() || source.from_env.is_some() {
            return Err(Failure::Usage("give either NAME=VALUE, or NAME with --from-file or --from-env".into()));
        }
        return Ok((name.to_owned(), value.to_owned()));
    }
    let value = match (&source.from_file, &source.from_env) {
        (Some(path), _) => std::fs::read_to_string(path).map_err(unreadable)?,
        (None, Some(variable)) => of_environment(variable)
            .ok_or_else(|| Failure::Usage(format!("the variable {variable} is not set here")))?,
        (None, None) => {
            let mut text = String::new();
            std::io::stdin().read_to_string(&mut text).map_err(unreadable)?;
            // As `$(...)` does: the end of a typed line is no part of a value.
            text.truncate(text.trim_end_matches(['\n', '\r']).len());
            text
        }
    };
    Ok((name, value))
}

#[expect(clippy::disallowed_methods, reason = "the command line names the variable")]
fn of_environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

#[cfg(test)]
mod tests {
    use super::{Kind, Source, given};

    #[test]
    fn values_are_never_taken_from_the_command_line_of_a_secret() {
        let none = || Source { from_file: None, from_env: None };
        let pair = ("A".to_owned(), "b=c".to_owned());
        assert_eq!(given(Kind::Variable, "A=b=c".into(), &none()).unwrap(), pair);
        assert!(given(Kind::Secret, "A=b".into(), &none()).unwrap_err().to_string().contains("standard input"));
        let missing = Source { from_file: None, from_env: Some("WINDLASS_NO_SUCH_VARIABLE".into()) };
        assert!(given(Kind::Secret, "A".into(), &missing).is_err());
        assert!(given(Kind::Variable, "A=1".into(), &missing).unwrap_err().to_string().contains("either"));
    }
}

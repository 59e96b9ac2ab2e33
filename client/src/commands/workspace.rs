//! `windlass workspace`: Terraform workspaces by name, through the Terrakube-compatible API.

use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use reqwest::Method;
use serde_json::{Value, json};

use super::workspace_rows::{Data, Row, below, find, rows};
use super::{workspace_drift, workspace_state};
use crate::api::shown;
use crate::failure::{Failure, Result};
use crate::names::Place;
use crate::screen::{Cell, Screen, Tone};

/// The pause between two looks at a job.
const PAUSE: Duration = Duration::from_millis(500);

#[derive(Subcommand)]
pub(crate) enum Command {
    /// List workspaces.
    List,
    /// Plan, without changing anything, and print the plan.
    Plan { workspace: String },
    /// Start a job of a workspace.
    Run(Start),
    /// Approve the job of a workspace that waits for it.
    Approve(Target),
    /// Reject the job of a workspace that waits for an approval.
    Reject { workspace: String },
    /// Print the outputs of a workspace, or the value of one.
    Output { workspace: String, name: Option<String> },
    /// The versions of a state: list, compare, roll back, import, export.
    #[command(subcommand)]
    State(workspace_state::Command),
    /// What was changed outside of the tool: show it, look for it, accept it or revert it.
    #[command(subcommand)]
    Drift(workspace_drift::Command),
}

#[derive(Args)]
pub(crate) struct Start {
    workspace: String,
    /// What it does; by default what the default template of the workspace says.
    #[arg(long, value_enum, conflicts_with = "template")]
    command: Option<Action>,
    /// The template to use.
    #[arg(long)]
    template: Option<String>,
    /// Print the logs of its steps, and wait for its end or for an approval.
    #[arg(long, short)]
    watch: bool,
}

#[derive(Args)]
pub(crate) struct Target {
    workspace: String,
    /// Print the logs of the steps that follow, and wait for the end.
    #[arg(long, short)]
    watch: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Action {
    Plan,
    Apply,
    Destroy,
}

impl Action {
    fn name(self) -> &'static str {
        match self {
            Self::Plan => "plan",
            Self::Apply => "apply",
            Self::Destroy => "destroy",
        }
    }
}

pub(crate) async fn run(place: &Place, command: Command, screen: &mut Screen) -> Result<()> {
    match command {
        Command::List => list(place, screen).await,
        Command::Plan { workspace } => {
            let plan = Start { workspace, command: Some(Action::Plan), template: None, watch: true };
            start(place, plan, screen).await
        }
        Command::Run(wanted) => start(place, wanted, screen).await,
        Command::Approve(target) => decide(place, target, "approved", screen).await,
        Command::Reject { workspace } => decide(place, Target { workspace, watch: false }, "rejected", screen).await,
        Command::Output { workspace, name } => output(place, &workspace, name.as_deref(), screen).await,
        Command::State(command) => Box::pin(workspace_state::run(place, command, screen)).await,
        Command::Drift(command) => workspace_drift::run(place, command, screen).await,
    }
}

async fn list(place: &Place, screen: &mut Screen) -> Result<()> {
    if screen.is_raw() {
        return screen.raw(&place.api.get(&below(place, "workspace"), &[]).await?);
    }
    let mut cells: Vec<Vec<Cell>> = Vec::new();
    for row in rows(place, "workspace", &[]).await? {
        let status = row.text("lastJobStatus");
        cells.push(vec![
            row.text("name").into(),
            row.text("iacType").into(),
            row.text("source").into(),
            Cell::new(status.to_owned(), tone(status)),
            row.id().into(),
        ]);
    }
    screen.table(&["workspace", "tool", "source", "last job", "id"], &cells);
    Ok(())
}

fn tone(status: &str) -> Tone {
    match status {
        "completed" | "noChanges" => Tone::Good,
        "failed" | "rejected" => Tone::Bad,
        "running" | "waitingApproval" | "pending" | "queue" | "approved" => Tone::Busy,
        _ => Tone::Plain,
    }
}

async fn start(place: &Place, wanted: Start, screen: &mut Screen) -> Result<()> {
    let Start { workspace, command, template, watch } = wanted;
    let row = find(place, &workspace).await?;
    let mut attributes = json!({});
    if let Some(fields) = attributes.as_object_mut() {
        fields.extend(command.map(|command| ("command".to_owned(), command.name().into())));
        if let Some(name) = template {
            let all = rows(place, "template", &[]).await?;
            let missing = || Failure::NotFound(format!("there is no template {name}"));
            let found = all.iter().find(|row| row.text("name") == name || row.id() == name).ok_or_else(missing)?;
            fields.insert("templateReference".into(), found.id().into());
        }
    }
    let body = json!({"data": {"type": "job", "attributes": attributes,
        "relationships": {"workspace": {"data": {"type": "workspace", "id": row.id()}}}}});
    let answer = place.api.json_api(Method::POST, &below(place, "job"), &body).await?;
    let job: Data<Row> = shown(&answer)?;
    if watch {
        return follow(place, &job.data.id(), &workspace, screen).await;
    }
    if screen.is_raw() {
        return screen.raw(&answer);
    }
    screen.say(&format!("job {} of {workspace} is {}", job.data.id(), job.data.text("status")));
    Ok(())
}

async fn decide(place: &Place, target: Target, status: &str, screen: &mut Screen) -> Result<()> {
    let Target { workspace, watch } = target;
    let row = find(place, &workspace).await?;
    let query = [("sort", "-id".to_owned())];
    let jobs = rows(place, &format!("workspace/{}/job", row.id()), &query).await?;
    let waiting = jobs.iter().find(|job| job.text("status") == "waitingApproval");
    let none = || Failure::NotFound(format!("no job of {workspace} waits for an approval"));
    let id = waiting.map(Row::id).ok_or_else(none)?;
    let body = json!({"data": {"type": "job", "id": id, "attributes": {"status": status}}});
    place.api.json_api(Method::PATCH, &below(place, &format!("job/{id}")), &body).await?;
    if watch {
        return follow(place, &id, &workspace, screen).await;
    }
    screen.say(&format!("job {id} of {workspace} is {status}"));
    Ok(())
}

/// Prints the logs of the steps of a job as they end, and waits for its end or for an approval.
async fn follow(place: &Place, id: &str, workspace: &str, screen: &mut Screen) -> Result<()> {
    let mut printed = Vec::new();
    let mut last = String::new();
    loop {
        let answer = place.api.get(&below(place, &format!("job/{id}")), &[]).await?;
        let job: Data<Row> = shown(&answer)?;
        let status = job.data.text("status").to_owned();
        if status != last {
            screen.remark(&format!("job {id} of {workspace} is {status}"));
            last.clone_from(&status);
        }
        let query = [("sort", "stepNumber".to_owned())];
        for step in rows(place, &format!("job/{id}/step"), &query).await? {
            if has_ended(step.text("status")) && !screen.is_raw() && !printed.contains(&step.id()) {
                printed.push(step.id());
                print(place, step.text("output"), screen).await?;
            }
        }
        let done = match status.as_str() {
            "completed" | "noChanges" => Some(Ok(())),
            "waitingApproval" => {
                screen.remark(&format!("approve it with `windlass workspace approve {workspace}`"));
                Some(Ok(()))
            }
            "failed" | "rejected" | "cancelled" => {
                let reason = job.data.text("output").trim();
                let why = if reason.is_empty() { String::new() } else { format!(": {reason}") };
                Some(Err(Failure::Unsuccessful(format!("job {id} of {workspace} is {status}{why}"))))
            }
            _ => None,
        };
        if let Some(done) = done {
            if screen.is_raw() {
                screen.raw(&answer)?;
            }
            return done;
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Whether a job or a step with this status changes no more. All others, those of later servers too, are waited for.
fn has_ended(status: &str) -> bool {
    matches!(status, "completed" | "noChanges" | "failed" | "rejected" | "cancelled" | "notExecuted")
}

/// Prints the log of a step, whose address is of the same server.
async fn print(place: &Place, address: &str, screen: &mut Screen) -> Result<()> {
    let Some(path) = path_of(address) else { return Ok(()) };
    let mut answer = place.api.stream(path, &[]).await?;
    let broken = |error: reqwest::Error| Failure::Refused(format!("the log broke off: {error}"));
    while let Some(bytes) = answer.chunk().await.map_err(broken)? {
        screen.pass(&bytes)?;
    }
    Ok(())
}

/// The path of an address. The server may be reached by another name than the one it knows, and no token goes elsewhere.
fn path_of(address: &str) -> Option<&str> {
    let rest = address.strip_prefix("https://").or_else(|| address.strip_prefix("http://"))?;
    rest.find('/').and_then(|at| rest.get(at..))
}

async fn output(place: &Place, workspace: &str, name: Option<&str>, screen: &mut Screen) -> Result<()> {
    let row = find(place, workspace).await?;
    let path =
        format!("/tfstate/v1/organization/{}/workspace/{}/state/terraform.tfstate", place.organization, row.id());
    let state = place.api.get(&path, &[]).await?;
    let outputs = state.get("outputs").and_then(Value::as_object).cloned().unwrap_or_default();
    if let Some(name) = name {
        let missing = || Failure::NotFound(format!("{workspace} has no output {name}"));
        let value = outputs.get(name).and_then(|output| output.get("value")).ok_or_else(missing)?;
        return match value {
            Value::String(text) if !screen.is_raw() => screen.pass(format!("{text}\n").as_bytes()),
            value => screen.raw(value),
        };
    }
    if screen.is_raw() {
        return screen.raw(&outputs.into());
    }
    let cells = outputs.iter().map(|(name, output)| -> Vec<Cell> {
        let is_sensitive = output.get("sensitive").and_then(Value::as_bool) == Some(true);
        let value = output.get("value").map(|value| match value {
            Value::String(text) => text.clone(),
            value => value.to_string(),
        });
        let shown = if is_sensitive { "(sensitive; name it to see it)".to_owned() } else { value.unwrap_or_default() };
        vec![name.as_str().into(), shown.into()]
    });
    let cells: Vec<Vec<Cell>> = cells.collect();
    screen.table(&["output", "value"], &cells);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{has_ended, path_of};

    /// The log of a step that is only in a queue would be printed before it has a line, and never again.
    #[test]
    fn only_what_has_ended_is_printed() {
        for status in ["pending", "queue", "running", "waitingApproval", "approved", "unknown", ""] {
            assert!(!has_ended(status), "{status}");
        }
        for status in ["completed", "noChanges", "failed", "rejected", "cancelled", "notExecuted"] {
            assert!(has_ended(status), "{status}");
        }
    }

    #[test]
    fn logs_are_read_from_the_server_that_is_asked() {
        assert_eq!(path_of("https://elsewhere.example.com/a/b?c=d"), Some("/a/b?c=d"));
        assert_eq!(path_of("http://elsewhere.example.com"), None);
        assert_eq!(path_of("ftp://x/y"), None);
        assert_eq!(path_of(""), None);
    }
}

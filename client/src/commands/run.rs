//! `windlass run`: runs of all jobs. A run is named by its number or its id.

use clap::Subcommand;
use serde_json::json;
use uuid::Uuid;

use super::watch;
use crate::api::shown;
use crate::failure::{Failure, Result};
use crate::names::Place;
use crate::rows::{List, RUN_HEADER, Reference, Run};
use crate::screen::{Cell, Screen};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// List runs, the newest first.
    List {
        /// Only runs of this job.
        #[arg(long)]
        job: Option<String>,
        /// Only runs in this state, such as failed.
        #[arg(long)]
        state: Option<String>,
        /// Only runs whose job or reason contains this text.
        #[arg(long)]
        text: Option<String>,
        /// How many at most.
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=200))]
        limit: u32,
    },
    /// Show a run.
    Get { run: String },
    /// Print the log of a run.
    Logs {
        run: String,
        /// Wait for more lines until the run has ended.
        #[arg(long, short)]
        follow: bool,
    },
    /// Cancel a run.
    Cancel { run: String },
    /// Run the same again.
    Rerun {
        run: String,
        /// Print its log and wait for its end.
        #[arg(long, short)]
        watch: bool,
    },
}

pub(crate) async fn run(place: &Place, command: Command, screen: &mut Screen) -> Result<()> {
    match command {
        Command::List { job, state, text, limit } => {
            let mut query = vec![("count", limit.to_string())];
            if let Some(name) = job {
                query.push(("jobId", place.job(&name).await?.id.to_string()));
            }
            query.extend(state.map(|state| ("state", state.to_uppercase())));
            query.extend(text.map(|text| ("text", text)));
            let answer = place.api.get(&format!("/organization/{}/run", place.organization), &query).await?;
            list(&answer, screen)
        }
        Command::Get { run } => {
            let answer = place.api.get(&format!("/run/{}", find(place, &run).await?), &[]).await?;
            show(&answer, screen)
        }
        Command::Logs { run, follow } => watch::log(place, find(place, &run).await?, follow.into(), screen).await,
        Command::Cancel { run } => {
            let answer = place.api.post(&format!("/run/{}/cancel", find(place, &run).await?), &json!({})).await?;
            show(&answer, screen)
        }
        Command::Rerun { run, watch } => {
            let answer = place.api.post(&format!("/run/{}/rerun", find(place, &run).await?), &json!({})).await?;
            if watch { follow(place, &answer, screen).await } else { show(&answer, screen) }
        }
    }
}

/// Follows a run that was requested to its end.
pub(crate) async fn follow(place: &Place, answer: &serde_json::Value, screen: &mut Screen) -> Result<()> {
    let run: Run = shown(answer)?;
    screen.remark(&format!("run {} is queued", run.number));
    watch::run(place, run.id, screen).await
}

/// Writes a list of runs.
pub(crate) fn list(answer: &serde_json::Value, screen: &mut Screen) -> Result<()> {
    if screen.is_raw() {
        return screen.raw(answer);
    }
    let runs: List<Run> = shown(answer)?;
    let cells: Vec<Vec<Cell>> = runs.results.iter().map(|run| run.cells(screen)).collect();
    screen.table(&RUN_HEADER, &cells);
    Ok(())
}

/// Writes a run.
pub(crate) fn show(answer: &serde_json::Value, screen: &mut Screen) -> Result<()> {
    if screen.is_raw() {
        return screen.raw(answer);
    }
    let run: Run = shown(answer)?;
    screen.say(&watch::sentence(&run));
    for (name, at) in [
        ("scheduled for", run.scheduled_for),
        ("created", Some(run.created_at)),
        ("started", run.started_at),
        ("ended", run.finished_at),
    ] {
        if at.is_some() {
            screen.say(&format!("  {name}: {}", screen.time(at)));
        }
    }
    Ok(())
}

/// The run that is meant.
async fn find(place: &Place, text: &str) -> Result<Uuid> {
    if let Ok(id) = Uuid::parse_str(text) {
        return Ok(id);
    }
    let number: i64 =
        text.parse().map_err(|_| Failure::Usage(format!("a run is named by its number or its id, not {text}")))?;
    let query = [("count", "1".to_owned()), ("before", number.saturating_add(1).to_string())];
    let answer = place.api.get(&format!("/organization/{}/run", place.organization), &query).await?;
    let found: List<serde_json::Value> = shown(&answer)?;
    let exact = |row: &&serde_json::Value| row.get("number").and_then(serde_json::Value::as_i64) == Some(number);
    match found.results.iter().find(exact) {
        Some(row) => Ok(shown::<Reference>(row)?.id),
        None => Err(Failure::NotFound(format!("there is no run {number}"))),
    }
}

//! `windlass job`: jobs by name.

use std::collections::HashSet;

use clap::{Args, Subcommand};
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::declare;
use super::job_schedule;
use super::unconfirmed::unconfirmed;
use super::{run as runs, watch};
use crate::api::shown;
use crate::failure::{Failure, Result};
use crate::names::Place;
use crate::rows::{Job, List, Reference, state};
use crate::screen::{Cell, Screen};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// List jobs.
    List {
        /// Only jobs whose name contains this text.
        text: Option<String>,
        /// Only jobs whose last run is in this state, such as failed.
        #[arg(long)]
        state: Option<String>,
    },
    /// Show the configuration of a job.
    Get { job: String },
    /// Run a job now.
    Run(RunNow),
    /// Print the log of the newest run of a job.
    Logs {
        job: String,
        /// Wait for more lines until the run has ended.
        #[arg(long, short)]
        follow: bool,
    },
    /// List the runs of a job, the newest first.
    History {
        job: String,
        /// How many at most.
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=200))]
        limit: u32,
    },
    /// Cancel the runs of a job that have not ended.
    Cancel { job: String },
    /// Deploy a job.
    Deploy(Target),
    /// Stop a job: its schedule ends.
    Stop(Target),
    /// Change a job in an editor, as a file.
    Edit(declare::Edit),
    /// Delete a job.
    Delete {
        job: String,
        /// Delete it without asking.
        #[arg(long)]
        yes: bool,
    },
    #[command(flatten)]
    Schedule(job_schedule::Command),
}

#[derive(Args)]
pub(crate) struct Target {
    job: String,
    /// Wait for the end of the deployment.
    #[arg(long, short)]
    watch: bool,
}

#[derive(Args)]
pub(crate) struct RunNow {
    job: String,
    /// Variables to add, as NAME=VALUE.
    #[arg(long, short = 'e')]
    env: Vec<String>,
    /// Arguments in place of those of the job, after `--`.
    #[arg(last = true)]
    arguments: Vec<String>,
    /// Print its log and wait for its end.
    #[arg(long, short)]
    watch: bool,
}

pub(crate) async fn run(place: &Place, command: Command, screen: &mut Screen) -> Result<()> {
    match command {
        Command::List { text, state } => {
            let rows = place.jobs(text.as_deref(), state.map(|state| state.to_uppercase()).as_deref()).await?;
            list(rows, screen)
        }
        Command::Get { job } => {
            let job = place.job(&job).await?;
            let answer = place.api.get(&format!("/job/{}", job.id), &[]).await?;
            if screen.is_raw() { screen.raw(&answer) } else { show(&job, screen) }
        }
        Command::Run(now) => {
            let RunNow { job, env, arguments, watch } = now;
            let job = place.job(&job).await?;
            let answer = place.api.post(&format!("/job/{}/run", job.id), &overrides(&env, arguments)?).await?;
            if watch { runs::follow(place, &answer, screen).await } else { runs::show(&answer, screen) }
        }
        Command::Logs { job, follow } => {
            let job = place.job(&job).await?;
            let query = [("count", "1".to_owned())];
            let newest: List<Reference> = shown(&place.api.get(&format!("/job/{}/run", job.id), &query).await?)?;
            match newest.results.first() {
                Some(run) => watch::log(place, run.id, follow.into(), screen).await,
                None => Err(Failure::NotFound(format!("{} has never run", job.full_name()))),
            }
        }
        Command::History { job, limit } => {
            let query = [("count", limit.to_string())];
            let id = place.job(&job).await?.id;
            runs::list(&place.api.get(&format!("/job/{id}/run"), &query).await?, screen)
        }
        Command::Cancel { job } => cancel(place, &job, screen).await,
        Command::Deploy(target) => act(place, "deploy", target, screen).await,
        Command::Stop(target) => act(place, "stop", target, screen).await,
        Command::Edit(wanted) => declare::edit(place, wanted, screen).await,
        Command::Delete { job, yes } => {
            let job = place.job(&job).await?;
            if !yes {
                return Err(unconfirmed(&format!("the job {}", job.full_name())));
            }
            place.api.send(Method::DELETE, &format!("/job/{}", job.id), None).await?;
            screen.say(&format!("{} is being deleted", job.full_name()));
            Ok(())
        }
        Command::Schedule(command) => job_schedule::run(place, command, screen).await,
    }
}

fn list(rows: Vec<Value>, screen: &mut Screen) -> Result<()> {
    if screen.is_raw() {
        return screen.raw(&json!({ "results": rows }));
    }
    let jobs = rows.iter().map(shown).collect::<Result<Vec<Job>>>()?;
    let cells = jobs.iter().map(|job| -> Vec<Cell> {
        vec![
            job.name.as_str().into(),
            job.place().into(),
            job.job_type.to_lowercase().into(),
            job.schedule.as_str().into(),
            job.last_run.as_ref().map_or_else(|| "".into(), |run| state(&run.state)),
            job.id.to_string().into(),
        ]
    });
    let cells: Vec<Vec<Cell>> = cells.collect();
    screen.table(&["job", "place", "type", "runs", "last", "id"], &cells);
    Ok(())
}

fn show(job: &Job, screen: &mut Screen) -> Result<()> {
    screen.say(&format!("{} ({})", job.full_name(), job.job_type.to_lowercase()));
    screen.say(&format!("  id: {}", job.id));
    screen.say(&format!("  runs: {}{}", job.schedule, if job.deployed { "" } else { " (not deployed)" }));
    if job.next_run_at.is_some() {
        screen.say(&format!("  next: {}", screen.time(job.next_run_at)));
    }
    if let Some(last) = &job.last_run {
        let reason = last.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
        let when = screen.time(last.finished_at.or(last.started_at));
        screen.say(&format!("  last: run {} {} {when}{reason}", last.number, last.state.to_lowercase()));
    }
    screen.say("  the whole configuration: -o json or -o yaml");
    Ok(())
}

/// The body of a run with these variables and arguments.
fn overrides(variables: &[String], arguments: Vec<String>) -> Result<Value> {
    let mut environment = Map::new();
    for variable in variables {
        let Some((name, value)) = variable.split_once('=') else {
            return Err(Failure::Usage(format!("--env must be NAME=VALUE, not {variable}")));
        };
        environment.insert(name.to_owned(), value.into());
    }
    let mut body = Map::new();
    if !environment.is_empty() {
        body.insert("environment".into(), environment.into());
    }
    if !arguments.is_empty() {
        body.insert("arguments".into(), arguments.into());
    }
    Ok(body.into())
}

async fn cancel(place: &Place, name: &str, screen: &mut Screen) -> Result<()> {
    let job = place.job(name).await?;
    let (mut known, mut cancelled) = (HashSet::new(), Vec::new());
    // While some are looked at, others start or wait for their next attempt: all are seen when nothing new is found.
    loop {
        let new: Vec<Uuid> = open_runs(place, job.id).await?.into_iter().filter(|run| known.insert(*run)).collect();
        if new.is_empty() {
            break;
        }
        for run in new {
            match place.api.post(&format!("/run/{run}/cancel"), &json!({})).await {
                Ok(answer) => cancelled.push(answer),
                // It has ended in the meantime.
                Err(Failure::Conflict(_) | Failure::NotFound(_)) => {}
                Err(failure) => return Err(failure),
            }
        }
    }
    if screen.is_raw() {
        return screen.raw(&json!({ "results": cancelled }));
    }
    screen.say(&format!("{} runs of {} are being cancelled", cancelled.len(), job.full_name()));
    Ok(())
}

/// The runs of a job that have not ended, on all pages.
async fn open_runs(place: &Place, job: Uuid) -> Result<Vec<Uuid>> {
    #[derive(Deserialize)]
    struct Page {
        results: Vec<Reference>,
        next_before: Option<i64>,
    }
    let path = format!("/organization/{}/run", place.organization);
    let mut found = Vec::new();
    for state in ["QUEUED", "RUNNING"] {
        let mut before = None;
        loop {
            let mut query = vec![("jobId", job.to_string()), ("state", state.to_owned()), ("count", "200".to_owned())];
            query.extend(before.map(|before: i64| ("before", before.to_string())));
            let page: Page = shown(&place.api.get(&path, &query).await?)?;
            found.extend(page.results.into_iter().map(|run| run.id));
            before = page.next_before;
            if before.is_none() {
                break;
            }
        }
    }
    Ok(found)
}

async fn act(place: &Place, action: &str, target: Target, screen: &mut Screen) -> Result<()> {
    let Target { job, watch } = target;
    let job = place.job(&job).await?;
    let answer = place.api.post(&format!("/job/{}/{action}", job.id), &json!({})).await?;
    if watch {
        return watch::deployment(place, &format!("/job/{}/status", job.id), screen).await;
    }
    if screen.is_raw() {
        return screen.raw(&answer);
    }
    screen.say(&format!("{action} of {} is requested", job.full_name()));
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::overrides;

    #[test]
    fn a_run_gets_only_what_is_given() {
        assert_eq!(overrides(&[], Vec::new()).unwrap(), json!({}));
        let body = overrides(&["A=1".into(), "B=x=y".into(), "C=".into()], vec!["-v".into()]).unwrap();
        assert_eq!(body, json!({"environment": {"A": "1", "B": "x=y", "C": ""}, "arguments": ["-v"]}));
        assert!(overrides(&["A".into()], Vec::new()).is_err());
    }
}

//! The schedule of a job: next times, why it ran or not, pauses.

use chrono::{DateTime, Utc};
use clap::Subcommand;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::watch;
use crate::api::shown;
use crate::failure::{Failure, Result};
use crate::names::Place;
use crate::rows::Run;
use crate::screen::{Cell, Screen};
use crate::times;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Show the next times of a job.
    Next {
        job: String,
        /// How many.
        #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=100))]
        count: u32,
    },
    /// Say what a job did at a time, and why.
    Explain {
        job: String,
        /// The time, such as 2026-11-28T03:00:00Z or 2026-11-28T03:00:00+01:00; by default now.
        #[arg(long)]
        at: Option<String>,
    },
    /// Pause the schedule of a job.
    Pause {
        job: String,
        /// When it resumes by itself, such as 2026-12-01T00:00:00Z.
        #[arg(long)]
        until: Option<String>,
    },
    /// Resume the schedule of a job.
    Resume { job: String },
    /// Skip one time of a job.
    Skip {
        job: String,
        /// The time, as `windlass job next -o json` shows it; by default the next one.
        at: Option<String>,
    },
}

/// The most times that the server lists.
const MOST_TIMES: u32 = 100;

#[derive(Deserialize)]
struct NextRuns {
    active: bool,
    explanation: Option<String>,
    results: Vec<NextRun>,
}

#[derive(Deserialize)]
struct NextRun {
    at: DateTime<Utc>,
    local_time: String,
    skip_reason: Option<String>,
}

#[derive(Deserialize)]
struct Explanation {
    at: DateTime<Utc>,
    verdict: String,
    reason: String,
    runs: Vec<Run>,
    previous: Option<DateTime<Utc>>,
    next: Option<DateTime<Utc>>,
}

pub(crate) async fn run(place: &Place, command: Command, screen: &mut Screen) -> Result<()> {
    match command {
        Command::Next { job, count } => show_next(place, &job, count, screen).await,
        Command::Explain { job, at } => explain(place, &job, at, screen).await,
        Command::Pause { job, until } => {
            let until = until.as_deref().map(|text| time("--until", text)).transpose()?;
            let body = until.map_or_else(|| json!({}), |until| json!({ "until": times::exact(until) }));
            hold(place, &job, ("pause", &body), "is paused", screen).await
        }
        Command::Resume { job } => hold(place, &job, ("resume", &json!({})), "goes on", screen).await,
        Command::Skip { job, at } => {
            let at = match at {
                Some(text) => time("the time", &text)?,
                None => {
                    let times: NextRuns = shown(&next(place, place.job(&job).await?.id, MOST_TIMES).await?)?;
                    let first = times.results.iter().find(|time| time.skip_reason.is_none()).map(|time| time.at);
                    let why = times.explanation.unwrap_or_else(|| "all of its next times are skipped already".into());
                    first.ok_or_else(|| Failure::NotFound(format!("{job} has no next time: {why}")))?
                }
            };
            let text = format!("skips {}", times::exact(at));
            hold(place, &job, ("skip", &json!({ "at": times::exact(at) })), &text, screen).await
        }
    }
}

fn time(field: &str, text: &str) -> Result<DateTime<Utc>> {
    let parsed = DateTime::parse_from_rfc3339(text);
    parsed
        .map(|at| at.to_utc())
        .map_err(|_| Failure::Usage(format!("{field} must be a time such as 2026-11-28T03:00:00Z, not {text}")))
}

async fn next(place: &Place, job: Uuid, count: u32) -> Result<Value> {
    place.api.get(&format!("/job/{job}/nextRun"), &[("count", count.to_string())]).await
}

async fn show_next(place: &Place, name: &str, count: u32, screen: &mut Screen) -> Result<()> {
    let job = place.job(name).await?;
    let answer = next(place, job.id, count).await?;
    if screen.is_raw() {
        return screen.raw(&answer);
    }
    let NextRuns { active, explanation, results } = shown(&answer)?;
    let idle = if job.deployed { "its schedule is suspended" } else { "not deployed" };
    let cells = results.iter().map(|time| -> Vec<Cell> {
        let note = match &time.skip_reason {
            Some(reason) => format!("skipped: {}", reason.to_lowercase()),
            None if active => String::new(),
            None => idle.to_owned(),
        };
        vec![time.local_time.as_str().into(), screen.time(Some(time.at)).into(), note.into()]
    });
    let cells: Vec<Vec<Cell>> = cells.collect();
    screen.table(&["local time", "when", "note"], &cells);
    // A schedule that has no times is not active either, and that is why.
    let is_idle = !active && (!job.deployed || explanation.is_none());
    if let Some(why) = explanation {
        screen.warn(&format!("{}: {why}", job.full_name()));
    }
    if is_idle {
        screen.warn(&format!("{} does not run by its schedule: {idle}", job.full_name()));
    }
    Ok(())
}

async fn explain(place: &Place, name: &str, at: Option<String>, screen: &mut Screen) -> Result<()> {
    let job = place.job(name).await?;
    let at = at.as_deref().map(|text| time("--at", text)).transpose()?;
    let query: Vec<_> = at.map(|at| ("at", times::exact(at))).into_iter().collect();
    let answer = place.api.get(&format!("/job/{}/explain", job.id), &query).await?;
    if screen.is_raw() {
        return screen.raw(&answer);
    }
    let Explanation { at, verdict, reason, runs, previous, next } = shown(&answer)?;
    screen.say(&format!("{} at {}: {}", job.full_name(), times::exact(at), verdict.to_lowercase().replace('_', " ")));
    screen.say(&format!("  {reason}"));
    for run in &runs {
        screen.say(&format!("  {}", watch::sentence(run)));
    }
    for (word, at) in [("before", previous), ("after", next)] {
        if let Some(at) = at {
            screen.say(&format!("  the time {word}: {}", times::exact(at)));
        }
    }
    Ok(())
}

async fn hold(
    place: &Place,
    name: &str,
    (action, body): (&str, &Value),
    done: &str,
    screen: &mut Screen,
) -> Result<()> {
    let job = place.job(name).await?;
    let answer = place.api.post(&format!("/job/{}/{action}", job.id), body).await?;
    if screen.is_raw() {
        return screen.raw(&answer);
    }
    screen.say(&format!("{} {done}", job.full_name()));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::time;

    #[test]
    fn times_have_a_zone() {
        assert_eq!(time("--at", "2026-11-28T03:00:00+01:00").unwrap().to_rfc3339(), "2026-11-28T02:00:00+00:00");
        assert!(time("--at", "2026-11-28T03:00:00").is_err());
    }
}

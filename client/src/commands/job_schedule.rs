//! The schedule of a job: next times, why it ran or not, pauses.

use chrono::{DateTime, Utc};
use clap::Subcommand;
use serde::Deserialize;
use serde_json::{Value, json};

use super::watch;
use crate::api::shown;
use crate::failure::{Failure, Result};
use crate::names::Place;
use crate::rows::{List, Run};
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
        Command::Next { job, count } => {
            let answer = next(place, &job, count).await?;
            if screen.is_raw() {
                return screen.raw(&answer);
            }
            let times: List<NextRun> = shown(&answer)?;
            let cells = times.results.iter().map(|time| -> Vec<Cell> {
                let skipped = time.skip_reason.as_ref().map(|reason| format!("skipped: {}", reason.to_lowercase()));
                vec![
                    time.local_time.as_str().into(),
                    screen.time(Some(time.at)).into(),
                    skipped.unwrap_or_default().into(),
                ]
            });
            let cells: Vec<Vec<Cell>> = cells.collect();
            screen.table(&["local time", "when", "note"], &cells);
            Ok(())
        }
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
                    let first: List<NextRun> = shown(&next(place, &job, 1).await?)?;
                    let first = first.results.first().map(|time| time.at);
                    first.ok_or_else(|| Failure::NotFound(format!("{job} has no next time")))?
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

async fn next(place: &Place, job: &str, count: u32) -> Result<Value> {
    let id = place.job(job).await?.id;
    place.api.get(&format!("/job/{id}/nextRun"), &[("count", count.to_string())]).await
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

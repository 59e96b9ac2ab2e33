//! `windlass status`: what fails, what runs and what comes next.

use clap::Args;

use crate::api::shown;
use crate::failure::{Failure, Result};
use crate::names::Place;
use crate::rows::{Job, state};
use crate::screen::{Cell, Screen, Tone};

#[derive(Args)]
pub(crate) struct Status {
    /// Only jobs of this environment, or of this project and environment.
    #[arg(long)]
    env: Option<String>,
    /// Only jobs whose last run failed.
    #[arg(long)]
    failed: bool,
    /// Exit with 5 if the last run of a job that is shown failed.
    #[arg(long)]
    exit_status: bool,
}

pub(crate) async fn run(place: &Place, status: Status, screen: &mut Screen) -> Result<()> {
    let Status { env, failed, exit_status } = status;
    let mut rows = place.jobs(None, failed.then_some("FAILED")).await?;
    if let Some(name) = env {
        let wanted = place.environment(&name).await?.environment.id.to_string();
        rows.retain(|row| row.get("environment_id").and_then(|id| id.as_str()) == Some(&wanted));
    }
    let mut jobs = rows.iter().map(shown).collect::<Result<Vec<Job>>>()?;
    let count = |state: &str| jobs.iter().filter(|job| last_state(job) == Some(state)).count();
    let (failing, running, queued) = (count("FAILED"), count("RUNNING"), count("QUEUED"));
    if screen.is_raw() {
        screen.raw(&serde_json::json!({ "jobs": rows.len(), "failing": failing, "running": running, "queued": queued, "results": rows }))?;
    } else {
        // What needs somebody comes first.
        jobs.sort_by_key(|job| (last_state(job) != Some("FAILED"), job.next_run_at.is_none(), job.next_run_at));
        let cells: Vec<Vec<Cell>> = jobs.iter().map(|job| cells(job, screen)).collect();
        screen.table(&["job", "place", "runs", "last", "when", "next", "reason"], &cells);
        screen.remark(&format!("{} jobs: {failing} failing, {running} running, {queued} queued", jobs.len()));
    }
    if exit_status && failing > 0 {
        return Err(Failure::Unsuccessful(format!("the last run of {failing} jobs failed")));
    }
    Ok(())
}

fn last_state(job: &Job) -> Option<&str> {
    job.last_run.as_ref().map(|run| run.state.as_str())
}

fn cells(job: &Job, screen: &Screen) -> Vec<Cell> {
    let last = job.last_run.as_ref();
    let reason = last.filter(|run| run.state == "FAILED").and_then(|run| run.reason.clone()).unwrap_or_default();
    let next = match job.next_run_at {
        Some(at) => screen.time(Some(at)).into(),
        None if !job.deployed => Cell::new("not deployed", Tone::Soft),
        None => Cell::new("", Tone::Soft),
    };
    vec![
        job.name.as_str().into(),
        job.place().into(),
        job.schedule.as_str().into(),
        last.map_or_else(|| Cell::new("never", Tone::Soft), |run| state(&run.state)),
        screen.time(last.and_then(|run| run.finished_at.or(run.started_at))).into(),
        next,
        reason.into(),
    ]
}

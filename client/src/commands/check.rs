//! `windlass check`: checks of jobs that run elsewhere.

use clap::Subcommand;
use serde_json::{Value, json};

use super::exec::Ping;
use crate::api::shown;
use crate::failure::Result;
use crate::names::Place;
use crate::rows::{Job, state};
use crate::screen::{Cell, Screen};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// List checks with their last pings.
    List,
    /// Tell a check how its job goes. Needs no token.
    Ping(Ping),
}

pub(crate) async fn list(place: &Place, screen: &mut Screen) -> Result<()> {
    let is_check = |row: &Value| row.get("job_type").and_then(Value::as_str) == Some("CHECK");
    let rows: Vec<Value> = place.jobs(None, None).await?.into_iter().filter(is_check).collect();
    if screen.is_raw() {
        return screen.raw(&json!({ "results": rows }));
    }
    let jobs = rows.iter().map(shown).collect::<Result<Vec<Job>>>()?;
    let cells = jobs.iter().map(|job| -> Vec<Cell> {
        let last = job.last_run.as_ref();
        vec![
            job.name.as_str().into(),
            job.place().into(),
            job.schedule.as_str().into(),
            last.map_or_else(|| "".into(), |run| state(&run.state)),
            screen.time(last.and_then(|run| run.finished_at.or(run.started_at))).into(),
            job.id.to_string().into(),
        ]
    });
    let cells: Vec<Vec<Cell>> = cells.collect();
    screen.table(&["check", "place", "expects", "last", "when", "id"], &cells);
    Ok(())
}

//! Clears the failed state of jobs.

use entity::job;
use uuid::Uuid;

use crate::app::App;
use crate::error::Result;
use crate::store;

/// Clears the failed state of jobs; returns those that had one, and the names of the runs that failed.
pub(in crate::api) async fn clean(app: &App, jobs: Vec<job::Model>) -> Result<(Vec<Uuid>, Vec<String>)> {
    /// The most failed runs of a job that are named.
    const MOST: u64 = 100;
    let (mut ids, mut names) = (Vec::new(), Vec::new());
    for job in &jobs {
        let runs = store::run::list_failed(&app.db, job.id, job.failures_cleared_at, MOST).await?;
        if !runs.is_empty() {
            ids.push(job.id.0);
        }
        names.extend(runs.iter().map(|run| format!("{}-{}", job.name, run.number)));
    }
    store::job::clear_failures(&app.db, jobs.iter().map(|job| job.id).collect(), app.clock.now()).await?;
    Ok((ids, names))
}

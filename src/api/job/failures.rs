//! Clears the failed state of jobs.

use entity::job;
use uuid::Uuid;

use crate::app::App;
use crate::error::Result;
use crate::store;

/// Clears the failed state of jobs. Returns the ids of the jobs that had failed and the names of their failed runs.
pub(in crate::api) async fn clear_failures(app: &App, jobs: Vec<job::Model>) -> Result<(Vec<Uuid>, Vec<String>)> {
    /// Maximum failed runs named per job.
    const MOST: u64 = 100;
    let (mut ids, mut names) = (Vec::new(), Vec::new());
    for job in &jobs {
        let runs = store::run::list_failed(&app.db, job.id, job.failures_cleared_at, MOST).await?;
        if !runs.is_empty() {
            ids.push(job.id.0);
        }
        names.extend(runs.iter().map(|run| format!("{}-{}", job.name, run.number)));
    }
    let (all, now): (Vec<_>, _) = (jobs.iter().map(|job| job.id).collect(), app.clock.now());
    store::write_one(&app.db, async |db| store::job::clear_failures(&db, all.clone(), now).await).await?;
    Ok((ids, names))
}

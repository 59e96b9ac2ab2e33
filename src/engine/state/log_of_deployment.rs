//! The log of a deployment: what it and its parts did, the builds of images, and the ends of the logs of failed runs.

use entity::deployment::{self, Progress};
use entity::{environment, run};

use super::log_composer::{DeploymentLogEntry, LogComposer};
use super::part_runs::run_ids;
use crate::app::App;
use crate::error::Result;
use crate::store;
use crate::store::log_chunk::LogLine;

/// Maximum entries (official limit).
const MOST: usize = 1000;

/// How many of the last lines of a failed run are part of the log of its deployment.
const OUTPUT: usize = 20;

/// The log of a deployment, oldest entry first.
///
/// # Errors
/// Database errors.
pub async fn deployment_log(
    app: &App,
    environment: &environment::Model,
    row: &deployment::Model,
) -> Result<Vec<DeploymentLogEntry>> {
    let parts = store::deployment::list_parts(&app.db, row.id).await?;
    let runs = store::run::list_by_ids(&app.db, run_ids(&parts)).await?;
    let jobs = store::job::list_by_ids(&app.db, parts.iter().map(|part| part.job_id).collect()).await?;
    let names = jobs.into_iter().map(|job| (job.id, job.name)).collect();
    let composer = LogComposer::new(environment, row, names, &parts);
    let mut entries = composer.compose(&parts, &runs);
    for part in &parts {
        let of = |id| runs.iter().find(|run| Some(run.id) == id);
        if let Some(build) = of(part.build_run_id) {
            entries.extend(composer.build(part, build, &last_lines(app, build, MOST).await?));
        }
        if let Some(run) = of(part.run_id).filter(|_| part.progress == Progress::Failed) {
            entries.extend(composer.output(part, &last_lines(app, run, OUTPUT).await?));
        }
    }
    entries.sort_by_key(|entry| entry.at);
    let skipped = entries.len().saturating_sub(MOST);
    Ok(entries.into_iter().skip(skipped).collect())
}

/// The end of the log of a run, which shows why it ended as it did.
async fn last_lines(app: &App, run: &run::Model, most: usize) -> Result<Vec<LogLine>> {
    let after = (run.total_lines - i64::try_from(most).unwrap_or(0)).max(0);
    Ok(store::log_chunk::list_by_run(&app.db, run.id, after).await?)
}

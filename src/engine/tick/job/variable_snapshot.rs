//! The variables of a deployed job: sealed and stored when it is deployed, and opened for each of its runs.

use chrono::{DateTime, Utc};
use entity::run::{Event, Trigger};
use entity::{environment, job, job_variables, run, variable};
use sea_orm::{ConnectionTrait, DatabaseTransaction};

use super::subject::JobSubject;
use crate::app::App;
use crate::engine::variables::{Variable, VariableScope};
use crate::error::{Error, Result};
use crate::secret::{self, Secret};
use crate::store;

/// Stores the variables that a job sees now, so that later edits do not change the deployed job.
pub(in crate::engine::tick) async fn store_snapshot(
    app: &App,
    tx: &DatabaseTransaction,
    job: &job::Model,
    now: DateTime<Utc>,
) -> Result<()> {
    let Some(environment) = store::environment::by_id(tx, job.environment_id).await? else { return Ok(()) };
    let variables = live(app, tx, &environment, job).await?;
    let text = serde_json::to_vec(&variables).map_err(Error::internal)?;
    let sealed = app.keys.seal(&secret::place("job_variables", job.id.0), &text)?;
    store::variable::keep(tx, job_variables::Model { job_id: job.id, created_at: now, sealed }).await?;
    Ok(())
}

/// The variables of a run: those stored with the configuration that it belongs to, or the current ones.
pub(super) async fn for_run(
    app: &App,
    run: &run::Model,
    of: JobSubject<'_>,
    stored: Option<&[u8]>,
) -> Result<Vec<Variable>> {
    match stored.filter(|_| uses_snapshot(run, of.job)) {
        Some(sealed) => {
            let opened = app.keys.open(&secret::place("job_variables", of.job.id.0), sealed)?;
            serde_json::from_slice(opened.expose()).map_err(|_| Error::internal("stored variables are not JSON"))
        }
        None => live(app, &app.db, of.environment, of.job).await,
    }
}

/// Whether a run belongs to the configuration whose variables were stored.
fn uses_snapshot(run: &run::Model, job: &job::Model) -> bool {
    match (run.event, run.trigger) {
        // It comes before the deployment that stores the variables.
        (Event::Build, _) => false,
        // The job is no longer deployed when the command of its removal runs.
        (Event::Stop | Event::Delete, Trigger::Deployment) => true,
        _ => job.deployed.is_some(),
    }
}

async fn live(
    app: &App,
    db: &impl ConnectionTrait,
    environment: &environment::Model,
    job: &job::Model,
) -> Result<Vec<Variable>> {
    let rows = store::variable::list(db, environment.project_id, Some(environment.id), Some(job.id)).await?;
    rows.into_iter().map(|row| opened(app, row)).collect()
}

fn opened(app: &App, row: variable::Model) -> Result<Variable> {
    let value = match &row.sealed {
        Some(sealed) => app.keys.open_text(&secret::place("variable", row.id.0), sealed)?,
        None => Secret::new(row.value.unwrap_or_default()),
    };
    let scope = match (row.job_id, row.environment_id) {
        _ if row.kind == variable::VariableKind::BuiltIn => VariableScope::BuiltIn,
        (Some(_), _) => VariableScope::Job,
        (None, Some(_)) => VariableScope::Environment,
        (None, None) => VariableScope::Project,
    };
    Ok(Variable {
        id: row.id.0,
        scope,
        key: row.key,
        kind: row.kind,
        is_secret: row.is_secret,
        value: value.expose().clone(),
        mount_path: row.mount_path,
        interpolated: row.interpolated.unwrap_or(false),
        target_id: row.target_id.map(|id| id.0),
        target_key: row.target_key,
    })
}

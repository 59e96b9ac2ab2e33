//! Stores the definition of a job, with its event.

use chrono::{DateTime, Utc};
use entity::job_spec::JobSpec;
use entity::{cluster, environment, job};
use sea_orm::ConnectionTrait;

use super::cluster_check::{check_image, check_limits};
use super::job_edit::or_taken;
use super::references::{References, check_references};
use crate::app::App;
use crate::engine::audit::{self, Change};
use crate::engine::command;
use crate::engine::requester::Requester;
use crate::error::{Error, Result};
use crate::store;

/// The rows that a valid definition was checked against.
pub struct Checked {
    pub cluster: cluster::Model,
    pub references: References,
}

/// Checks a definition against its cluster and the rows that it refers to.
///
/// # Errors
/// `Invalid` or `Faults`; database errors.
pub async fn check(
    app: &App,
    db: &impl ConnectionTrait,
    environment: &environment::Model,
    spec: &JobSpec,
) -> Result<Checked> {
    let cluster = store::environment::cluster_of(db, environment).await?;
    check_image(app, spec, &cluster)?;
    check_limits(spec, &cluster)?;
    let references = check_references(db, environment.organization_id, spec).await?;
    Ok(Checked { cluster, references })
}

/// Stores a new job, whose definition was checked.
///
/// # Errors
/// `Conflict` if the name is taken, or while the environment is being deleted; database errors.
pub async fn create(app: &App, by: &Requester, environment: &environment::Model, row: job::Model) -> Result<()> {
    audit::write(app, by, environment.organization_id, async |tx| {
        command::lock_for_addition(tx, environment.id).await?;
        let change = Change::create("JOB", row.id.0, &row.name).of_environment(environment).after(&row.spec);
        store::job::create(tx, row).await.map_err(or_taken)?;
        Ok(((), change))
    })
    .await
}

/// Stores a changed job, and returns it. `wanted` makes the name and the configuration of what is stored, which may be something else
/// than `row`, which the caller has read: what a request does not name is never undone. `seen` is when the job had last been changed
/// as far as the caller knows, if no change of somebody else may come between.
///
/// # Errors
/// Those of `wanted` and `check`; `Conflict` if the name is taken, or if the job was changed since it was seen; `NotFound` if it is
/// gone; database errors.
pub async fn update(
    app: &App,
    by: &Requester,
    environment: &environment::Model,
    (row, seen): (&job::Model, Option<DateTime<Utc>>),
    wanted: impl Fn(&job::Model) -> Result<(String, JobSpec)>,
) -> Result<job::Model> {
    // Before the transaction, because it is nearly always refused or accepted for what the caller has read.
    let likely = wanted(row)?;
    check(app, &app.db, environment, &likely.1).await?;
    let now = app.clock.now();
    audit::write(app, by, environment.organization_id, async |tx| {
        // Whoever changes the job at the same time waits here.
        let job = store::job::lock(tx, row.id).await?.ok_or(Error::NotFound("job"))?;
        let old = job.row();
        if seen.is_some_and(|seen| old.updated_at != seen) {
            return Err(Error::Conflict("the job was changed by somebody else in the meantime".into()));
        }
        let (name, spec) = if (&old.name, &old.spec) == (&row.name, &row.spec) {
            likely.clone()
        } else {
            let other = wanted(old)?;
            check(app, tx, environment, &other.1).await?;
            other
        };
        let change = Change::update("JOB", old.id.0, &name).of_environment(environment);
        let change = change.before(&old.spec).after(&spec);
        let new = job.edit(tx, (name, spec), now).await.map_err(or_taken)?;
        Ok((new, change))
    })
    .await
}

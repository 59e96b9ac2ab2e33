//! Stores the definition of a job, with its event.

use chrono::{DateTime, Utc};
use entity::id::JobId;
use entity::job_spec::JobSpec;
use entity::{cluster, environment, job};

use super::cluster_check::{check_image, check_limits};
use super::job_edit::{edit_of, or_taken};
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
pub async fn check(app: &App, environment: &environment::Model, spec: &JobSpec) -> Result<Checked> {
    let cluster = store::environment::cluster_of(&app.db, environment).await?;
    check_image(app, spec, &cluster)?;
    check_limits(spec, &cluster)?;
    let references = check_references(&app.db, environment.organization_id, spec).await?;
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

/// Stores a changed job, whose definition was checked. `change` gets the job as it is stored, which may be another one than the caller has
/// seen. `seen` is when the job had last been changed as far as the caller knows, if they do not want to undo the change of somebody else.
///
/// # Errors
/// `Conflict` if the name is taken, or if the job was changed since; those of `change`; database errors.
pub async fn update(
    app: &App,
    by: &Requester,
    environment: &environment::Model,
    (id, change): (JobId, impl Fn(&job::Model) -> Result<job::Model>),
    seen: Option<DateTime<Utc>>,
) -> Result<()> {
    let now = app.clock.now();
    audit::write(app, by, environment.organization_id, async |tx| {
        // Whoever changes the job at the same time waits here.
        let old = store::job::lock(tx, id).await?.ok_or(Error::NotFound("job"))?;
        if seen.is_some_and(|seen| old.updated_at != seen) {
            return Err(Error::Conflict("the job was changed by somebody else in the meantime".into()));
        }
        let new = change(&old)?;
        store::job::update(tx, id, edit_of(&new, now)).await.map_err(or_taken)?;
        let event = Change::update("JOB", id.0, &new.name).of_environment(environment);
        Ok(((), event.before(&old.spec).after(&new.spec)))
    })
    .await
}

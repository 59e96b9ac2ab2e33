//! Copies one job, with its variables. Callers have checked that the requester may.

use std::collections::HashMap;

use entity::id::JobId;
use entity::variable::VariableKind;
use entity::{environment, job, stage_job};

use super::audit::{self, Change};
use super::command;
use super::copy_job::{copy_job, copy_variables};
use super::definition;
use super::requester::Requester;
use crate::app::App;
use crate::error::{Error, Result};
use crate::store;
use crate::store::variable::Owner;

/// Stores a copy of a job in an environment of the same organization, and returns its id.
///
/// # Errors
/// `Invalid` if the job cannot run there; `Conflict` if the name is taken; database errors.
pub async fn clone_job(
    app: &App,
    by: &Requester,
    source: &job::Model,
    target: &environment::Model,
    name: String,
) -> Result<JobId> {
    if target.organization_id != source.organization_id {
        return Err(Error::invalid("environment_id", "belongs to another organization"));
    }
    let cluster = store::environment::cluster_of(&app.db, target).await?;
    definition::check_image(app, &source.spec, &cluster)?;
    definition::check_limits(&source.spec, &cluster)?;
    let now = app.clock.now();
    audit::write(app, by, target.organization_id, async |tx| {
        command::lock_for_addition(tx, target.id).await?;
        let copy = copy_job(tx, source, target, name, now).await?;
        let same = source.environment_id == target.id;
        let (mut copies, outputs) = (HashMap::new(), HashMap::new());
        let renamed = [(source.id, copy.id)];
        let rows = store::variable::list_of_job(tx, source.id).await?;
        // The official API does not copy aliases into another environment.
        let rows = rows.into_iter().filter(|row| same || row.kind != VariableKind::Alias).collect();
        copy_variables(app, tx, rows, Owner::Job(copy.id), (&mut copies, &outputs), &renamed, now).await?;
        if same && let Some(place) = store::stage::place(tx, source.id).await? {
            store::stage::attach(tx, stage_job::Model { job_id: copy.id, created_at: now, updated_at: now, ..place })
                .await?;
        }
        let change = Change::new("CLONE", "JOB", copy.id.0, &copy.name).of_environment(target);
        Ok((copy.id, change))
    })
    .await
}

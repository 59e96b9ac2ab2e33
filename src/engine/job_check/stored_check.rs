//! Stores checks, with their events: new ones, changes, deletions, and new keys.

use chrono::{DateTime, Utc};
use entity::id::JobId;
use entity::{environment, job, job_check};
use sea_orm::DatabaseTransaction;
use serde_json::json;

use super::check_definition::CheckDefinition;
use super::settled::{Settled, decide, expectation, keep};
use crate::app::App;
use crate::engine::audit::{self, Change};
use crate::engine::command;
use crate::engine::definition::or_taken;
use crate::engine::news::subject_deleted;
use crate::engine::requester::Requester;
use crate::error::{Error, Result};
use crate::secret::{self, Secret, TokenHash, new_ping_key};
use crate::store;
use crate::store::alert::AlertsOf;

/// The kind of a check in events, whose official target is a job.
const PART: &str = "CHECK";

/// The address of the pings of a check, without the server; none if its key was given up. It contains the key.
///
/// # Errors
/// When the keys of this server do not open the stored key.
pub fn ping_path(app: &App, check: &job_check::Model) -> Result<Option<Secret<String>>> {
    let Some(sealed) = &check.sealed else { return Ok(None) };
    let key = app.keys.open_text(&secret::place("job_check", check.job_id.0), sealed)?;
    Ok(Some(Secret::new(format!("/ping/{}", key.expose()))))
}

/// A new key: its hash, and the key sealed for its row.
fn new_key(app: &App, id: JobId) -> Result<(String, Vec<u8>)> {
    let key = new_ping_key()?;
    let sealed = app.keys.seal(&secret::place("job_check", id.0), key.expose().as_bytes())?;
    Ok((TokenHash::of(key.expose()).stored(), sealed))
}

/// Stores a new check. From now on, its pings are expected.
///
/// # Errors
/// `Conflict` if the name is taken, or while the environment is being deleted; database errors.
pub async fn create(
    app: &App,
    by: &Requester,
    environment: &environment::Model,
    definition: CheckDefinition,
) -> Result<(job::Model, job_check::Model)> {
    let (id, now) = (JobId::create(), app.clock.now());
    store::write(&app.db, async |tx| {
        command::lock_for_addition(tx, environment.id).await?;
        create_in(app, by, tx, environment, (id, definition.clone()), now).await
    })
    .await
}

/// The same in a transaction of the caller, who has locked the environment.
///
/// # Errors
/// The same.
pub(in crate::engine) async fn create_in(
    app: &App,
    by: &Requester,
    tx: &DatabaseTransaction,
    environment: &environment::Model,
    (id, definition): (JobId, CheckDefinition),
    now: DateTime<Utc>,
) -> Result<(job::Model, job_check::Model)> {
    let CheckDefinition { name, spec } = definition;
    let row = job::Model {
        id,
        deployed: Some(spec.clone()),
        deployed_at: Some(now),
        ..job::Model::new(environment, &name, spec, now)
    };
    let (key_hash, sealed) = new_key(app, row.id)?;
    let expectation = expectation(&row)?;
    let expected_for = expectation.first(now);
    let due_at = expected_for.and_then(|expected| expectation.due(expected));
    let check =
        job_check::Model { job_id: row.id, key_hash, sealed: Some(sealed), expected_for, due_at, pinged_at: None };
    store::job::create_check(tx, row.clone()).await.map_err(or_taken)?;
    store::group::add_to_job(tx, row.id, &row.spec.labels_groups).await?;
    store::row::create(tx, check.clone()).await?;
    store::alert::begin_success(tx, row.id, now).await?;
    let change = Change::create("JOB", row.id.0, &row.name).part(PART).of_environment(environment);
    audit::record(app, by, environment.organization_id, tx, change.after(&row.spec)).await?;
    Ok((row, check))
}

/// Stores a changed check. With another rhythm, the next ping is expected as if the check were new. Its labels stay.
///
/// # Errors
/// `Conflict` if the name is taken; `NotFound` if the check was deleted in the meantime; database errors.
pub async fn update(
    app: &App,
    by: &Requester,
    environment: &environment::Model,
    (id, definition): (JobId, CheckDefinition),
) -> Result<(job::Model, job_check::Model)> {
    let now = app.clock.now();
    let stored = store::write(&app.db, async |tx| {
        let change = CheckChange { id, definition: definition.clone(), labels: Labels::Stay };
        update_in(app, by, tx, environment, change, now).await
    });
    let (job, check, settled) = stored.await?;
    settled.report(app);
    app.wake.now();
    Ok((job, check))
}

/// Whether a change of a check is one of its labels, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::engine) enum Labels {
    Stay,
    AsDefined,
}

/// A change of a check.
pub(in crate::engine) struct CheckChange {
    pub(in crate::engine) id: JobId,
    pub(in crate::engine) definition: CheckDefinition,
    pub(in crate::engine) labels: Labels,
}

/// The same in a transaction of the caller, who reports what was settled when it is stored.
///
/// # Errors
/// The same.
pub(in crate::engine) async fn update_in(
    app: &App,
    by: &Requester,
    tx: &DatabaseTransaction,
    environment: &environment::Model,
    change: CheckChange,
    now: DateTime<Utc>,
) -> Result<(job::Model, job_check::Model, Settled)> {
    let CheckChange { id, definition: CheckDefinition { name, mut spec }, labels } = change;
    // First, so that the check is not one from before the change of somebody else.
    let job = store::job::lock(tx, id).await?.ok_or(Error::NotFound("check"))?;
    let (_, mut check) = store::job_check::lock(tx, id).await?.ok_or(Error::NotFound("check"))?;
    let old = job.row();
    // What is due belongs to the state before the change.
    let settled = decide(app, tx, &mut check, &expectation(old)?, now).await?;
    match labels {
        Labels::Stay => spec.labels_groups.clone_from(&old.spec.labels_groups),
        Labels::AsDefined => store::group::set_of_job(tx, id, &spec.labels_groups).await?,
    }
    let new = job.edit_check(tx, (name, spec), now).await.map_err(or_taken)?;
    let after = expectation(&new)?;
    if old.spec.schedule != new.spec.schedule {
        let waits = check.pinged_at.unwrap_or(old.created_at);
        check.expected_for = after.first(waits).filter(|expected| *expected > now).or_else(|| after.first(now));
    }
    keep(tx, &mut check, &after).await?;
    let change = Change::update("JOB", id.0, &new.name).part(PART).of_environment(environment);
    let change = change.before(&old.spec).after(&new.spec);
    audit::record(app, by, environment.organization_id, tx, change).await?;
    Ok((new, check, settled))
}

/// Deletes a check with its runs. Its pings are no longer accepted.
///
/// # Errors
/// Database errors.
pub async fn delete(app: &App, by: &Requester, environment: &environment::Model, row: &job::Model) -> Result<()> {
    store::write(&app.db, async |tx| delete_in(app, by, tx, environment, row).await).await
}

/// The same in a transaction of the caller.
///
/// # Errors
/// The same.
pub(in crate::engine) async fn delete_in(
    app: &App,
    by: &Requester,
    tx: &DatabaseTransaction,
    environment: &environment::Model,
    row: &job::Model,
) -> Result<()> {
    subject_deleted(tx, AlertsOf::Job(row.id), app.clock.now()).await?;
    store::job::delete(tx, row.id).await?;
    let change = Change::delete("JOB", row.id.0, &row.name).part(PART).of_environment(environment);
    audit::record(app, by, environment.organization_id, tx, change.before(&row.spec)).await
}

/// Gives a check a new key. Pings with the old one are no longer accepted.
///
/// # Errors
/// Database errors.
pub async fn rotate_key(
    app: &App,
    by: &Requester,
    environment: &environment::Model,
    row: &job::Model,
) -> Result<job_check::Model> {
    let (key_hash, sealed) = new_key(app, row.id)?;
    audit::write(app, by, environment.organization_id, async |tx| {
        let Some((_, check)) = store::job_check::lock(tx, row.id).await? else { return Err(Error::NotFound("check")) };
        store::job_check::set_key(tx, row.id, key_hash.clone(), sealed.clone()).await?;
        let change = Change::update("JOB", row.id.0, &row.name).part(PART).of_environment(environment);
        let change = change.after(&json!({"key": "replaced"}));
        Ok((job_check::Model { key_hash, sealed: Some(sealed), ..check }, change))
    })
    .await
}

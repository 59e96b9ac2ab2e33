//! Access to jobs and their runs.

use std::sync::Arc;

use bytes::Bytes;
use entity::id::{JobId, RunId};
use entity::job_spec::JobType;
use entity::{job, job_check, run};
use sea_orm::DatabaseConnection;

use super::caller::Caller;
use super::location::location_of;
use super::role::Location;
use super::role_action::Action;
use crate::error::{Error, Result};
use crate::store;
use crate::store::job::{JobAnswer, JobAnswers, JobPlace, JobView};

impl From<JobPlace> for Location {
    fn from(place: JobPlace) -> Self {
        let JobPlace { cluster_id, project_id, mode } = place;
        Self { cluster: Some(cluster_id), project: Some(project_id), mode: Some(mode) }
    }
}

/// What callers are told who name a check where only other jobs are served.
const IS_A_CHECK: Error = Error::NotFound("the id is that of a check, which /check/{checkId} serves: job");

/// A check is a job only for operations that say so.
fn refuse_check(job_type: JobType) -> Result<()> {
    if job_type == JobType::Check { Err(IS_A_CHECK) } else { Ok(()) }
}

/// A job, with the related data of its response.
///
/// # Errors
/// `NotFound`, `Forbidden`, or a database error.
pub async fn job(db: &DatabaseConnection, caller: &Caller, action: Action, id: JobId) -> Result<JobView> {
    let view = store::job::view_by_id(db, id).await?.ok_or(Error::NotFound("job"))?;
    caller.require(view.organization_id, action, &view.place.into(), "job")?;
    refuse_check(view.job_type)?;
    Ok(view)
}

/// The finished answer that shows a job to those who may view it: one that was kept, or the one that `finish` makes, as a body and
/// its entity tag.
///
/// # Errors
/// `NotFound`, `Forbidden`, a database error, or one of `finish`.
pub async fn job_answer(
    db: &DatabaseConnection,
    answers: &JobAnswers,
    caller: &Caller,
    id: JobId,
    finish: impl FnOnce(JobView) -> Result<(Bytes, Bytes)>,
) -> Result<Arc<JobAnswer>> {
    let allowed = |organization, place: JobPlace| caller.require(organization, Action::View, &place.into(), "job");
    if let Some(known) = answers.get(id) {
        allowed(known.organization_id, known.place)?;
        return Ok(known);
    }
    let (view, basis) = answers.read(db, id).await?.ok_or(Error::NotFound("job"))?;
    let (organization_id, place) = (view.organization_id, view.place);
    allowed(organization_id, place)?;
    refuse_check(view.job_type)?;
    let (body, tag) = finish(view)?;
    let answer = Arc::new(JobAnswer { organization_id, place, body, tag });
    answers.keep(id, &answer, basis);
    Ok(answer)
}

/// The whole row of a job that is no check.
///
/// # Errors
/// `NotFound`, `Forbidden`, or a database error.
pub async fn job_row(db: &DatabaseConnection, caller: &Caller, action: Action, id: JobId) -> Result<job::Model> {
    let row = job_or_check(db, caller, action, id).await?;
    refuse_check(row.job_type)?;
    Ok(row)
}

/// The whole row of a check, with its pings.
///
/// # Errors
/// `NotFound`, `Forbidden`, or a database error.
pub async fn check(
    db: &DatabaseConnection,
    caller: &Caller,
    action: Action,
    id: JobId,
) -> Result<(job::Model, job_check::Model)> {
    const THING: &str = "check";
    let row = store::job::by_id(db, id).await?.ok_or(Error::NotFound(THING))?;
    let location = location_of(db, caller, row.organization_id, row.environment_id).await?;
    caller.require(row.organization_id, action, &location, THING)?;
    let pings = store::job_check::by_job(db, id).await?.ok_or(Error::NotFound(THING))?;
    Ok((row, pings))
}

/// The whole row of a job, also of a check.
///
/// # Errors
/// `NotFound`, `Forbidden`, or a database error.
pub async fn job_or_check(db: &DatabaseConnection, caller: &Caller, action: Action, id: JobId) -> Result<job::Model> {
    let row = store::job::by_id(db, id).await?.ok_or(Error::NotFound("job"))?;
    let location = location_of(db, caller, row.organization_id, row.environment_id).await?;
    caller.require(row.organization_id, action, &location, "job")?;
    Ok(row)
}

/// A run, with the permissions of its job.
///
/// # Errors
/// `NotFound`, `Forbidden`, or a database error.
pub async fn run(db: &DatabaseConnection, caller: &Caller, action: Action, id: RunId) -> Result<run::Model> {
    let row = store::run::by_id(db, id).await?.ok_or(Error::NotFound("run"))?;
    let job = row.job_id.ok_or(Error::NotFound("run"))?;
    let job = store::job::by_id(db, job).await?.ok_or(Error::NotFound("run"))?;
    let location = location_of(db, caller, job.organization_id, job.environment_id).await?;
    caller.require(job.organization_id, action, &location, "run")?;
    Ok(row)
}

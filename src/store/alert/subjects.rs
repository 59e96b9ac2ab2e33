//! What alerts are about: where jobs and environments are, and how runs of a job ended.

use std::collections::HashMap;

use entity::id::{ClusterId, EnvironmentId, JobId, OrganizationId, ProjectId};
use entity::run::RunState;
use entity::{environment, job, run};
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

/// Where an environment is.
#[derive(Clone, Debug)]
pub struct Place {
    pub organization: OrganizationId,
    pub project: ProjectId,
    pub cluster: ClusterId,
    pub name: String,
}

/// The places of environments.
///
/// # Errors
/// When the query fails.
pub async fn places(
    db: &impl ConnectionTrait,
    ids: Vec<EnvironmentId>,
) -> Result<HashMap<EnvironmentId, Place>, DbErr> {
    type Row = (EnvironmentId, OrganizationId, ProjectId, ClusterId, String);
    let rows: Vec<Row> = environment::Entity::find()
        .select_only()
        .columns([
            environment::Column::Id,
            environment::Column::OrganizationId,
            environment::Column::ProjectId,
            environment::Column::ClusterId,
            environment::Column::Name,
        ])
        .filter(environment::Column::Id.is_in(ids))
        .into_tuple()
        .all(db)
        .await?;
    Ok(rows
        .into_iter()
        .map(|(id, organization, project, cluster, name)| (id, Place { organization, project, cluster, name }))
        .collect())
}

/// The names of jobs.
///
/// # Errors
/// When the query fails.
pub async fn job_names(db: &impl ConnectionTrait, ids: Vec<JobId>) -> Result<HashMap<JobId, String>, DbErr> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let names = job::Entity::find().select_only().columns([job::Column::Id, job::Column::Name]);
    let names: Vec<(JobId, String)> = names.filter(job::Column::Id.is_in(ids)).into_tuple().all(db).await?;
    Ok(names.into_iter().collect())
}

/// How many of the newest ended runs of a job failed in a row, counted up to `most`.
///
/// # Errors
/// When the query fails.
pub async fn failed_in_a_row(db: &impl ConnectionTrait, job: JobId, most: u64) -> Result<usize, DbErr> {
    let newest: Vec<RunState> = run::Entity::find()
        .select_only()
        .column(run::Column::State)
        .filter(run::Column::JobId.eq(job))
        .filter(run::Column::State.is_in([RunState::Succeeded, RunState::Failed]))
        .order_by_desc(run::Column::Number)
        .limit(most)
        .into_tuple()
        .all(db)
        .await?;
    Ok(newest.iter().take_while(|state| **state == RunState::Failed).count())
}

//! New runs.

use std::collections::HashMap;

use entity::cluster::ClusterKind;
use entity::id::{ClusterId, JobId, OrganizationId};
use entity::run::{Event, SERVER_SLOTS};
use entity::{cluster, job, run};
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel, JoinType, QueryFilter,
    QuerySelect,
};

use crate::store::cluster_objects::{environment_to_cluster, job_to_environment};
use crate::store::counter::take_run_numbers;

/// The number of rows per statement, within the limits of both databases on bound values.
const ROWS: usize = 500;

/// Stores and numbers new runs. A run is skipped if its scheduled time already has one. Returns the number of
/// stored runs.
///
/// # Errors
/// When a statement fails.
pub async fn create(tx: &impl ConnectionTrait, rows: Vec<run::Model>) -> Result<u64, DbErr> {
    if rows.is_empty() {
        return Ok(0);
    }
    let mut rows = numbered(tx, rows).await?.map(|row| row.into_active_model().reset_all()).peekable();
    let conflict = OnConflict::columns([run::Column::JobId, run::Column::ScheduledFor]).do_nothing().to_owned();
    let mut stored = 0;
    while rows.peek().is_some() {
        let chunk: Vec<_> = rows.by_ref().take(ROWS).collect();
        let insert = run::Entity::insert_many(chunk).on_conflict(conflict.clone());
        stored += insert.exec_without_returning(tx).await?;
    }
    Ok(stored)
}

/// Stores and numbers a new run that belongs to no scheduled time. Returns it as stored.
///
/// # Errors
/// When a statement fails.
pub async fn create_one(tx: &impl ConnectionTrait, row: run::Model) -> Result<run::Model, DbErr> {
    let row = numbered(tx, vec![row]).await?.next().ok_or_else(|| DbErr::RecordNotInserted)?;
    run::Entity::insert(row.clone().into_active_model().reset_all()).exec_without_returning(tx).await?;
    Ok(row)
}

async fn numbered(tx: &impl ConnectionTrait, rows: Vec<run::Model>) -> Result<impl Iterator<Item = run::Model>, DbErr> {
    let rows = with_slots(tx, rows).await?;
    let first = take_run_numbers(tx, i64::try_from(rows.len()).unwrap_or(1)).await?;
    Ok(rows.into_iter().zip(first..).map(|(row, number)| run::Model { number, ..row }))
}

/// Sets the organization of runs of jobs, and the slots that they need. Images are built by the server itself.
async fn with_slots(tx: &impl ConnectionTrait, mut rows: Vec<run::Model>) -> Result<Vec<run::Model>, DbErr> {
    let mut known: HashMap<JobId, (OrganizationId, ClusterId, ClusterKind)> = HashMap::new();
    let jobs: Vec<JobId> = rows.iter().filter_map(|row| row.job_id).collect();
    for chunk in jobs.chunks(ROWS) {
        let found: Vec<(JobId, OrganizationId, ClusterId, ClusterKind)> = job::Entity::find()
            .select_only()
            .columns([job::Column::Id, job::Column::OrganizationId])
            .column(cluster::Column::Id)
            .column(cluster::Column::Kind)
            .join(JoinType::InnerJoin, job_to_environment())
            .join(JoinType::InnerJoin, environment_to_cluster())
            .filter(job::Column::Id.is_in(chunk.iter().copied()))
            .into_tuple()
            .all(tx)
            .await?;
        known.extend(found.into_iter().map(|(job, organization, id, kind)| (job, (organization, id, kind))));
    }
    for row in &mut rows {
        let Some((organization, cluster, kind)) = row.job_id.and_then(|id| known.get(&id)) else { continue };
        row.organization_id = *organization;
        if row.slots == SERVER_SLOTS && row.event != Event::Build && *kind != ClusterKind::Local {
            row.slots = cluster.0;
        }
    }
    Ok(rows)
}

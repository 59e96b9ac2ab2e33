//! What alerts are about: where jobs, environments, workspaces and clusters are, and how runs of a job ended.

use std::collections::HashMap;

use entity::id::{ClusterId, EnvironmentId, GroupId, JobId, OrganizationId, ProjectId, WorkspaceId};
use entity::metadata_group::GroupKind;
use entity::run::RunState;
use entity::{cluster, environment, job, job_group, metadata_group, run, workspace};
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::store::run::says_how_it_does;

/// The most jobs with labels in a query, and the most groups of an organization.
const TOGETHER: usize = 500;
const GROUPS: u64 = 2000;

/// Where an environment, a workspace or a cluster is.
#[derive(Clone, Debug)]
pub struct Place {
    pub organization: OrganizationId,
    pub project: Option<ProjectId>,
    pub cluster: Option<ClusterId>,
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
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
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
    let place = |(id, organization, project, cluster, name): Row| {
        (id, Place { organization, project: Some(project), cluster: Some(cluster), name })
    };
    Ok(rows.into_iter().map(place).collect())
}

/// The places of workspaces.
///
/// # Errors
/// When the query fails.
pub async fn workspace_places(
    db: &impl ConnectionTrait,
    ids: Vec<WorkspaceId>,
) -> Result<HashMap<WorkspaceId, Place>, DbErr> {
    type Row = (WorkspaceId, OrganizationId, Option<ProjectId>, String);
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows: Vec<Row> = workspace::Entity::find()
        .select_only()
        .columns([
            workspace::Column::Id,
            workspace::Column::OrganizationId,
            workspace::Column::ProjectId,
            workspace::Column::Name,
        ])
        .filter(workspace::Column::Id.is_in(ids))
        .into_tuple()
        .all(db)
        .await?;
    let place = |(id, organization, project, name): Row| (id, Place { organization, project, cluster: None, name });
    Ok(rows.into_iter().map(place).collect())
}

/// The places of clusters.
///
/// # Errors
/// When the query fails.
pub async fn cluster_places(
    db: &impl ConnectionTrait,
    ids: Vec<ClusterId>,
) -> Result<HashMap<ClusterId, Place>, DbErr> {
    type Row = (ClusterId, OrganizationId, String);
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows: Vec<Row> = cluster::Entity::find()
        .select_only()
        .columns([cluster::Column::Id, cluster::Column::OrganizationId, cluster::Column::Name])
        .filter(cluster::Column::Id.is_in(ids))
        .into_tuple()
        .all(db)
        .await?;
    let place = |(id, organization, name): Row| (id, Place { organization, project: None, cluster: Some(id), name });
    Ok(rows.into_iter().map(place).collect())
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

/// The labels of jobs.
///
/// # Errors
/// When a query fails.
pub async fn labels_of_jobs(
    db: &impl ConnectionTrait,
    jobs: &[JobId],
) -> Result<HashMap<JobId, Vec<(String, String)>>, DbErr> {
    let mut found: HashMap<JobId, Vec<(String, String)>> = HashMap::new();
    for jobs in jobs.chunks(TOGETHER) {
        let of_jobs = job_group::Entity::find().filter(job_group::Column::JobId.is_in(jobs.to_vec()));
        let of_jobs = of_jobs.limit(GROUPS * 10).all(db).await?;
        let mut ids: Vec<GroupId> = of_jobs.iter().map(|row| row.group_id).collect();
        ids.sort_unstable();
        ids.dedup();
        if ids.is_empty() {
            continue;
        }
        let groups = metadata_group::Entity::find()
            .filter(metadata_group::Column::Id.is_in(ids))
            .filter(metadata_group::Column::Kind.eq(GroupKind::Labels))
            .limit(GROUPS)
            .all(db)
            .await?;
        for row in of_jobs {
            let Some(group) = groups.iter().find(|group| group.id == row.group_id) else { continue };
            let labels = group.entries.0.iter().map(|entry| (entry.key.clone(), entry.value.clone()));
            found.entry(row.job_id).or_default().extend(labels);
        }
    }
    Ok(found)
}

/// The groups of an organization that have a label.
///
/// # Errors
/// When the query fails.
pub async fn groups_with_label(
    db: &impl ConnectionTrait,
    organization: OrganizationId,
    (key, value): (&str, &str),
) -> Result<Vec<GroupId>, DbErr> {
    let groups = metadata_group::Entity::find()
        .filter(metadata_group::Column::OrganizationId.eq(organization))
        .filter(metadata_group::Column::Kind.eq(GroupKind::Labels))
        .order_by_asc(metadata_group::Column::Id)
        .limit(GROUPS)
        .all(db)
        .await?;
    let has = |group: &metadata_group::Model| group.entries.0.iter().any(|one| one.key == key && one.value == value);
    Ok(groups.iter().filter(|group| has(group)).map(|group| group.id).collect())
}

/// How many of the newest ended runs of a job failed in a row, counted up to `most`. Builds that succeeded are left out.
///
/// # Errors
/// When the query fails.
pub async fn failed_in_a_row(db: &impl ConnectionTrait, job: JobId, most: u64) -> Result<usize, DbErr> {
    let newest: Vec<RunState> = run::Entity::find()
        .select_only()
        .column(run::Column::State)
        .filter(run::Column::JobId.eq(job))
        .filter(says_how_it_does())
        .order_by_desc(run::Column::Number)
        .limit(most)
        .into_tuple()
        .all(db)
        .await?;
    Ok(newest.iter().take_while(|state| **state == RunState::Failed).count())
}

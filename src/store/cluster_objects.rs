//! The recorded objects of Kubernetes clusters: namespaces, applied schedules, and namespaces that are pending
//! deletion.

use chrono::{DateTime, Utc};
use entity::cluster::ClusterKind;
use entity::id::{ClusterId, JobId, OrganizationId};
use entity::job::AppliedSchedule;
use entity::{cluster, environment, job, leftover};
use sea_orm::ActiveValue::Set;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel, JoinType,
    QueryFilter, QueryOrder, QuerySelect,
};

use super::page::PAGE;

/// The Kubernetes clusters of all organizations.
///
/// # Errors
/// When the query fails.
pub async fn clusters(db: &impl ConnectionTrait) -> Result<Vec<cluster::Model>, DbErr> {
    let kind = cluster::Column::Kind.eq(ClusterKind::Kubernetes);
    cluster::Entity::find().filter(kind).order_by_asc(cluster::Column::Id).all(db).await
}

/// The clusters of an organization that are not on the server's machine and can run something: Kubernetes clusters with a kubeconfig,
/// and clusters of agents. The default one comes first, then by age.
///
/// # Errors
/// When the query fails.
pub async fn clusters_of(
    db: &impl ConnectionTrait,
    id: OrganizationId,
) -> Result<Vec<(ClusterId, ClusterKind)>, DbErr> {
    let kubernetes = Condition::all()
        .add(cluster::Column::Kind.eq(ClusterKind::Kubernetes))
        .add(cluster::Column::Kubeconfig.is_not_null());
    cluster::Entity::find()
        .select_only()
        .column(cluster::Column::Id)
        .column(cluster::Column::Kind)
        .filter(cluster::Column::OrganizationId.eq(id))
        .filter(Condition::any().add(kubernetes).add(cluster::Column::Kind.eq(ClusterKind::Agent)))
        .order_by_desc(cluster::Column::IsDefault)
        .order_by_asc(cluster::Column::CreatedAt)
        .into_tuple()
        .all(db)
        .await
}

/// The cluster of a job.
///
/// # Errors
/// When the query fails.
pub async fn cluster_of_job(db: &impl ConnectionTrait, id: JobId) -> Result<Option<(ClusterId, ClusterKind)>, DbErr> {
    cluster::Entity::find()
        .select_only()
        .column(cluster::Column::Id)
        .column(cluster::Column::Kind)
        .join_rev(JoinType::InnerJoin, environment_to_cluster())
        .join_rev(JoinType::InnerJoin, job_to_environment())
        .filter(job::Column::Id.eq(id))
        .into_tuple()
        .one(db)
        .await
}

pub(super) fn environment_to_cluster() -> sea_orm::RelationDef {
    environment::Entity::belongs_to(cluster::Entity).from(environment::Column::ClusterId).to(cluster::Column::Id).into()
}

pub(super) fn job_to_environment() -> sea_orm::RelationDef {
    job::Entity::belongs_to(environment::Entity).from(job::Column::EnvironmentId).to(environment::Column::Id).into()
}

/// Filters `jobs` to those on a cluster.
///
/// # Errors
/// When the query fails.
pub async fn jobs_on(db: &impl ConnectionTrait, id: ClusterId, jobs: Vec<JobId>) -> Result<Vec<job::Model>, DbErr> {
    job::Entity::find()
        .join(JoinType::InnerJoin, job_to_environment())
        .filter(environment::Column::ClusterId.eq(id))
        .filter(job::Column::Id.is_in(jobs))
        .all(db)
        .await
}

/// A page of the jobs whose schedules are applied in a cluster, in the order of their ids, after `after`.
///
/// # Errors
/// When the query fails.
pub async fn applied(db: &impl ConnectionTrait, id: ClusterId, after: Option<JobId>) -> Result<Vec<job::Model>, DbErr> {
    let mut select = job::Entity::find()
        .join(JoinType::InnerJoin, job_to_environment())
        .filter(environment::Column::ClusterId.eq(id))
        .filter(job::Column::Applied.is_not_null());
    if let Some(after) = after {
        select = select.filter(job::Column::Id.gt(after));
    }
    select.order_by_asc(job::Column::Id).limit(PAGE).all(db).await
}

/// Records how the schedule of a job was applied in its cluster, or that it was removed.
///
/// # Errors
/// When the statement fails.
pub async fn set_applied(db: &impl ConnectionTrait, id: JobId, applied: Option<AppliedSchedule>) -> Result<(), DbErr> {
    let row = job::ActiveModel { applied: Set(applied), drifted_at: Set(None), ..Default::default() };
    job::Entity::update_many().set(row).filter(job::Column::Id.eq(id)).exec(db).await.map(|_| ())
}

/// Records that an applied schedule has drifted, or matches again. Does nothing if the job was redeployed in the
/// meantime.
///
/// # Errors
/// When the statement fails.
pub async fn set_drifted(
    db: &impl ConnectionTrait,
    row: &job::Model,
    drifted_at: Option<DateTime<Utc>>,
) -> Result<(), DbErr> {
    let change = job::ActiveModel { drifted_at: Set(drifted_at), ..Default::default() };
    job::Entity::update_many()
        .set(change)
        .filter(job::Column::Id.eq(row.id))
        .filter(job::Column::DeployedAt.eq(row.deployed_at))
        .exec(db)
        .await
        .map(|_| ())
}

/// The namespace of an environment. If it has none yet, it gets the first of `wanted` that no other environment of the
/// cluster uses.
///
/// # Errors
/// When a statement fails.
pub async fn namespace(
    db: &impl ConnectionTrait,
    row: &environment::Model,
    wanted: [String; 2],
) -> Result<Option<String>, DbErr> {
    if row.namespace.is_some() {
        return Ok(row.namespace.clone());
    }
    for name in wanted {
        let taken = environment::Entity::find()
            .filter(environment::Column::ClusterId.eq(row.cluster_id))
            .filter(environment::Column::Namespace.eq(&name))
            .one(db)
            .await?;
        if taken.is_none() {
            let change = environment::ActiveModel { namespace: Set(Some(name)), ..Default::default() };
            environment::Entity::update_many()
                .set(change)
                .filter(environment::Column::Id.eq(row.id))
                .filter(environment::Column::Namespace.is_null())
                .exec(db)
                .await?;
            break;
        }
    }
    // Another server may have set it first.
    let stored = environment::Entity::find_by_id(row.id).one(db).await?;
    Ok(stored.and_then(|row| row.namespace))
}

/// Marks the namespace of an environment for deletion.
///
/// # Errors
/// When the statement fails.
pub async fn record_leftover(
    tx: &impl ConnectionTrait,
    row: &environment::Model,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let Some(namespace) = row.namespace.clone() else { return Ok(()) };
    let left = leftover::Model { cluster_id: row.cluster_id, namespace, environment_id: row.id, created_at: now };
    leftover::Entity::insert(left.into_active_model().reset_all()).exec_without_returning(tx).await.map(|_| ())
}

/// The namespaces of a cluster that are marked for deletion.
///
/// # Errors
/// When the query fails.
pub async fn leftovers(db: &impl ConnectionTrait, id: ClusterId) -> Result<Vec<leftover::Model>, DbErr> {
    leftover::Entity::find().filter(leftover::Column::ClusterId.eq(id)).limit(PAGE).all(db).await
}

/// Records that a namespace was deleted.
///
/// # Errors
/// When the statement fails.
pub async fn forget_leftover(db: &impl ConnectionTrait, id: ClusterId, namespace: &str) -> Result<(), DbErr> {
    leftover::Entity::delete_many()
        .filter(leftover::Column::ClusterId.eq(id))
        .filter(leftover::Column::Namespace.eq(namespace))
        .exec(db)
        .await
        .map(|_| ())
}

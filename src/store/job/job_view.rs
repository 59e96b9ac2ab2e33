//! Jobs with the related data of API responses.

use chrono::{DateTime, Utc};
use entity::id::{EnvironmentId, GroupId, JobId, OrganizationId, RegistryId};
use entity::job_spec::{JobSpec, JobType};
use entity::metadata_group;
use entity::registry::RegistryKind;
use entity::run_spec::BuiltImage;
use sea_orm::{ConnectionTrait, DbErr, QueryResult, Statement, Value};

use super::cursor::Cursor;
use crate::store::group;

/// A job with all data of a response, from one query.
#[derive(Clone, Debug)]
pub struct JobView {
    pub id: JobId,
    pub organization_id: OrganizationId,
    pub environment_id: EnvironmentId,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub name: String,
    pub job_type: JobType,
    pub spec: JobSpec,
    pub registry: Option<RegistryView>,
    /// The image that was built.
    pub built: Option<BuiltImage>,
    /// The groups of annotations and labels.
    pub groups: Vec<metadata_group::Model>,
    /// The maximum CPU of a job on the cluster, in millicores.
    pub maximum_cpu_milli: i32,
    /// The maximum memory of a job on the cluster, in MiB.
    pub maximum_memory_mib: i32,
}

/// The registry of an image, as shown in the response for a job.
#[derive(Clone, Debug)]
pub struct RegistryView {
    pub id: RegistryId,
    pub name: String,
    pub url: String,
    pub kind: RegistryKind,
}

/// Plain SQL, because building this hot query would cost more than running it.
const VIEW: &str = "SELECT j.id, j.organization_id, j.environment_id, j.created_at, j.updated_at, j.name, \
     j.job_type, j.spec, r.id, r.name, r.url, r.kind, c.maximum_cpu_milli, c.maximum_memory_mib, j.built \
     FROM job j JOIN environment e ON e.id = j.environment_id JOIN cluster c ON c.id = e.cluster_id \
     LEFT JOIN registry r ON r.id = j.registry_id ";

impl JobView {
    fn read(row: &QueryResult) -> Result<Self, DbErr> {
        let registry = match row.try_get_by_index::<Option<RegistryId>>(8)? {
            Some(id) => Some(RegistryView {
                id,
                name: row.try_get_by_index(9)?,
                url: row.try_get_by_index(10)?,
                kind: row.try_get_by_index(11)?,
            }),
            None => None,
        };
        Ok(Self {
            id: row.try_get_by_index(0)?,
            organization_id: row.try_get_by_index(1)?,
            environment_id: row.try_get_by_index(2)?,
            created_at: row.try_get_by_index(3)?,
            updated_at: row.try_get_by_index(4)?,
            name: row.try_get_by_index(5)?,
            job_type: row.try_get_by_index(6)?,
            spec: row.try_get_by_index(7)?,
            registry,
            built: row.try_get_by_index(14)?,
            groups: Vec::new(),
            maximum_cpu_milli: row.try_get_by_index(12)?,
            maximum_memory_mib: row.try_get_by_index(13)?,
        })
    }
}

async fn views(db: &impl ConnectionTrait, rest: &str, values: Vec<Value>) -> Result<Vec<JobView>, DbErr> {
    let statement = Statement::from_sql_and_values(db.get_database_backend(), format!("{VIEW}{rest}"), values);
    let mut views: Vec<JobView> =
        db.query_all_raw(statement).await?.iter().map(JobView::read).collect::<Result<_, _>>()?;
    let named = |view: &JobView| view.spec.annotations_groups.iter().chain(&view.spec.labels_groups).copied().collect();
    let ids: std::collections::HashSet<GroupId> =
        views.iter().flat_map(named as fn(&JobView) -> Vec<GroupId>).collect();
    if ids.is_empty() {
        return Ok(views);
    }
    let groups = group::by_ids(db, ids.into_iter().collect()).await?;
    for view in &mut views {
        let ids = view.spec.annotations_groups.iter().chain(&view.spec.labels_groups);
        view.groups = ids.filter_map(|id| groups.iter().find(|group| group.id == *id).cloned()).collect();
    }
    Ok(views)
}

/// One job.
///
/// # Errors
/// When the query fails.
pub async fn view_by_id(db: &impl ConnectionTrait, id: JobId) -> Result<Option<JobView>, DbErr> {
    Ok(views(db, "WHERE j.id = $1", vec![id.into()]).await?.pop())
}

/// A page of the jobs of an environment after `after`, sorted by creation.
///
/// # Errors
/// When the query fails.
pub async fn list_views_by_environment(
    db: &impl ConnectionTrait,
    environment: EnvironmentId,
    after: Option<Cursor>,
    limit: u64,
) -> Result<Vec<JobView>, DbErr> {
    let (at, id) = after.unwrap_or((DateTime::UNIX_EPOCH, JobId(uuid::Uuid::nil())));
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let values = vec![environment.into(), at.into(), id.into(), limit.into()];
    let rest = "WHERE j.environment_id = $1 AND (j.created_at, j.id) > ($2, $3) ORDER BY j.created_at, j.id LIMIT $4";
    views(db, rest, values).await
}

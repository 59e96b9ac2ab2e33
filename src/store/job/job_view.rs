//! Jobs with the related data of API responses.

use chrono::{DateTime, Utc};
use entity::environment::Mode;
use entity::id::{ClusterId, EnvironmentId, GroupId, JobId, OrganizationId, ProjectId, RegistryId};
use entity::job_spec::{JobSpec, JobType};
use entity::registry::RegistryKind;
use entity::run_spec::BuiltImage;
use entity::{cluster, environment, job, metadata_group, registry};
use sea_orm::{ConnectionTrait, DbErr, QueryResult, Statement, Value};

use super::cursor::Cursor;
use crate::store::group;
use crate::store::row_changes::{Watched, WatchedRow};

/// A job with all data of a response, from one query.
#[derive(Clone, Debug)]
pub struct JobView {
    pub id: JobId,
    pub organization_id: OrganizationId,
    pub environment_id: EnvironmentId,
    pub place: JobPlace,
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

/// Where a job belongs, for the permissions of custom roles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JobPlace {
    pub cluster_id: ClusterId,
    pub project_id: ProjectId,
    pub mode: Mode,
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
macro_rules! select {
    ($more:literal, $rest:literal) => {
        concat!(
            "SELECT j.id, j.organization_id, j.environment_id, j.created_at, j.updated_at, j.name, j.job_type, j.spec, ",
            "r.id, r.name, r.url, r.kind, c.maximum_cpu_milli, c.maximum_memory_mib, j.built, ",
            "e.cluster_id, e.project_id, e.mode",
            $more,
            " FROM job j JOIN environment e ON e.id = j.environment_id JOIN cluster c ON c.id = e.cluster_id ",
            "LEFT JOIN registry r ON r.id = j.registry_id ",
            $rest
        )
    };
}

const BY_ID: &str = select!("", "WHERE j.id = $1");
/// On SQLite, with the numbers of the rows.
const BY_ID_WITH_ROWS: &str = select!(", j.rowid, e.rowid, c.rowid, r.rowid", "WHERE j.id = $1");
/// On PostgreSQL: one prepared statement for any number of jobs.
const BY_IDS: &str = select!("", "WHERE j.id = ANY($1::text::uuid[])");
const BY_ENVIRONMENT: &str = select!(
    "",
    "WHERE j.environment_id = $1 AND j.job_type <> 'CHECK' AND (j.created_at, j.id) > ($2, $3) ORDER BY j.created_at, j.id LIMIT $4"
);

impl JobView {
    /// A new job, from its row and those that it refers to. `groups` are those that it uses, in any order.
    #[must_use]
    pub fn new(
        row: job::Model,
        environment: &environment::Model,
        cluster: &cluster::Model,
        registry: Option<registry::Model>,
        groups: &[metadata_group::Model],
    ) -> Self {
        let place =
            JobPlace { cluster_id: environment.cluster_id, project_id: environment.project_id, mode: environment.mode };
        let registry = registry.map(|row| RegistryView { id: row.id, name: row.name, url: row.url, kind: row.kind });
        let groups = in_order(&row.spec, groups);
        Self {
            id: row.id,
            organization_id: row.organization_id,
            environment_id: row.environment_id,
            place,
            created_at: row.created_at,
            updated_at: row.updated_at,
            name: row.name,
            job_type: row.job_type,
            spec: row.spec,
            registry,
            built: row.built,
            groups,
            maximum_cpu_milli: cluster.maximum_cpu_milli,
            maximum_memory_mib: cluster.maximum_memory_mib,
        }
    }

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
            place: JobPlace {
                cluster_id: row.try_get_by_index(15)?,
                project_id: row.try_get_by_index(16)?,
                mode: row.try_get_by_index(17)?,
            },
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

/// The rows that a view was made of.
fn rows(row: &QueryResult, view: &JobView) -> Result<Vec<WatchedRow>, DbErr> {
    let tables = [Watched::Job, Watched::Environment, Watched::Cluster, Watched::Registry];
    let mut rows = Vec::with_capacity(5);
    for (column, table) in (18..).zip(tables) {
        rows.extend(row.try_get_by_index::<Option<i64>>(column)?.map(|rowid| WatchedRow::new(table, rowid)));
    }
    if !view.spec.annotations_groups.is_empty() || !view.spec.labels_groups.is_empty() {
        rows.push(WatchedRow::new(Watched::MetadataGroup, 0));
    }
    Ok(rows)
}

async fn add_groups(db: &impl ConnectionTrait, views: &mut [JobView]) -> Result<(), DbErr> {
    let named = |view: &JobView| view.spec.annotations_groups.iter().chain(&view.spec.labels_groups).copied().collect();
    let ids: std::collections::HashSet<GroupId> =
        views.iter().flat_map(named as fn(&JobView) -> Vec<GroupId>).collect();
    if ids.is_empty() {
        return Ok(());
    }
    let groups = group::by_ids(db, ids.into_iter().collect()).await?;
    for view in views {
        view.groups = in_order(&view.spec, &groups);
    }
    Ok(())
}

/// The groups of a job, in the order in which it names them.
fn in_order(spec: &JobSpec, groups: &[metadata_group::Model]) -> Vec<metadata_group::Model> {
    let ids = spec.annotations_groups.iter().chain(&spec.labels_groups);
    ids.filter_map(|id| groups.iter().find(|group| group.id == *id).cloned()).collect()
}

fn statement(db: &impl ConnectionTrait, sql: &'static str, values: Vec<Value>) -> Statement {
    Statement::from_sql_and_values(db.get_database_backend(), sql, values)
}

/// One job.
///
/// # Errors
/// When the query fails.
pub async fn view_by_id(db: &impl ConnectionTrait, id: JobId) -> Result<Option<JobView>, DbErr> {
    let Some(row) = db.query_one_raw(statement(db, BY_ID, vec![id.into()])).await? else { return Ok(None) };
    let mut view = JobView::read(&row)?;
    add_groups(db, std::slice::from_mut(&mut view)).await?;
    Ok(Some(view))
}

/// One job, with the rows that it was made of. On SQLite only.
pub(super) async fn watched_view_by_id(
    db: &impl ConnectionTrait,
    id: JobId,
) -> Result<Option<(JobView, Vec<WatchedRow>)>, DbErr> {
    let Some(row) = db.query_one_raw(statement(db, BY_ID_WITH_ROWS, vec![id.into()])).await? else { return Ok(None) };
    let mut view = JobView::read(&row)?;
    let rows = rows(&row, &view)?;
    add_groups(db, std::slice::from_mut(&mut view)).await?;
    Ok(Some((view, rows)))
}

/// The jobs with these ids, in any order. On PostgreSQL only.
pub(super) async fn views_by_ids(db: &impl ConnectionTrait, ids: &[JobId]) -> Result<Vec<JobView>, DbErr> {
    let list = ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
    let rows = db.query_all_raw(statement(db, BY_IDS, vec![format!("{{{list}}}").into()])).await?;
    let mut views: Vec<JobView> = rows.iter().map(JobView::read).collect::<Result<_, _>>()?;
    add_groups(db, &mut views).await?;
    Ok(views)
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
    let rows = db.query_all_raw(statement(db, BY_ENVIRONMENT, values)).await?;
    let mut views: Vec<JobView> = rows.iter().map(JobView::read).collect::<Result<_, _>>()?;
    add_groups(db, &mut views).await?;
    Ok(views)
}

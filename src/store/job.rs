//! Jobs.

use chrono::{DateTime, Utc};
use entity::id::{ClusterId, EnvironmentId, GitTokenId, GroupId, JobId, OrganizationId, ProjectId, RegistryId};
use entity::job_spec::JobSpec;
use entity::job_spec::JobType;
use entity::registry::RegistryKind;
use entity::run_spec::Built;
use entity::{job, metadata_group};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder,
    QueryResult, QuerySelect, Statement, Value,
};

/// A job with what an answer about it shows, from one query.
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
    /// What was built of it.
    pub built: Option<Built>,
    /// Its groups of annotations and labels.
    pub groups: Vec<metadata_group::Model>,
    /// The most that a job can ask for on the cluster, in millicores.
    pub maximum_cpu_milli: i32,
    /// The most that a job can ask for on the cluster, in MiB.
    pub maximum_memory_mib: i32,
}

/// The registry of an image, as an answer about a job shows it.
#[derive(Clone, Debug)]
pub struct RegistryView {
    pub id: RegistryId,
    pub name: String,
    pub url: String,
    pub kind: RegistryKind,
}

/// Written out, because this is the hottest query: building it costs more than running it.
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
    let groups = super::group::by_ids(db, ids.into_iter().collect()).await?;
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

/// The place of a job in a list in order of creation.
pub type Place = (DateTime<Utc>, JobId);

/// A page of the jobs of an environment, behind `after`, in order of creation.
///
/// # Errors
/// When the query fails.
pub async fn list_views_by_environment(
    db: &impl ConnectionTrait,
    environment: EnvironmentId,
    after: Option<Place>,
    limit: u64,
) -> Result<Vec<JobView>, DbErr> {
    let (at, id) = after.unwrap_or((DateTime::UNIX_EPOCH, JobId(uuid::Uuid::nil())));
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let values = vec![environment.into(), at.into(), id.into(), limit.into()];
    let rest = "WHERE j.environment_id = $1 AND (j.created_at, j.id) > ($2, $3) ORDER BY j.created_at, j.id LIMIT $4";
    views(db, rest, values).await
}

fn behind(after: Place) -> Condition {
    let same = Condition::all().add(job::Column::CreatedAt.eq(after.0)).add(job::Column::Id.gt(after.1));
    Condition::any().add(job::Column::CreatedAt.gt(after.0)).add(same)
}

/// The whole row of a job.
///
/// # Errors
/// When the query fails.
pub async fn by_id(db: &impl ConnectionTrait, id: JobId) -> Result<Option<job::Model>, DbErr> {
    job::Entity::find_by_id(id).one(db).await
}

/// Those of `ids` that are there.
///
/// # Errors
/// When the query fails.
pub async fn list_by_ids(db: &impl ConnectionTrait, ids: Vec<JobId>) -> Result<Vec<job::Model>, DbErr> {
    job::Entity::find().filter(job::Column::Id.is_in(ids)).all(db).await
}

/// A page of the rows of an environment, behind `after`, in order of creation.
///
/// # Errors
/// When the query fails.
pub async fn list_by_environment(
    db: &impl ConnectionTrait,
    environment: EnvironmentId,
    after: Option<Place>,
    limit: u64,
) -> Result<Vec<job::Model>, DbErr> {
    let mut select = job::Entity::find().filter(job::Column::EnvironmentId.eq(environment));
    if let Some(after) = after {
        select = select.filter(behind(after));
    }
    select.order_by_asc(job::Column::CreatedAt).order_by_asc(job::Column::Id).limit(limit).all(db).await
}

/// Stores a new job, in the stage of new jobs; call it in a transaction.
///
/// # Errors
/// A broken unique key when the name is taken.
pub async fn create(db: &impl ConnectionTrait, row: job::Model) -> Result<(), DbErr> {
    let (id, environment, now) = (row.id, row.environment_id, row.created_at);
    let groups: Vec<GroupId> = row.spec.annotations_groups.iter().chain(&row.spec.labels_groups).copied().collect();
    job::Entity::insert(job::ActiveModel::from(row).reset_all()).exec_without_returning(db).await?;
    super::group::set_of_job(db, id, &groups).await?;
    super::stage::attach_new(db, environment, id, now).await
}

/// What an edit may change: not the deployed state.
#[derive(Clone, Debug)]
pub struct JobEdit {
    pub name: String,
    pub registry_id: Option<RegistryId>,
    pub git_token_id: Option<GitTokenId>,
    pub spec: JobSpec,
    pub updated_at: DateTime<Utc>,
}

/// Changes the configuration of a job; call it in a transaction.
///
/// # Errors
/// A broken unique key when the name is taken; `RecordNotUpdated` when the job is gone.
pub async fn update(db: &impl ConnectionTrait, id: JobId, edit: JobEdit) -> Result<(), DbErr> {
    use sea_orm::ActiveValue::Set;
    let JobEdit { name, registry_id, git_token_id, spec, updated_at } = edit;
    let groups: Vec<GroupId> = spec.annotations_groups.iter().chain(&spec.labels_groups).copied().collect();
    let row = job::ActiveModel {
        id: sea_orm::ActiveValue::Unchanged(id),
        name_key: Set(entity::name_key(&name)),
        name: Set(name),
        registry_id: Set(registry_id),
        git_token_id: Set(git_token_id),
        spec: Set(spec),
        updated_at: Set(updated_at),
        ..Default::default()
    };
    row.update(db).await?;
    super::group::set_of_job(db, id, &groups).await
}

/// Sets what is deployed of a job, and when it runs next.
///
/// # Errors
/// When the statement fails.
pub async fn set_deployed(
    db: &impl ConnectionTrait,
    id: JobId,
    deployed: Option<JobSpec>,
    next_run_at: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    use sea_orm::ActiveValue::Set;
    // First, because who takes a time locks this row before it reads what is deployed.
    super::schedule::set(db, id, next_run_at).await?;
    let row = job::ActiveModel {
        deployed_at: Set(deployed.as_ref().map(|_| now)),
        deployed: Set(deployed),
        ..Default::default()
    };
    job::Entity::update_many().set(row).filter(job::Column::Id.eq(id)).exec(db).await?;
    Ok(())
}

/// Notes what was built of a job.
///
/// # Errors
/// When the statement fails.
pub async fn set_built(db: &impl ConnectionTrait, id: JobId, built: Option<Built>) -> Result<(), DbErr> {
    use sea_orm::ActiveValue::Set;
    let row = job::ActiveModel { built: Set(built), ..Default::default() };
    job::Entity::update_many().set(row).filter(job::Column::Id.eq(id)).exec(db).await?;
    Ok(())
}

/// Deletes a job with its runs and their logs.
///
/// # Errors
/// When the statement fails.
pub async fn delete(db: &impl ConnectionTrait, id: JobId) -> Result<(), DbErr> {
    job::Entity::delete_by_id(id).exec(db).await?;
    Ok(())
}

/// The jobs of an organization, narrowed to a project, an environment or a cluster, behind `after`.
///
/// # Errors
/// When the query fails.
pub async fn list_by_organization(
    db: &impl ConnectionTrait,
    organization: OrganizationId,
    (project, environment, cluster): (Option<ProjectId>, Option<EnvironmentId>, Option<ClusterId>),
    after: Option<Place>,
) -> Result<Vec<job::Model>, DbErr> {
    use entity::environment;
    use sea_orm::sea_query::Query;
    let mut select = job::Entity::find().filter(job::Column::OrganizationId.eq(organization));
    if let Some(id) = environment {
        select = select.filter(job::Column::EnvironmentId.eq(id));
    }
    if project.is_some() || cluster.is_some() {
        let mut environments = Query::select();
        environments.column(environment::Column::Id).from(environment::Entity);
        if let Some(id) = project {
            environments.and_where(environment::Column::ProjectId.eq(id));
        }
        if let Some(id) = cluster {
            environments.and_where(environment::Column::ClusterId.eq(id));
        }
        select = select.filter(job::Column::EnvironmentId.in_subquery(environments.to_owned()));
    }
    if let Some(after) = after {
        select = select.filter(behind(after));
    }
    select.order_by_asc(job::Column::CreatedAt).order_by_asc(job::Column::Id).limit(super::PAGE).all(db).await
}

/// How many jobs each environment of an organization has; those without are not in the map.
///
/// # Errors
/// When the query fails.
pub async fn count_by_environment(
    db: &impl ConnectionTrait,
    organization: OrganizationId,
) -> Result<std::collections::HashMap<EnvironmentId, i64>, DbErr> {
    let rows: Vec<(EnvironmentId, i64)> = job::Entity::find()
        .select_only()
        .column(job::Column::EnvironmentId)
        .column_as(job::Column::Id.count(), "jobs")
        .filter(job::Column::OrganizationId.eq(organization))
        .group_by(job::Column::EnvironmentId)
        .into_tuple()
        .all(db)
        .await?;
    Ok(rows.into_iter().collect())
}

/// Runs of a job that failed before `now` no longer count for its running state.
///
/// # Errors
/// When the statement fails.
pub async fn clear_failures(db: &impl ConnectionTrait, ids: Vec<JobId>, now: DateTime<Utc>) -> Result<(), DbErr> {
    job::Entity::update_many()
        .col_expr(job::Column::FailuresClearedAt, Expr::value(now))
        .filter(job::Column::Id.is_in(ids))
        .exec(db)
        .await?;
    Ok(())
}

//! Variables and secrets.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use entity::id::{EnvironmentId, JobId, ProjectId, VariableId};
use entity::variable::{Column, Entity, Model, VariableKind};
use entity::{environment, job};
use sea_orm::sea_query::{Expr, Query};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbBackend, DbErr, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect,
};

/// The maximum number of variables in one scope, without what jobs have put out.
pub const MOST: u64 = 2000;

/// The variables of a project, and of an environment and a job if given.
///
/// # Errors
/// When the query fails.
pub async fn list(
    db: &impl ConnectionTrait,
    project: ProjectId,
    environment: Option<EnvironmentId>,
    job: Option<JobId>,
) -> Result<Vec<Model>, DbErr> {
    let mut wanted = Condition::any().add(Column::ProjectId.eq(project));
    if let Some(id) = environment {
        wanted = wanted.add(Column::EnvironmentId.eq(id));
    }
    if let Some(id) = job {
        wanted = wanted.add(Column::JobId.eq(id));
    }
    Entity::find().filter(wanted).order_by_asc(Column::Key).order_by_asc(Column::Id).all(db).await
}

/// Locks the variables of a project, of one of its environments and of the jobs there, so that they stay as they are read after that.
///
/// # Errors
/// When the query fails.
pub async fn lock_all(tx: &impl ConnectionTrait, project: ProjectId, environment: EnvironmentId) -> Result<(), DbErr> {
    // SQLite has one writer.
    if tx.get_database_backend() == DbBackend::Sqlite {
        return Ok(());
    }
    let jobs = Query::select()
        .column(job::Column::Id)
        .from(job::Entity)
        .and_where(job::Column::EnvironmentId.eq(environment))
        .take();
    let these = Condition::any()
        .add(Column::ProjectId.eq(project))
        .add(Column::EnvironmentId.eq(environment))
        .add(Column::JobId.in_subquery(jobs));
    let ids = Entity::find().select_only().column(Column::Id).filter(these).order_by_asc(Column::Id);
    ids.lock_exclusive().into_tuple::<VariableId>().all(tx).await.map(drop)
}

/// The number of variables that people have given a project, an environment or a job: what jobs have put out does not count.
///
/// # Errors
/// When the query fails.
pub async fn count_given(
    db: &impl ConnectionTrait,
    project: ProjectId,
    environment: Option<EnvironmentId>,
    job: Option<JobId>,
) -> Result<u64, DbErr> {
    let own = match (environment, job) {
        (_, Some(id)) => Column::JobId.eq(id),
        (Some(id), None) => Column::EnvironmentId.eq(id),
        (None, None) => Column::ProjectId.eq(project),
    };
    Entity::find().filter(own).filter(Column::OutputOf.is_null()).count(db).await
}

/// The keys of the values that the jobs of an environment have put out.
///
/// # Errors
/// When the query fails.
pub async fn output_keys(db: &impl ConnectionTrait, id: EnvironmentId) -> Result<HashSet<String>, DbErr> {
    let keys: Vec<String> = Entity::find()
        .select_only()
        .column(Column::Key)
        .filter(Column::EnvironmentId.eq(id))
        .filter(Column::OutputOf.is_not_null())
        .filter(Column::Kind.eq(VariableKind::BuiltIn))
        .into_tuple()
        .all(db)
        .await?;
    Ok(keys.into_iter().collect())
}

/// The variables of an environment and of all its jobs.
///
/// # Errors
/// When the query fails.
pub async fn list_below_environment(db: &impl ConnectionTrait, id: EnvironmentId) -> Result<Vec<Model>, DbErr> {
    let jobs = Query::select()
        .column(job::Column::Id)
        .from(job::Entity)
        .and_where(job::Column::EnvironmentId.eq(id))
        .to_owned();
    let wanted = Condition::any().add(Column::EnvironmentId.eq(id)).add(Column::JobId.in_subquery(jobs));
    Entity::find().filter(wanted).order_by_asc(Column::Id).all(db).await
}

/// Updates the key in the aliases and overrides of a variable that was renamed.
///
/// # Errors
/// A unique violation when the scope of an override already has a variable with this key.
pub async fn follow_key(db: &impl ConnectionTrait, target: VariableId, key: &str) -> Result<(), DbErr> {
    let of = |kind: VariableKind| Condition::all().add(Column::TargetId.eq(target)).add(Column::Kind.eq(kind));
    Entity::update_many()
        .col_expr(Column::TargetKey, Expr::value(key))
        .filter(of(VariableKind::Alias))
        .exec(db)
        .await?;
    let overrides = Entity::update_many().col_expr(Column::Key, Expr::value(key));
    overrides.filter(of(VariableKind::Override)).exec(db).await?;
    Ok(())
}

/// How many aliases of aliases follow a variable, like when the variables of a run are resolved.
const MOST_FOLLOWERS: usize = 32;
/// How many targets a statement names.
const TOGETHER: usize = 1000;

/// Makes the aliases of a variable, and theirs, secrets or files like the variable.
///
/// # Errors
/// When a statement fails.
pub async fn follow_kind(db: &impl ConnectionTrait, target: &Model) -> Result<(), DbErr> {
    let mut targets = vec![target.id];
    for _ in 0..MOST_FOLLOWERS {
        let mut followers: Vec<VariableId> = Vec::new();
        for ids in targets.chunks(TOGETHER) {
            let of = || {
                Condition::all()
                    .add(Column::TargetId.is_in(ids.iter().copied()))
                    .add(Column::Kind.eq(VariableKind::Alias))
            };
            let select = Entity::find().select_only().column(Column::Id).filter(of());
            followers.extend(select.into_tuple::<VariableId>().all(db).await?);
            let like = Entity::update_many()
                .col_expr(Column::IsSecret, Expr::value(target.is_secret))
                .col_expr(Column::MountPath, Expr::value(target.mount_path.clone()));
            like.filter(of()).exec(db).await?;
        }
        if followers.is_empty() {
            break;
        }
        targets = followers;
    }
    Ok(())
}

/// Records that the visible variables have changed for one job, an environment, or a whole project.
///
/// # Errors
/// When the statement fails.
pub async fn touch(
    db: &impl ConnectionTrait,
    project: ProjectId,
    environment: Option<EnvironmentId>,
    job: Option<JobId>,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let update = job::Entity::update_many().col_expr(job::Column::VariablesChangedAt, Expr::value(now));
    let update = match (environment, job) {
        (_, Some(id)) => update.filter(job::Column::Id.eq(id)),
        (Some(id), None) => update.filter(job::Column::EnvironmentId.eq(id)),
        (None, None) => {
            let environments = Query::select()
                .column(environment::Column::Id)
                .from(environment::Entity)
                .and_where(environment::Column::ProjectId.eq(project))
                .to_owned();
            update.filter(job::Column::EnvironmentId.in_subquery(environments))
        }
    };
    update.exec(db).await?;
    Ok(())
}

/// Stores the variables that a job was deployed with, replacing those of the previous deployment.
///
/// # Errors
/// When the statement fails.
pub async fn keep(db: &impl ConnectionTrait, row: entity::job_variables::Model) -> Result<(), DbErr> {
    use entity::job_variables;
    use sea_orm::sea_query::OnConflict;
    use sea_orm::{ActiveModelTrait as _, IntoActiveModel as _};
    let newer = OnConflict::column(job_variables::Column::JobId)
        .update_columns([job_variables::Column::CreatedAt, job_variables::Column::Sealed])
        .to_owned();
    let row = row.into_active_model().reset_all();
    job_variables::Entity::insert(row).on_conflict(newer).exec_without_returning(db).await?;
    Ok(())
}

/// The variables of one environment only.
///
/// # Errors
/// When the query fails.
pub async fn list_of_environment(db: &impl ConnectionTrait, id: EnvironmentId) -> Result<Vec<Model>, DbErr> {
    Entity::find().filter(Column::EnvironmentId.eq(id)).order_by_asc(Column::Id).all(db).await
}

/// The names of the jobs of an environment that have outputs.
///
/// # Errors
/// When the query fails.
pub async fn names_with_outputs(db: &impl ConnectionTrait, id: EnvironmentId) -> Result<HashMap<JobId, String>, DbErr> {
    let with_outputs = Query::select()
        .column(Column::OutputOf)
        .from(Entity)
        .and_where(Column::EnvironmentId.eq(id))
        .and_where(Column::OutputOf.is_not_null())
        .to_owned();
    let names: Vec<(JobId, String)> = job::Entity::find()
        .select_only()
        .columns([job::Column::Id, job::Column::Name])
        .filter(job::Column::Id.in_subquery(with_outputs))
        .into_tuple()
        .all(db)
        .await?;
    Ok(names.into_iter().collect())
}

/// Records that the variables of an environment have changed for all of its jobs except one.
///
/// # Errors
/// When the statement fails.
pub async fn touch_others(
    db: &impl ConnectionTrait,
    environment: EnvironmentId,
    but: JobId,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    job::Entity::update_many()
        .col_expr(job::Column::VariablesChangedAt, Expr::value(now))
        .filter(job::Column::EnvironmentId.eq(environment))
        .filter(job::Column::Id.ne(but))
        .exec(db)
        .await?;
    Ok(())
}

/// The variables of one job only.
///
/// # Errors
/// When the query fails.
pub async fn list_of_job(db: &impl ConnectionTrait, id: JobId) -> Result<Vec<Model>, DbErr> {
    Entity::find().filter(Column::JobId.eq(id)).order_by_asc(Column::Id).all(db).await
}

/// An environment or a job that sees variables.
#[derive(Clone, Copy, Debug)]
pub enum Owner {
    Environment(EnvironmentId),
    Job(JobId),
}

/// Whether a variable is visible to an environment or a job.
///
/// # Errors
/// When a query fails.
pub async fn is_visible(db: &impl ConnectionTrait, id: VariableId, owner: Owner) -> Result<bool, DbErr> {
    let (environment, job) = match owner {
        Owner::Environment(id) => (super::environment::by_id(db, id).await?, None),
        Owner::Job(id) => match super::job::by_id(db, id).await? {
            Some(job) => (super::environment::by_id(db, job.environment_id).await?, Some(job.id)),
            None => (None, None),
        },
    };
    let (Some(environment), Some(row)) = (environment, super::row::by_id::<Model>(db, id).await?) else {
        return Ok(false);
    };
    Ok(row.project_id == Some(environment.project_id)
        || row.environment_id == Some(environment.id)
        || (row.job_id.is_some() && row.job_id == job))
}

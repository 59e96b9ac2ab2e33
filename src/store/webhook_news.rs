//! What webhooks are told about jobs and workspaces: who wants to know, what they were told, and where it happened.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use entity::environment::Mode;
use entity::id::{EnvironmentId, JobId, OrganizationId, ProjectId, RunId, WebhookId, WorkspaceId};
use entity::run::RunState;
use entity::skipped_time::{self, SkipReason};
use entity::webhook::{Column, Entity, Model};
use entity::{environment, job, project, run, webhook_delivery, workspace};
use sea_orm::sea_query::{Expr, OnConflict, Query};
use sea_orm::{
    ActiveModelTrait as _, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel, Iterable as _, JoinType,
    QueryFilter, QueryOrder, QuerySelect, Select,
};

use super::run::says_how_it_does;

/// The most webhooks that a query returns.
const WEBHOOKS: u64 = 2000;
/// The most ids in a query.
const IDS: usize = 500;

/// Where something happened, with the names that a message has.
#[derive(Clone, Debug)]
pub struct NewsPlace {
    pub organization: OrganizationId,
    pub project: Option<(ProjectId, String)>,
    pub environment: Option<(EnvironmentId, String, Mode)>,
    pub job: Option<(JobId, String)>,
    pub workspace: Option<(WorkspaceId, String)>,
}

/// Enabled webhooks with events of ours.
fn interested() -> Select<Entity> {
    // In the words of the partial index.
    Entity::find().filter(Column::Enabled.eq(true)).filter(Expr::cust("webhook.own_events IS NOT NULL")).limit(WEBHOOKS)
}

/// All enabled webhooks with events of ours.
///
/// # Errors
/// When the query fails.
pub async fn list_interested(db: &impl ConnectionTrait) -> Result<Vec<Model>, DbErr> {
    interested().all(db).await
}

/// Those of an organization.
///
/// # Errors
/// When the query fails.
pub async fn list_interested_in(db: &impl ConnectionTrait, id: OrganizationId) -> Result<Vec<Model>, DbErr> {
    interested().filter(Column::OrganizationId.eq(id)).all(db).await
}

/// Those of the organizations of jobs.
///
/// # Errors
/// When the query fails.
pub async fn list_interested_in_jobs(db: &impl ConnectionTrait, jobs: &[JobId]) -> Result<Vec<Model>, DbErr> {
    let organizations = Query::select()
        .column(job::Column::OrganizationId)
        .from(job::Entity)
        .and_where(job::Column::Id.is_in(jobs.iter().copied().take(IDS)))
        .to_owned();
    interested().filter(Column::OrganizationId.in_subquery(organizations)).all(db).await
}

/// Stores a pending delivery, unless its webhook was told the same before.
///
/// # Errors
/// When the statement fails.
pub async fn create_once(tx: &impl ConnectionTrait, row: webhook_delivery::Model) -> Result<(), DbErr> {
    let known = OnConflict::new().do_nothing().to_owned();
    let insert = webhook_delivery::Entity::insert(row.into_active_model().reset_all()).on_conflict(known);
    match insert.exec_without_returning(tx).await {
        Ok(_) | Err(DbErr::RecordNotInserted) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Which webhooks were told which causes.
///
/// # Errors
/// When the query fails.
pub async fn list_told(
    db: &impl ConnectionTrait,
    webhooks: &[WebhookId],
    causes: &[String],
) -> Result<HashSet<(WebhookId, String)>, DbErr> {
    let mut told = HashSet::new();
    for some in causes.chunks(IDS) {
        let rows: Vec<(WebhookId, Option<String>)> = webhook_delivery::Entity::find()
            .select_only()
            .columns([webhook_delivery::Column::WebhookId, webhook_delivery::Column::Cause])
            .filter(webhook_delivery::Column::WebhookId.is_in(webhooks.iter().copied()))
            .filter(webhook_delivery::Column::Cause.is_in(some.iter().map(String::as_str)))
            .filter(Expr::cust("webhook_delivery.cause IS NOT NULL"))
            .into_tuple()
            .all(db)
            .await?;
        told.extend(rows.into_iter().filter_map(|(webhook, cause)| Some((webhook, cause?))));
    }
    Ok(told)
}

/// Where jobs are.
///
/// # Errors
/// When the query fails.
pub async fn job_places(db: &impl ConnectionTrait, jobs: &[JobId]) -> Result<Vec<NewsPlace>, DbErr> {
    type Row = (JobId, String, OrganizationId, EnvironmentId, String, Mode, ProjectId, String);
    let environments =
        || job::Entity::belongs_to(environment::Entity).from(job::Column::EnvironmentId).to(environment::Column::Id);
    let projects = || {
        environment::Entity::belongs_to(project::Entity).from(environment::Column::ProjectId).to(project::Column::Id)
    };
    let mut places = Vec::new();
    for some in jobs.chunks(IDS) {
        let rows: Vec<Row> = job::Entity::find()
            .select_only()
            .column(job::Column::Id)
            .column(job::Column::Name)
            .column(job::Column::OrganizationId)
            .column(environment::Column::Id)
            .column(environment::Column::Name)
            .column(environment::Column::Mode)
            .column(project::Column::Id)
            .column(project::Column::Name)
            .join(JoinType::InnerJoin, environments().into())
            .join(JoinType::InnerJoin, projects().into())
            .filter(job::Column::Id.is_in(some.iter().copied()))
            .into_tuple()
            .all(db)
            .await?;
        let place = |(job, name, organization, environment, called, mode, project, project_name): Row| NewsPlace {
            organization,
            project: Some((project, project_name)),
            environment: Some((environment, called, mode)),
            job: Some((job, name)),
            workspace: None,
        };
        places.extend(rows.into_iter().map(place));
    }
    Ok(places)
}

/// Where a workspace is.
///
/// # Errors
/// When a query fails.
pub async fn workspace_place(db: &impl ConnectionTrait, id: WorkspaceId) -> Result<Option<NewsPlace>, DbErr> {
    let found = workspace::Entity::find()
        .select_only()
        .columns([workspace::Column::OrganizationId, workspace::Column::Name, workspace::Column::ProjectId])
        .filter(workspace::Column::Id.eq(id))
        .into_tuple()
        .one(db)
        .await?;
    let Some((organization, name, project)): Option<(OrganizationId, String, Option<ProjectId>)> = found else {
        return Ok(None);
    };
    let project = match project {
        Some(project) => project::Entity::find_by_id(project).one(db).await?.map(|row| (row.id, row.name)),
        None => None,
    };
    Ok(Some(NewsPlace { organization, project, environment: None, job: None, workspace: Some((id, name)) }))
}

/// How the newest ended run of a job before a run ended, if it says how the job does: it succeeded or failed.
///
/// # Errors
/// When the query fails.
pub async fn outcome_before(db: &impl ConnectionTrait, job: JobId, number: i64) -> Result<Option<RunState>, DbErr> {
    run::Entity::find()
        .select_only()
        .column(run::Column::State)
        .filter(run::Column::JobId.eq(job))
        .filter(run::Column::Number.lt(number))
        .filter(says_how_it_does())
        .order_by_desc(run::Column::Number)
        .limit(1)
        .into_tuple()
        .one(db)
        .await
}

/// The newest time of a job before a time that was missed.
///
/// # Errors
/// When the query fails.
pub async fn missed_before(
    db: &impl ConnectionTrait,
    job: JobId,
    before: DateTime<Utc>,
) -> Result<Option<skipped_time::Model>, DbErr> {
    skipped_time::Entity::find()
        .filter(skipped_time::Column::JobId.eq(job))
        .filter(skipped_time::Column::ScheduledFor.lt(before))
        .filter(skipped_time::Column::Reason.is_in(SkipReason::iter().filter(|reason| !reason.is_wanted())))
        .order_by_desc(skipped_time::Column::ScheduledFor)
        .limit(1)
        .one(db)
        .await
}

/// Those of some runs that are still running, locked: their end waits.
///
/// # Errors
/// When the query fails.
pub async fn lock_running(tx: &impl ConnectionTrait, runs: Vec<RunId>) -> Result<Vec<run::Model>, DbErr> {
    run::Entity::find()
        .filter(run::Column::Id.is_in(runs))
        .filter(run::Column::State.eq(RunState::Running))
        .order_by_asc(run::Column::Number)
        .lock_exclusive()
        .all(tx)
        .await
}

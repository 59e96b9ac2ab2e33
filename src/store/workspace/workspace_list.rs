//! Lists of workspaces and of what belongs to one, without the columns that are large or sealed.

use chrono::{DateTime, Utc};
use entity::id::{OrganizationId, StateVersionId, TemplateId, WorkspaceId};
use entity::workspace_job::JobStatus;
use entity::{state_version, template, workspace, workspace_job, workspace_schedule};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, FromQueryResult, QueryFilter, QueryOrder, QuerySelect,
    Select,
};
use uuid::Uuid;

use crate::store::page::PAGE;

/// The workspaces of an organization by name, except deleted ones.
///
/// # Errors
/// When the query fails.
pub async fn list(db: &impl ConnectionTrait, id: OrganizationId) -> Result<Vec<workspace::Model>, DbErr> {
    workspace::Entity::find()
        .filter(workspace::Column::OrganizationId.eq(id))
        .filter(workspace::Column::Deleted.eq(false))
        .order_by_asc(workspace::Column::Name)
        .limit(10 * PAGE)
        .all(db)
        .await
}

/// A job of a workspace in a list.
#[derive(Clone, Debug, FromQueryResult)]
pub struct JobLine {
    pub id: i32,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub created_by: String,
    pub status: JobStatus,
    pub comments: Option<String>,
    pub template_reference: Option<String>,
    pub via: String,
    pub plan_changes: bool,
}

/// The jobs of a workspace, newest first, with numbers below `below`.
///
/// # Errors
/// When the query fails.
pub async fn list_jobs(
    db: &impl ConnectionTrait,
    id: WorkspaceId,
    below: Option<i32>,
    limit: u64,
) -> Result<Vec<JobLine>, DbErr> {
    use workspace_job::Column;
    let mut select = workspace_job::Entity::find()
        .select_only()
        .columns([
            Column::Id,
            Column::CreatedAt,
            Column::UpdatedAt,
            Column::CreatedBy,
            Column::Status,
            Column::Comments,
            Column::TemplateReference,
            Column::Via,
            Column::PlanChanges,
        ])
        .filter(Column::WorkspaceId.eq(id));
    if let Some(below) = below {
        select = select.filter(Column::Id.lt(below));
    }
    select.order_by_desc(Column::Id).limit(limit).into_model().all(db).await
}

/// A state version in a list.
#[derive(Clone, Debug, FromQueryResult)]
pub struct StateLine {
    pub id: StateVersionId,
    pub workspace_id: WorkspaceId,
    pub created_at: DateTime<Utc>,
    pub created_by: String,
    pub job_id: Option<i32>,
    pub serial: i64,
    pub reason: Option<String>,
}

/// What is read of each.
fn state_lines() -> Select<state_version::Entity> {
    use state_version::Column;
    let columns = [
        Column::Id,
        Column::WorkspaceId,
        Column::CreatedAt,
        Column::CreatedBy,
        Column::JobId,
        Column::Serial,
        Column::Reason,
    ];
    state_version::Entity::find().select_only().columns(columns)
}

/// The newest state versions of a workspace.
///
/// # Errors
/// When the query fails.
pub async fn list_states(db: &impl ConnectionTrait, id: WorkspaceId, limit: u64) -> Result<Vec<StateLine>, DbErr> {
    let of = state_lines().filter(state_version::Column::WorkspaceId.eq(id));
    of.order_by_desc(state_version::Column::Id).limit(limit).into_model().all(db).await
}

/// The state versions of a workspace, newest first, and how many there are in all.
///
/// # Errors
/// When a query fails.
pub async fn page_of_states(
    db: &impl ConnectionTrait,
    id: WorkspaceId,
    (offset, limit): (u64, u64),
) -> Result<(Vec<StateLine>, u64), DbErr> {
    use sea_orm::PaginatorTrait as _;
    let of = state_version::Column::WorkspaceId.eq(id);
    let count = state_version::Entity::find().filter(of.clone()).count(db).await?;
    let lines = state_lines().filter(of).order_by_desc(state_version::Column::Id).offset(offset).limit(limit);
    Ok((lines.into_model().all(db).await?, count))
}

/// A state version by its id, or by that of the upload that it came with.
///
/// # Errors
/// When the query fails.
pub async fn state_line(db: &impl ConnectionTrait, id: Uuid) -> Result<Option<StateLine>, DbErr> {
    use state_version::Column;
    let one = Condition::any().add(Column::Id.eq(StateVersionId(id))).add(Column::UploadId.eq(id));
    state_lines().filter(one).into_model().one(db).await
}

/// The ids and names of the templates of an organization.
///
/// # Errors
/// When the query fails.
pub async fn template_names(db: &impl ConnectionTrait, id: OrganizationId) -> Result<Vec<(TemplateId, String)>, DbErr> {
    template::Entity::find()
        .select_only()
        .columns([template::Column::Id, template::Column::Name])
        .filter(template::Column::OrganizationId.eq(id))
        .order_by_asc(template::Column::Name)
        .limit(PAGE)
        .into_tuple()
        .all(db)
        .await
}

/// The schedules of a workspace.
///
/// # Errors
/// When the query fails.
pub async fn list_schedules(
    db: &impl ConnectionTrait,
    id: WorkspaceId,
) -> Result<Vec<workspace_schedule::Model>, DbErr> {
    workspace_schedule::Entity::find()
        .filter(workspace_schedule::Column::WorkspaceId.eq(id))
        .order_by_asc(workspace_schedule::Column::Id)
        .limit(PAGE)
        .all(db)
        .await
}

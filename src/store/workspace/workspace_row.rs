//! Rows of workspaces.

use entity::id::{ClusterId, OrganizationId, ProjectId, SshKeyId, VcsId, WorkspaceId};
use entity::{template, workspace};
use sea_orm::sea_query::LockType;
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::store::page::PAGE;

/// A workspace, locked until the transaction ends.
///
/// # Errors
/// When the query fails.
pub async fn lock(tx: &impl ConnectionTrait, id: WorkspaceId) -> Result<Option<workspace::Model>, DbErr> {
    workspace::Entity::find_by_id(id).lock(LockType::Update).one(tx).await
}

/// The workspace of this name in an organization, also a deleted one.
///
/// # Errors
/// When the query fails.
pub async fn by_name(
    db: &impl ConnectionTrait,
    organization: OrganizationId,
    name: &str,
) -> Result<Option<workspace::Model>, DbErr> {
    let of =
        Condition::all().add(workspace::Column::OrganizationId.eq(organization)).add(workspace::Column::Name.eq(name));
    workspace::Entity::find().filter(of).one(db).await
}

/// Counts the workspaces of an organization, except deleted ones.
///
/// # Errors
/// When the query fails.
pub async fn count(db: &impl ConnectionTrait, id: OrganizationId) -> Result<u64, DbErr> {
    use sea_orm::PaginatorTrait as _;
    let seen = Condition::all().add(workspace::Column::OrganizationId.eq(id)).add(workspace::Column::Deleted.eq(false));
    workspace::Entity::find().filter(seen).count(db).await
}

/// The workspaces of these projects of an organization.
///
/// # Errors
/// When the query fails.
pub async fn ids_in_projects(
    db: &impl ConnectionTrait,
    organization: OrganizationId,
    projects: Vec<ProjectId>,
) -> Result<Vec<WorkspaceId>, DbErr> {
    if projects.is_empty() {
        return Ok(Vec::new());
    }
    workspace::Entity::find()
        .select_only()
        .column(workspace::Column::Id)
        .filter(workspace::Column::OrganizationId.eq(organization))
        .filter(workspace::Column::ProjectId.is_in(projects))
        .order_by_asc(workspace::Column::Id)
        .limit(10 * PAGE)
        .into_tuple()
        .all(db)
        .await
}

/// A login of an organization.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Login {
    Vcs(VcsId),
    Ssh(SshKeyId),
}

/// The names of up to `most` workspaces that use a login, except deleted ones.
///
/// # Errors
/// When the query fails.
pub async fn users_of_login(db: &impl ConnectionTrait, login: Login, most: u64) -> Result<Vec<String>, DbErr> {
    let uses = match login {
        Login::Vcs(id) => Condition::any().add(workspace::Column::VcsId.eq(id)),
        Login::Ssh(id) => Condition::any()
            .add(workspace::Column::SshKeyId.eq(id))
            .add(workspace::Column::ModuleSshKey.eq(id.to_string())),
    };
    workspace::Entity::find()
        .select_only()
        .column(workspace::Column::Name)
        .filter(uses)
        .filter(workspace::Column::Deleted.eq(false))
        .order_by_asc(workspace::Column::Name)
        .limit(most)
        .into_tuple()
        .all(db)
        .await
}

/// The cluster that a workspace names for its steps.
///
/// # Errors
/// When the query fails.
pub async fn cluster_of(db: &impl ConnectionTrait, id: WorkspaceId) -> Result<Option<ClusterId>, DbErr> {
    let chosen = workspace::Entity::find_by_id(id).select_only().column(workspace::Column::ClusterId);
    Ok(chosen.into_tuple::<Option<ClusterId>>().one(db).await?.flatten())
}

/// The names of up to `most` workspaces that name a cluster, except hidden ones.
///
/// # Errors
/// When the query fails.
pub async fn users_of_cluster(db: &impl ConnectionTrait, id: ClusterId, most: u64) -> Result<Vec<String>, DbErr> {
    workspace::Entity::find()
        .select_only()
        .column(workspace::Column::Name)
        .filter(workspace::Column::ClusterId.eq(id))
        .filter(workspace::Column::Deleted.eq(false))
        .order_by_asc(workspace::Column::Name)
        .limit(most)
        .into_tuple()
        .all(db)
        .await
}

/// Whether an organization has any template or workspace.
///
/// # Errors
/// When a query fails.
pub async fn has_content(db: &impl ConnectionTrait, organization: OrganizationId) -> Result<bool, DbErr> {
    let templates = template::Entity::find().filter(template::Column::OrganizationId.eq(organization)).one(db).await?;
    let workspaces =
        workspace::Entity::find().filter(workspace::Column::OrganizationId.eq(organization)).one(db).await?;
    Ok(templates.is_some() || workspaces.is_some())
}

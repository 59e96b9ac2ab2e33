//! Searches the workspaces of an organization.

use entity::id::{OrganizationId, ProjectId, WorkspaceId};
use entity::{tag, workspace, workspace_tag};
use sea_orm::sea_query::{ExprTrait as _, SelectStatement, SimpleExpr};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbBackend, DbErr, EntityTrait, JoinType, PaginatorTrait as _, QueryFilter,
    QueryOrder, QuerySelect, QueryTrait as _,
};

use crate::store::resource::has_shape;

/// What is searched for; all of it has to be true of a workspace.
#[derive(Clone, Debug)]
pub struct WorkspaceSearch {
    pub organization: OrganizationId,
    /// None for all that there are.
    pub among: Option<Vec<WorkspaceId>>,
    /// A part of the name.
    pub name: Option<String>,
    pub project: Option<ProjectId>,
    pub tags: Vec<TagPattern>,
    /// None of these.
    pub without: Vec<TagPattern>,
}

/// Which tags are meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TagPattern {
    Name(String),
    /// Those whose names begin so, too.
    NameOrBeginning {
        name: String,
        beginning: String,
    },
}

impl TagPattern {
    fn condition(&self, backend: DbBackend) -> SimpleExpr {
        match self {
            Self::Name(name) => tag::Column::Name.eq(name),
            Self::NameOrBeginning { name, beginning } => {
                let begins = has_shape(backend, "tag", "name", (beginning, (false, true)));
                tag::Column::Name.eq(name).or(begins)
            }
        }
    }

    /// The workspaces that have such a tag.
    fn workspaces(&self, backend: DbBackend) -> SelectStatement {
        let tags =
            workspace_tag::Entity::belongs_to(tag::Entity).from(workspace_tag::Column::TagId).to(tag::Column::Id);
        workspace_tag::Entity::find()
            .select_only()
            .column(workspace_tag::Column::WorkspaceId)
            .join(JoinType::InnerJoin, tags.into())
            .filter(self.condition(backend))
            .into_query()
    }
}

/// The workspaces that match, by name, and how many there are in all.
///
/// # Errors
/// When a query fails.
pub async fn search(
    db: &impl ConnectionTrait,
    wanted: &WorkspaceSearch,
    (offset, limit): (u64, u64),
) -> Result<(Vec<workspace::Model>, u64), DbErr> {
    let WorkspaceSearch { organization, among, name, project, tags, without } = wanted;
    let backend = db.get_database_backend();
    let mut these = Condition::all()
        .add(workspace::Column::OrganizationId.eq(*organization))
        .add(workspace::Column::Deleted.eq(false));
    if let Some(ids) = among {
        these = these.add(workspace::Column::Id.is_in(ids.iter().copied()));
    }
    if let Some(part) = name {
        these = these.add(has_shape(backend, "workspace", "name", (part, (true, true))));
    }
    if let Some(id) = project {
        these = these.add(workspace::Column::ProjectId.eq(*id));
    }
    for pattern in tags {
        these = these.add(workspace::Column::Id.in_subquery(pattern.workspaces(backend)));
    }
    for pattern in without {
        these = these.add(workspace::Column::Id.not_in_subquery(pattern.workspaces(backend)));
    }
    let found = workspace::Entity::find().filter(these);
    let count = found.clone().count(db).await?;
    let rows = found.order_by_asc(workspace::Column::Name).offset(offset).limit(limit).all(db).await?;
    Ok((rows, count))
}

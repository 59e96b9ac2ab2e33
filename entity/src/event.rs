//! What somebody did in an organization.

use sea_orm::entity::prelude::*;

use crate::deployment::Origin;
use crate::id::{EnvironmentId, EventId, OrganizationId, ProjectId};

/// Row of `event`; never changed.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "event")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: EventId,
    pub organization_id: OrganizationId,
    pub created_at: DateTimeUtc,
    /// By its official name.
    pub kind: String,
    /// The kind of thing it was done to, by its official name.
    pub target: String,
    /// The part of the thing, by its official name.
    pub sub_target: Option<String>,
    pub target_id: Option<Uuid>,
    pub target_name: String,
    pub project_id: Option<ProjectId>,
    pub project_name: Option<String>,
    pub environment_id: Option<EnvironmentId>,
    pub environment_name: Option<String>,
    /// As the API showed it before.
    pub before: Option<Json>,
    /// As the API shows it after.
    pub after: Option<Json>,
    pub origin: Origin,
    pub triggered_by: String,
    pub user_agent: Option<String>,
}

impl ActiveModelBehavior for ActiveModel {}

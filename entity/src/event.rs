//! An entry of the audit log of an organization.

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
    /// The official name of the kind of event.
    pub kind: String,
    /// The official name of the kind of object that was changed.
    pub target: String,
    /// The official name of the part of the object.
    pub sub_target: Option<String>,
    pub target_id: Option<Uuid>,
    pub target_name: String,
    pub project_id: Option<ProjectId>,
    pub project_name: Option<String>,
    pub environment_id: Option<EnvironmentId>,
    pub environment_name: Option<String>,
    /// The object before the change, as the API shows it.
    pub before: Option<Json>,
    /// The object after the change, as the API shows it.
    pub after: Option<Json>,
    pub origin: Origin,
    pub triggered_by: String,
    pub user_agent: Option<String>,
}

impl ActiveModelBehavior for ActiveModel {}

//! An agent: a program that takes the steps of one cluster, which the server cannot reach. Only the SHA-256 of its token is stored.

use sea_orm::entity::prelude::*;

use crate::id::{AgentId, ClusterId, OrganizationId};

/// Row of `agent`; unique by hash.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "agent")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: AgentId,
    pub organization_id: OrganizationId,
    pub cluster_id: ClusterId,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub name: String,
    /// SHA-256 of the token, in lower-case hexadecimal.
    pub hash: String,
    /// The process that connected last. An earlier one is told to end.
    pub session: Option<Uuid>,
    /// The engine that the agent runs steps on, as it reported.
    pub place: Option<String>,
    pub version: Option<String>,
    /// How it runs steps: `docker` or `process`.
    pub runner: Option<String>,
    /// How many steps it runs at the same time.
    pub capacity: Option<i32>,
    /// When a request of the agent last came; none if it has never connected. To within a few seconds.
    pub seen_at: Option<DateTimeUtc>,
}

impl ActiveModelBehavior for ActiveModel {}

//! A step that an agent takes: what the server wants, and what the agent reported.

use sea_orm::entity::prelude::*;

use crate::id::{AgentId, AgentStepId, ClusterId};

/// What the server wants of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Wanted {
    Start,
    Stop,
    /// The agent confirms the removal, and the row is deleted.
    Remove,
}

/// Row of `agent_step`; unique by name.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "agent_step")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: AgentStepId,
    pub name: String,
    pub cluster_id: ClusterId,
    /// The agent that took the step. No other one ever gets it.
    pub agent_id: Option<AgentId>,
    pub created_at: DateTimeUtc,
    /// When the order or the report last changed.
    pub updated_at: DateTimeUtc,
    pub wanted: Wanted,
    /// The time between the signal that asks the step to stop and the kill.
    pub grace_seconds: Option<i32>,
    /// The engine of the agent when it took the step.
    pub place: Option<String>,
    /// The step itself, sealed; until it has started.
    pub spec: Option<Vec<u8>>,
    /// The state and the times that the agent reported last, sealed.
    pub report: Option<Vec<u8>>,
    /// Whether the reported state is an end.
    pub ended: bool,
    /// Whether the step was taken, and nobody will ever tell how it ends.
    pub lost: bool,
    /// How many lines of its log the agent has sent.
    pub lines: i64,
    /// Whether the log ends there.
    pub log_ended: bool,
    /// The files that the step left, sealed.
    pub outputs: Option<Vec<u8>>,
}

impl ActiveModelBehavior for ActiveModel {}

//! Lines that an agent has sent, until the server that owns the run has stored them. They are sealed, because nothing is masked yet.

use sea_orm::entity::prelude::*;

use crate::id::AgentStepId;

/// Row of `agent_log`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "agent_log")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub step_id: AgentStepId,
    /// The number of the first line, from 0.
    #[sea_orm(primary_key, auto_increment = false)]
    pub first: i64,
    /// How many lines there are.
    pub lines: i64,
    /// The size of the sealed lines.
    pub bytes: i64,
    pub sealed: Vec<u8>,
}

impl ActiveModelBehavior for ActiveModel {}

//! A piece of a large Terraform state. It is stored before the state version that it belongs to.

use sea_orm::entity::prelude::*;

use crate::id::StateVersionId;

/// Row of `state_piece`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "state_piece")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub state_version_id: StateVersionId,
    /// From 0.
    #[sea_orm(primary_key, auto_increment = false)]
    pub number: i32,
    pub created_at: DateTimeUtc,
    pub sealed: Vec<u8>,
}

impl ActiveModelBehavior for ActiveModel {}

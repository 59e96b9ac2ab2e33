//! A part of the list of the resources of a Terraform state. That of a large state is stored before its state version.

use sea_orm::entity::prelude::*;

use crate::id::StateVersionId;

/// Row of `state_listing`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "state_listing")]
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

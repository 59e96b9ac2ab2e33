//! A piece of an uploaded configuration.

use sea_orm::entity::prelude::*;

use crate::id::ConfigurationVersionId;

/// Row of `configuration_piece`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "configuration_piece")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub configuration_version_id: ConfigurationVersionId,
    /// From 0.
    #[sea_orm(primary_key, auto_increment = false)]
    pub number: i32,
    pub sealed: Vec<u8>,
}

impl ActiveModelBehavior for ActiveModel {}

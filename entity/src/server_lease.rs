//! The lease of a server on its runs.

use sea_orm::entity::prelude::*;

/// Row of `server_lease`. The runs that name the server as their owner belong to it until this time. Servers of release 0.2 have
/// none: their runs have a time of their own.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "server_lease")]
pub struct Model {
    /// The server process.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub until: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}

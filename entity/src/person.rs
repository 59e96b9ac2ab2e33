//! A person, identified by the issuer and subject of their JWT.

use sea_orm::entity::prelude::*;

use crate::id::PersonId;

/// Row of `person`; unique by issuer and subject.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "person")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: PersonId,
    pub created_at: DateTimeUtc,
    pub issuer: String,
    pub subject: String,
    pub email: Option<String>,
    pub name: Option<String>,
    /// Set by the person; does not change `email`, which comes from the JWT.
    pub communication_email: Option<String>,
    /// The groups in the last JWT that stated any; an empty list is a statement.
    pub groups: Option<Json>,
}

impl ActiveModelBehavior for ActiveModel {}

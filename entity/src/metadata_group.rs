//! A group of annotations or labels for the objects of jobs.

use sea_orm::FromJsonQueryResult;
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::id::{GroupId, OrganizationId};

/// The kind of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum GroupKind {
    Annotations,
    Labels,
}

/// One annotation or label.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    pub key: String,
    pub value: String,
    /// Whether a label is also set on cloud resources; always false for annotations.
    #[serde(default)]
    pub propagate_to_cloud_provider: bool,
}

/// The entries of a group.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
pub struct Entries(pub Vec<Entry>);

/// The kinds of objects that annotations are set on, by their official names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
pub struct Scopes(pub Vec<String>);

/// Row of `metadata_group`; unique by organization, kind and name key.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "metadata_group")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: GroupId,
    pub organization_id: OrganizationId,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub kind: GroupKind,
    pub name: String,
    pub name_key: String,
    pub entries: Entries,
    pub scopes: Scopes,
}

impl ActiveModelBehavior for ActiveModel {}

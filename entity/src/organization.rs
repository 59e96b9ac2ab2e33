//! An organization: the owner of projects, clusters, registries and tokens.

use sea_orm::entity::prelude::*;

use crate::id::OrganizationId;

/// Row of `organization`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "organization")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: OrganizationId,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub name: String,
    pub description: Option<String>,
    /// The official name of a plan; stored for clients that read it back.
    pub plan: String,
    pub website_url: Option<String>,
    pub repository: Option<String>,
    pub logo_url: Option<String>,
    pub icon_url: Option<String>,
    /// Addresses as a JSON array of strings.
    pub admin_emails: Option<Json>,
    /// Where workspaces run; stored for clients that read it back.
    pub execution_mode: Option<String>,
    /// Whether the organization is hidden in the Terrakube API.
    pub disabled: bool,
    /// The icon in the Terrakube API.
    pub icon: Option<String>,
}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    /// A new organization, not stored yet.
    #[must_use]
    pub fn new(name: &str, now: DateTimeUtc) -> Self {
        Self {
            id: OrganizationId::create(),
            created_at: now,
            updated_at: now,
            name: name.to_owned(),
            description: None,
            plan: "FREE".into(),
            website_url: None,
            repository: None,
            logo_url: None,
            icon_url: None,
            admin_emails: None,
            execution_mode: None,
            disabled: false,
            icon: None,
        }
    }
}

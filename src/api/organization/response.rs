//! Organization responses.

use entity::organization;
use poem_openapi::Object;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::super::wire::Timestamp;
use super::subscription_plan::PlanEnum;

#[derive(Debug, Serialize, Deserialize, Object)]
pub(super) struct Organization {
    id: Uuid,
    created_at: Timestamp,
    updated_at: Timestamp,
    name: String,
    #[oai(skip_serializing_if_is_none)]
    description: Option<String>,
    plan: PlanEnum,
    website_url: Option<String>,
    repository: Option<String>,
    logo_url: Option<String>,
    icon_url: Option<String>,
    admin_emails: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    owner: Option<Uuid>,
}

impl Organization {
    pub(super) fn new(row: organization::Model, owner: Option<Uuid>) -> Self {
        let organization::Model {
            id,
            created_at,
            updated_at,
            name,
            description,
            plan,
            website_url,
            repository,
            logo_url,
            icon_url,
            admin_emails,
            execution_mode: _,
            disabled: _,
            icon: _,
        } = row;
        Self {
            id: id.0,
            created_at: Timestamp(created_at),
            updated_at: Timestamp(updated_at),
            name,
            description,
            plan: PlanEnum::from_stored(&plan),
            website_url,
            repository,
            logo_url,
            icon_url,
            admin_emails: admin_emails.and_then(|emails| serde_json::from_value(emails).ok()),
            owner,
        }
    }
}

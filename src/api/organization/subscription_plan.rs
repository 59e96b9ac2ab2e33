//! The subscription plan of an organization.

use poem_openapi::Enum;
use serde::{Deserialize, Serialize};

use super::super::wire::{enum_name, enum_value};

/// Stored and returned for clients. The plan has no effect.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, Enum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[oai(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum PlanEnum {
    Free,
    Team,
    TeamYearly,
    Enterprise,
    EnterpriseYearly,
    Professional,
    Business,
    #[serde(rename = "USER_2025")]
    #[oai(rename = "USER_2025")]
    User2025,
    #[serde(rename = "TEAM_2025")]
    #[oai(rename = "TEAM_2025")]
    Team2025,
    #[serde(rename = "BUSINESS_2025")]
    #[oai(rename = "BUSINESS_2025")]
    Business2025,
    #[serde(rename = "ENTERPRISE_2025")]
    #[oai(rename = "ENTERPRISE_2025")]
    Enterprise2025,
}

impl PlanEnum {
    pub(super) fn stored(self) -> String {
        enum_name(self).unwrap_or_default()
    }

    pub(super) fn from_stored(text: &str) -> Self {
        enum_value(text).unwrap_or(Self::Free)
    }
}

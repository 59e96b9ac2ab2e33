//! The legacy names of roles.

use entity::member::Role;
use poem_openapi::Enum;
use serde::{Deserialize, Serialize};

/// The legacy names of roles; `role_id` is more precise.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, Enum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[oai(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum InviteMemberRoleEnum {
    Admin,
    Developer,
    Owner,
    Viewer,
}

impl From<Role> for InviteMemberRoleEnum {
    fn from(role: Role) -> Self {
        match role {
            Role::Owner => Self::Owner,
            Role::Admin => Self::Admin,
            Role::Devops => Self::Developer,
            Role::Billing | Role::Viewer | Role::Custom => Self::Viewer,
        }
    }
}

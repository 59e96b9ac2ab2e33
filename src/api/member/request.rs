//! Member and invitation requests.

use poem_openapi::Object;
use serde::Deserialize;
use uuid::Uuid;

use super::invite_role::InviteMemberRoleEnum;

#[derive(Debug, Deserialize, Object)]
pub(super) struct InviteMemberRequest {
    pub(super) email: String,
    #[serde(default)]
    #[oai(default)]
    pub(super) role: Option<InviteMemberRoleEnum>,
    #[serde(default)]
    #[oai(default)]
    pub(super) role_id: Option<Uuid>,
}

#[derive(Debug, Deserialize, Object)]
pub(super) struct MemberRoleUpdateRequest {
    pub(super) user_id: String,
    pub(super) role_id: Uuid,
}

#[derive(Debug, Deserialize, Object)]
pub(super) struct DeleteMemberRequest {
    pub(super) user_id: Uuid,
}

#[derive(Debug, Deserialize, Object)]
pub(super) struct TransferOwnershipRequest {
    pub(super) user_id: Uuid,
}

//! Member and invitation responses.

use entity::{custom_role, invitation, member, person};
use poem_openapi::{Enum, Object};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::super::role;
use super::super::wire::Timestamp;
use super::invite_role::InviteMemberRoleEnum;
use crate::app::App;

#[derive(Clone, Copy, Debug, Serialize, Deserialize, Enum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[oai(rename_all = "SCREAMING_SNAKE_CASE")]
enum InviteStatusEnum {
    Pending,
}

#[derive(Debug, Serialize, Deserialize, Object)]
pub(super) struct Member {
    id: Uuid,
    created_at: Timestamp,
    updated_at: Timestamp,
    name: String,
    nickname: String,
    email: String,
    role: InviteMemberRoleEnum,
    role_name: String,
    role_id: Uuid,
}

#[derive(Debug, Serialize, Deserialize, Object)]
pub(super) struct InviteMember {
    id: Uuid,
    created_at: Timestamp,
    updated_at: Timestamp,
    email: String,
    role: InviteMemberRoleEnum,
    invitation_link: String,
    invitation_status: InviteStatusEnum,
    organization_name: String,
    inviter: String,
    role_id: Uuid,
    role_name: String,
}

/// Shown for a person without an email address, because clients expect one. Nobody can own an address at `.invalid` (RFC 2606).
const NO_ADDRESS: &str = "unknown@windlass.invalid";

impl Member {
    pub(super) fn new((row, person): (member::Model, person::Model), custom: &[custom_role::Model]) -> Self {
        let member::Model { organization_id: _, person_id, created_at, role, custom_role_id } = row;
        let (role_name, role_id) = role::name_and_id((role, custom_role_id), custom);
        let name = person.name.or_else(|| person.email.clone()).unwrap_or(person.subject);
        Self {
            id: person_id.0,
            created_at: Timestamp(created_at),
            updated_at: Timestamp(created_at),
            nickname: name.clone(),
            name,
            email: person.email.unwrap_or_else(|| NO_ADDRESS.to_owned()),
            role: role.into(),
            role_name,
            role_id,
        }
    }
}

impl InviteMember {
    pub(super) fn new(app: &App, row: &invitation::Model, organization: &str, custom: &[custom_role::Model]) -> Self {
        let invitation::Model { id, organization_id, created_at, updated_at, email, role, custom_role_id, inviter } =
            row;
        let (role_name, role_id) = role::name_and_id((*role, *custom_role_id), custom);
        Self {
            id: id.0,
            created_at: Timestamp(*created_at),
            updated_at: Timestamp(*updated_at),
            email: email.clone(),
            role: (*role).into(),
            invitation_link: format!("{}/organization/{organization_id}/inviteMember/{id}", app.public_url()),
            invitation_status: InviteStatusEnum::Pending,
            organization_name: organization.to_owned(),
            inviter: inviter.clone(),
            role_id,
            role_name,
        }
    }
}

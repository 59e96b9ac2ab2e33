//! The bodies of answers about members and invitations.

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

pub(super) fn member_answer((row, person): (member::Model, person::Model), custom: &[custom_role::Model]) -> Member {
    let member::Model { organization_id: _, person_id, created_at, role, custom_role_id } = row;
    let (role_name, role_id) = role::named((role, custom_role_id), custom);
    let name = person.name.or_else(|| person.email.clone()).unwrap_or(person.subject);
    Member {
        id: person_id.0,
        created_at: Timestamp(created_at),
        updated_at: Timestamp(created_at),
        nickname: name.clone(),
        name,
        email: person.email.unwrap_or_default(),
        role: role.into(),
        role_name,
        role_id,
    }
}

pub(super) fn invitation_answer(
    app: &App,
    row: &invitation::Model,
    organization: &str,
    custom: &[custom_role::Model],
) -> InviteMember {
    let invitation::Model { id, organization_id, created_at, updated_at, email, role, custom_role_id, inviter } = row;
    let (role_name, role_id) = role::named((*role, *custom_role_id), custom);
    InviteMember {
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

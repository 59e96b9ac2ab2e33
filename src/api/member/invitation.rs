//! Invitations to an organization.

use std::sync::Arc;

use entity::id::{InvitationId, OrganizationId};
use entity::invitation;
use entity::member::Role;
use poem_openapi::OpenApi;
use poem_openapi::param::Path;
use uuid::Uuid;

use super::super::caller::Auth;
use super::super::role;
use super::super::tag::Tag;
use super::super::wire::{Body, Created, EmptyResponse, Json, NoContent, Results, Success};
use super::invite_role::InviteMemberRoleEnum;
use super::request::InviteMemberRequest;
use super::response::InviteMember;
use crate::access::{self, Action, Subject};
use crate::app::App;
use crate::engine::member as engine_member;
use crate::error::{Error, Result};
use crate::store;

pub(in crate::api) struct InvitationApi(pub(in crate::api) Arc<App>);

#[OpenApi]
impl InvitationApi {
    #[oai(path = "/organization/:organizationId/inviteMember", method = "get", operation_id = "getOrganizationInvitedMembers", tag = Tag::Members)]
    async fn get_organization_invited_members(
        &self,
        auth: Auth,
        #[oai(name = "organizationId")] organization_id: Path<Uuid>,
    ) -> Result<Success<Results<InviteMember>>> {
        let id = OrganizationId(organization_id.0);
        let organization = access::organization(&self.0.db, &auth.0, Action::ViewOrganization, id).await?;
        let custom = store::custom_role::list(&self.0.db, id).await?;
        let rows = store::invitation::list(&self.0.db, id).await?;
        let results = rows.iter().map(|row| InviteMember::new(&self.0, row, &organization.name, &custom)).collect();
        Ok(Json(Results { results }))
    }

    #[oai(path = "/organization/:organizationId/inviteMember", method = "post", operation_id = "postInviteMember", tag = Tag::Members)]
    async fn post_invite_member(
        &self,
        auth: Auth,
        #[oai(name = "organizationId")] organization_id: Path<Uuid>,
        body: Body<InviteMemberRequest>,
    ) -> Result<Created<InviteMember>> {
        let id = OrganizationId(organization_id.0);
        let organization = access::organization(&self.0.db, &auth.0, Action::ManageMembers, id).await?;
        let InviteMemberRequest { email, role, role_id } = body.0;
        let (role, custom_role_id) = match (role_id, role) {
            (Some(role), _) => role::assignable(&self.0.db, "role_id", id, role).await?,
            (None, Some(InviteMemberRoleEnum::Admin)) => (Role::Admin, None),
            (None, Some(InviteMemberRoleEnum::Developer)) => (Role::Devops, None),
            (None, Some(InviteMemberRoleEnum::Owner)) => {
                return Err(Error::invalid("role", "cannot be OWNER; transfer the ownership instead"));
            }
            (None, Some(InviteMemberRoleEnum::Viewer) | None) => (Role::Viewer, None),
        };
        let app = &self.0;
        let shown = |row: &invitation::Model, custom: &[_]| InviteMember::new(app, row, &organization.name, custom);
        let role = (role, custom_role_id);
        let response = engine_member::invite(&self.0, &auth.requester(), id, (&email, role), shown).await?;
        Ok(Json(response))
    }

    #[oai(path = "/organization/:organizationId/inviteMember/:inviteId", method = "get", operation_id = "getMemberInvitation", tag = Tag::Members)]
    async fn get_member_invitation(
        &self,
        auth: Auth,
        #[oai(name = "organizationId")] organization_id: Path<Uuid>,
        #[oai(name = "inviteId")] invite_id: Path<Uuid>,
    ) -> Result<Success<InviteMember>> {
        let row = self.load(&auth, Action::ViewOrganization, organization_id.0, invite_id.0).await?;
        Ok(Json(self.response(&row).await?))
    }

    #[oai(path = "/organization/:organizationId/inviteMember/:inviteId", method = "post", operation_id = "postAcceptInviteMember", tag = Tag::Members)]
    async fn post_accept_invite_member(
        &self,
        auth: Auth,
        #[oai(name = "organizationId")] organization_id: Path<Uuid>,
        #[oai(name = "inviteId")] invite_id: Path<Uuid>,
    ) -> Result<Created<InviteMember>> {
        let row = self.load(&auth, Action::ViewOrganization, organization_id.0, invite_id.0).await?;
        let person = match &auth.0.identity.subject {
            Subject::Person { id, email: Some(email), .. } if email.eq_ignore_ascii_case(&row.email) => *id,
            Subject::Person { .. } | Subject::Token { .. } | Subject::Group { .. } => {
                return Err(Error::Forbidden("only the invited person can accept"));
            }
        };
        let response = self.response(&row).await?;
        engine_member::accept(&self.0, &auth.requester(), &row, person).await?;
        Ok(Json(response))
    }

    #[oai(path = "/organization/:organizationId/inviteMember/:inviteId", method = "delete", operation_id = "deleteInviteMember", tag = Tag::Members)]
    async fn delete_invite_member(
        &self,
        auth: Auth,
        #[oai(name = "organizationId")] organization_id: Path<Uuid>,
        #[oai(name = "inviteId")] invite_id: Path<Uuid>,
    ) -> Result<NoContent> {
        let row = self.load(&auth, Action::ManageMembers, organization_id.0, invite_id.0).await?;
        engine_member::withdraw(&self.0, &auth.requester(), &row).await?;
        Ok(EmptyResponse)
    }
}

impl InvitationApi {
    async fn load(&self, auth: &Auth, action: Action, organization: Uuid, id: Uuid) -> Result<invitation::Model> {
        access::invitation(&self.0.db, &auth.0, action, OrganizationId(organization), InvitationId(id)).await
    }

    async fn response(&self, row: &invitation::Model) -> Result<InviteMember> {
        let organization = store::organization::by_id(&self.0.db, row.organization_id).await?;
        let custom = store::custom_role::list(&self.0.db, row.organization_id).await?;
        Ok(InviteMember::new(&self.0, row, &organization.map(|row| row.name).unwrap_or_default(), &custom))
    }
}

//! Members of an organization, and the transfer of ownership.

pub(super) mod invitation;
mod invite_role;
mod request;
mod response;

use std::sync::Arc;

use entity::id::{OrganizationId, PersonId};
use entity::member::Role;
use poem_openapi::OpenApi;
use poem_openapi::param::Path;
use uuid::Uuid;

use self::request::{DeleteMemberRequest, MemberRoleUpdateRequest, TransferOwnershipRequest};
use self::response::Member;
use super::audit::{self, Change, MEMBERS_AND_ROLES};
use super::caller::Auth;
use super::role;
use super::tag::Tag;
use super::wire::{Body, EmptyResponse, Json, NoContent, Results, Success};
use crate::access::{self, Action};
use crate::app::App;
use crate::engine::member;
use crate::error::{Error, Result};
use crate::store;

const TRANSFERRED: &str = "the ownership was transferred by another request at the same time";

pub(super) struct MemberApi(pub(super) Arc<App>);

#[OpenApi]
impl MemberApi {
    #[oai(path = "/organization/:organizationId/member", method = "get", operation_id = "getOrganizationMembers", tag = Tag::Members)]
    async fn get_organization_members(
        &self,
        auth: Auth,
        #[oai(name = "organizationId")] organization_id: Path<Uuid>,
    ) -> Result<Success<Results<Member>>> {
        let id = OrganizationId(organization_id.0);
        access::organization(&self.0.db, &auth.0, Action::ViewOrganization, id).await?;
        let custom = store::custom_role::list(&self.0.db, id).await?;
        let rows = store::person::list_members(&self.0.db, id).await?;
        Ok(Json(Results { results: rows.into_iter().map(|row| Member::new(row, &custom)).collect() }))
    }

    #[oai(path = "/organization/:organizationId/member", method = "put", operation_id = "editOrganizationMemberRole", tag = Tag::Members)]
    async fn edit_organization_member_role(
        &self,
        auth: Auth,
        #[oai(name = "organizationId")] organization_id: Path<Uuid>,
        body: Body<MemberRoleUpdateRequest>,
    ) -> Result<EmptyResponse<200>> {
        let id = OrganizationId(organization_id.0);
        access::organization(&self.0.db, &auth.0, Action::ManageMembers, id).await?;
        let MemberRoleUpdateRequest { user_id, role_id } = body.0;
        let person = user_id.parse().map(PersonId).map_err(|_| Error::invalid("user_id", "is not a UUID"))?;
        let role = role::assignable(&self.0.db, "role_id", id, role_id).await?;
        member::set_role(&self.0, &auth.requester(), id, person, role).await?;
        Ok(EmptyResponse)
    }

    #[oai(path = "/organization/:organizationId/member", method = "delete", operation_id = "deleteMember", tag = Tag::Members)]
    async fn delete_member(
        &self,
        auth: Auth,
        #[oai(name = "organizationId")] organization_id: Path<Uuid>,
        body: Body<DeleteMemberRequest>,
    ) -> Result<NoContent> {
        let id = OrganizationId(organization_id.0);
        access::organization(&self.0.db, &auth.0, Action::ManageMembers, id).await?;
        let person = PersonId(body.0.user_id);
        member::remove(&self.0, &auth.requester(), id, person).await?;
        Ok(EmptyResponse)
    }

    #[oai(path = "/organization/:organizationId/transferOwnership", method = "post", operation_id = "postOrganizationTransferOwnership", tag = Tag::Members)]
    async fn post_organization_transfer_ownership(
        &self,
        auth: Auth,
        #[oai(name = "organizationId")] organization_id: Path<Uuid>,
        body: Body<TransferOwnershipRequest>,
    ) -> Result<NoContent> {
        let id = OrganizationId(organization_id.0);
        access::organization(&self.0.db, &auth.0, Action::ManageMembers, id).await?;
        let person = PersonId(body.0.user_id);
        let known = store::organization::owner(&self.0.db, id).await?;
        audit::write(&self.0, &auth, id, async |tx| {
            let owner = store::organization::owner(tx, id).await?;
            if owner != known {
                return Err(Error::Conflict(TRANSFERRED.into()));
            }
            // The organization created at the first start has no owner: an administrator appoints one.
            if owner.is_some() && owner != auth.0.person() {
                return Err(Error::Forbidden("only the owner can transfer the ownership"));
            }
            let row = store::row::by_id::<entity::member::Model>(tx, (id, person)).await?;
            row.ok_or_else(|| Error::invalid("user_id", "is not a member of this organization"))?;
            if let Some(owner) = owner {
                store::person::set_role(tx, id, owner, (Role::Admin, None)).await?;
            }
            // Another transfer that has not been committed yet is noticed by the index.
            let appointed = store::person::set_role(tx, id, person, (Role::Owner, None)).await;
            appointed.map_err(|error| Error::or_taken(error, TRANSFERRED))?;
            let name = member::display_name(tx, person).await?;
            Ok(((), Change::update(MEMBERS_AND_ROLES, person.0, &name).part("TRANSFER_OWNERSHIP")))
        })
        .await?;
        self.0.rights_changed();
        Ok(EmptyResponse)
    }
}

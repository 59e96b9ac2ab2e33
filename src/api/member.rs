//! Members of an organization, invitations, and the transfer of ownership.

use std::sync::Arc;

use entity::id::{InvitationId, OrganizationId, PersonId};
use entity::invitation;
use entity::member::Role;
use entity::{custom_role, member, person};
use poem_openapi::param::Path;
use poem_openapi::{Enum, Object, OpenApi};
use sea_orm::DatabaseTransaction;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Tag;
use super::audit::{self, Change};
use super::caller::Auth;
use super::limits;
use super::role;
use super::wire::{Answer, Blank, Body, Created, Found, Gone, Results, Timestamp};
use crate::access::{self, Action, Subject};
use crate::app::App;
use crate::error::{Error, Result};
use crate::store;

const TARGET: &str = "MEMBERS_AND_ROLES";
/// The most members and invitations of an organization.
const MOST: usize = 500;

/// The roles by their older names; `role_id` says it exactly.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, Enum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[oai(rename_all = "SCREAMING_SNAKE_CASE")]
enum InviteMemberRoleEnum {
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

#[derive(Clone, Copy, Debug, Serialize, Deserialize, Enum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[oai(rename_all = "SCREAMING_SNAKE_CASE")]
enum InviteStatusEnum {
    Pending,
}

#[derive(Debug, Serialize, Deserialize, Object)]
struct Member {
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

#[derive(Debug, Deserialize, Object)]
struct InviteMemberRequest {
    email: String,
    #[serde(default)]
    #[oai(default)]
    role: Option<InviteMemberRoleEnum>,
    #[serde(default)]
    #[oai(default)]
    role_id: Option<Uuid>,
}

#[derive(Debug, Serialize, Deserialize, Object)]
struct InviteMember {
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

#[derive(Debug, Deserialize, Object)]
struct MemberRoleUpdateRequest {
    user_id: String,
    role_id: Uuid,
}

#[derive(Debug, Deserialize, Object)]
struct DeleteMemberRequest {
    user_id: Uuid,
}

#[derive(Debug, Deserialize, Object)]
struct TransferOwnershipRequest {
    user_id: Uuid,
}

fn member_answer((row, person): (member::Model, person::Model), custom: &[custom_role::Model]) -> Member {
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

fn invitation_answer(
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

/// An address in lower case: something, one @, something.
fn email(given: &str) -> Result<String> {
    let email = limits::name("email", given)?.to_lowercase();
    let sound =
        email.split_once('@').is_some_and(|(name, host)| !name.is_empty() && !host.is_empty() && !host.contains('@'));
    if !sound || email.contains(char::is_whitespace) {
        return Err(Error::invalid("email", "is not an address"));
    }
    Ok(email)
}

/// The handlers.
pub(super) struct MemberApi(pub(super) Arc<App>);

#[OpenApi]
impl MemberApi {
    #[oai(path = "/organization/:organizationId/member", method = "get", operation_id = "getOrganizationMembers", tag = Tag::Members)]
    async fn get_organization_members(
        &self,
        auth: Auth,
        #[oai(name = "organizationId")] organization_id: Path<Uuid>,
    ) -> Result<Found<Results<Member>>> {
        let id = OrganizationId(organization_id.0);
        access::organization(&self.0.db, &auth.0, Action::ViewOrganization, id).await?;
        let custom = store::custom_role::list(&self.0.db, id).await?;
        let rows = store::person::list_members(&self.0.db, id).await?;
        Ok(Answer(Results { results: rows.into_iter().map(|row| member_answer(row, &custom)).collect() }))
    }

    #[oai(path = "/organization/:organizationId/member", method = "put", operation_id = "editOrganizationMemberRole", tag = Tag::Members)]
    async fn edit_organization_member_role(
        &self,
        auth: Auth,
        #[oai(name = "organizationId")] organization_id: Path<Uuid>,
        body: Body<MemberRoleUpdateRequest>,
    ) -> Result<Blank<200>> {
        let id = OrganizationId(organization_id.0);
        access::organization(&self.0.db, &auth.0, Action::ManageMembers, id).await?;
        let MemberRoleUpdateRequest { user_id, role_id } = body.0;
        let person = user_id.parse().map(PersonId).map_err(|_| Error::invalid("user_id", "is not a UUID"))?;
        let role = role::by_id(&self.0.db, "role_id", id, role_id).await?;
        audit::write(&self.0, &auth, id, async |tx| {
            let name = not_owner(tx, id, person, "the role of the owner changes by a transfer of ownership").await?;
            store::person::set_role(tx, id, person, role).await?;
            let custom = store::custom_role::list(tx, id).await?;
            let after = role::named(role, &custom);
            Ok(((), Change::update(TARGET, person.0, &name).part("MEMBER_ROLE").after(&after)))
        })
        .await?;
        self.0.authenticator.forget();
        Ok(Blank)
    }

    #[oai(path = "/organization/:organizationId/member", method = "delete", operation_id = "deleteMember", tag = Tag::Members)]
    async fn delete_member(
        &self,
        auth: Auth,
        #[oai(name = "organizationId")] organization_id: Path<Uuid>,
        body: Body<DeleteMemberRequest>,
    ) -> Result<Gone> {
        let id = OrganizationId(organization_id.0);
        access::organization(&self.0.db, &auth.0, Action::ManageMembers, id).await?;
        let person = PersonId(body.0.user_id);
        audit::write(&self.0, &auth, id, async |tx| {
            let name = not_owner(tx, id, person, "the owner cannot be removed; transfer the ownership first").await?;
            store::person::remove_member(tx, id, person).await?;
            Ok(((), Change::delete(TARGET, person.0, &name)))
        })
        .await?;
        self.0.authenticator.forget();
        Ok(Blank)
    }

    #[oai(path = "/organization/:organizationId/transferOwnership", method = "post", operation_id = "postOrganizationTransferOwnership", tag = Tag::Members)]
    async fn post_organization_transfer_ownership(
        &self,
        auth: Auth,
        #[oai(name = "organizationId")] organization_id: Path<Uuid>,
        body: Body<TransferOwnershipRequest>,
    ) -> Result<Gone> {
        let id = OrganizationId(organization_id.0);
        access::organization(&self.0.db, &auth.0, Action::ManageMembers, id).await?;
        let person = PersonId(body.0.user_id);
        audit::write(&self.0, &auth, id, async |tx| {
            let owner = store::organization::owner(tx, id).await?;
            // An organization that a server made has no owner yet: an administrator names the first one.
            if owner.is_some() && owner != auth.0.person() {
                return Err(Error::Forbidden("only the owner can transfer the ownership"));
            }
            let row = store::row::by_id::<member::Model>(tx, (id, person)).await?;
            row.ok_or_else(|| Error::invalid("user_id", "is not a member of this organization"))?;
            if let Some(owner) = owner {
                store::person::set_role(tx, id, owner, (Role::Admin, None)).await?;
            }
            store::person::set_role(tx, id, person, (Role::Owner, None)).await?;
            let name = name_of(tx, person).await?;
            Ok(((), Change::update(TARGET, person.0, &name).part("TRANSFER_OWNERSHIP")))
        })
        .await?;
        self.0.authenticator.forget();
        Ok(Blank)
    }

    #[oai(path = "/organization/:organizationId/inviteMember", method = "get", operation_id = "getOrganizationInvitedMembers", tag = Tag::Members)]
    async fn get_organization_invited_members(
        &self,
        auth: Auth,
        #[oai(name = "organizationId")] organization_id: Path<Uuid>,
    ) -> Result<Found<Results<InviteMember>>> {
        let id = OrganizationId(organization_id.0);
        let organization = access::organization(&self.0.db, &auth.0, Action::ViewOrganization, id).await?;
        let custom = store::custom_role::list(&self.0.db, id).await?;
        let rows = store::invitation::list(&self.0.db, id).await?;
        let results = rows.iter().map(|row| invitation_answer(&self.0, row, &organization.name, &custom)).collect();
        Ok(Answer(Results { results }))
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
        let email = self::email(&email)?;
        let (role, custom_role_id) = match (role_id, role) {
            (Some(role), _) => role::by_id(&self.0.db, "role_id", id, role).await?,
            (None, Some(InviteMemberRoleEnum::Admin)) => (Role::Admin, None),
            (None, Some(InviteMemberRoleEnum::Developer)) => (Role::Devops, None),
            (None, Some(InviteMemberRoleEnum::Owner)) => {
                return Err(Error::invalid("role", "OWNER is not given by an invitation; transfer the ownership"));
            }
            (None, Some(InviteMemberRoleEnum::Viewer) | None) => (Role::Viewer, None),
        };
        let (now, inviter) = (self.0.clock.now(), auth.0.name().to_owned());
        let row = invitation::Model {
            id: InvitationId::create(),
            organization_id: id,
            created_at: now,
            updated_at: now,
            email,
            role,
            custom_role_id,
            inviter,
        };
        let answer = audit::write(&self.0, &auth, id, async |tx| {
            let members = store::person::list_members(tx, id).await?;
            let known = |(_, person): &(member::Model, person::Model)| {
                person.email.as_ref().is_some_and(|email| email.to_lowercase() == row.email)
            };
            if members.iter().any(known) {
                return Err(Error::Conflict("a member has this address already".into()));
            }
            if members.len() + store::invitation::list(tx, id).await?.len() >= MOST {
                return Err(Error::Conflict(format!("there are {MOST} members and invitations, which is the most")));
            }
            let taken = "this address is invited already";
            let row = store::row::create(tx, row).await.map_err(|e| Error::or_taken(e, taken))?;
            let custom = store::custom_role::list(tx, id).await?;
            let answer = invitation_answer(&self.0, &row, &organization.name, &custom);
            let change = Change::create(TARGET, row.id.0, &row.email).part("INVITATION").after(&answer);
            Ok((answer, change))
        })
        .await?;
        Ok(Answer(answer))
    }

    #[oai(path = "/organization/:organizationId/inviteMember/:inviteId", method = "get", operation_id = "getMemberInvitation", tag = Tag::Members)]
    async fn get_member_invitation(
        &self,
        auth: Auth,
        #[oai(name = "organizationId")] organization_id: Path<Uuid>,
        #[oai(name = "inviteId")] invite_id: Path<Uuid>,
    ) -> Result<Found<InviteMember>> {
        let row = self.load(&auth, Action::ViewOrganization, organization_id.0, invite_id.0).await?;
        Ok(Answer(self.answer(&row).await?))
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
            Subject::Person { id, email: Some(email), .. } if email.to_lowercase() == row.email => *id,
            Subject::Person { .. } | Subject::Token { .. } | Subject::Group { .. } => {
                return Err(Error::Forbidden("only the person who is invited can accept"));
            }
        };
        let answer = self.answer(&row).await?;
        let now = self.0.clock.now();
        audit::write(&self.0, &auth, row.organization_id, async |tx| {
            if !store::row::delete::<invitation::Model>(tx, row.id).await? {
                return Err(Error::NotFound("invitation"));
            }
            store::person::add_member(tx, row.organization_id, person, (row.role, row.custom_role_id), now)
                .await
                .map_err(|e| Error::or_taken(e, "you are a member already"))?;
            Ok(((), Change::new("ACCEPT", TARGET, row.id.0, &row.email).part("INVITATION")))
        })
        .await?;
        self.0.authenticator.forget();
        Ok(Answer(answer))
    }

    #[oai(path = "/organization/:organizationId/inviteMember/:inviteId", method = "delete", operation_id = "deleteInviteMember", tag = Tag::Members)]
    async fn delete_invite_member(
        &self,
        auth: Auth,
        #[oai(name = "organizationId")] organization_id: Path<Uuid>,
        #[oai(name = "inviteId")] invite_id: Path<Uuid>,
    ) -> Result<Gone> {
        let row = self.load(&auth, Action::ManageMembers, organization_id.0, invite_id.0).await?;
        audit::write(&self.0, &auth, row.organization_id, async |tx| {
            store::row::delete::<invitation::Model>(tx, row.id).await?;
            Ok(((), Change::delete(TARGET, row.id.0, &row.email).part("INVITATION")))
        })
        .await?;
        Ok(Blank)
    }
}

impl MemberApi {
    async fn load(&self, auth: &Auth, action: Action, organization: Uuid, id: Uuid) -> Result<invitation::Model> {
        access::invitation(&self.0.db, &auth.0, action, OrganizationId(organization), InvitationId(id)).await
    }

    async fn answer(&self, row: &invitation::Model) -> Result<InviteMember> {
        let organization = store::organization::by_id(&self.0.db, row.organization_id).await?;
        let custom = store::custom_role::list(&self.0.db, row.organization_id).await?;
        Ok(invitation_answer(&self.0, row, &organization.map(|row| row.name).unwrap_or_default(), &custom))
    }
}

/// The name of a member who is not the owner.
async fn not_owner(
    tx: &DatabaseTransaction,
    organization: OrganizationId,
    person: PersonId,
    text: &str,
) -> Result<String> {
    let row = store::row::by_id::<member::Model>(tx, (organization, person)).await?;
    let row = row.ok_or_else(|| Error::invalid("user_id", "is not a member of this organization"))?;
    if row.role == Role::Owner {
        return Err(Error::Conflict(text.to_owned()));
    }
    name_of(tx, person).await
}

async fn name_of(tx: &DatabaseTransaction, person: PersonId) -> Result<String> {
    let row = store::row::by_id::<person::Model>(tx, person).await?;
    Ok(row.map(|person| person.name.or(person.email).unwrap_or(person.subject)).unwrap_or_default())
}

//! What administrators do with the members of their organization.

use entity::id::{InvitationId, OrganizationId, PersonId};
use entity::member::Role;
use entity::{invitation, member, person};
use sea_orm::DatabaseTransaction;
use serde::Serialize;

use super::assigned_role::{StoredRole, name_and_id};
use super::audit::{self, Change, MEMBERS_AND_ROLES};
use super::limits;
use super::requester::Requester;
use crate::app::App;
use crate::error::{Error, Result};
use crate::store;

/// The maximum number of members and invitations in an organization.
const MAX_MEMBERS: usize = 500;

/// Gives a member another role.
///
/// # Errors
/// `Conflict` for the owner; `Invalid` for somebody who is not a member; or a database error.
pub async fn set_role(
    app: &App,
    by: &Requester,
    organization: OrganizationId,
    person: PersonId,
    role: StoredRole,
) -> Result<()> {
    audit::write(app, by, organization, async |tx| {
        let owner = "the role of the owner can only change by a transfer of ownership";
        let name = require_not_owner(tx, organization, person, owner).await?;
        store::person::set_role(tx, organization, person, role).await?;
        let custom = store::custom_role::list(tx, organization).await?;
        let after = name_and_id(role, &custom);
        Ok(((), Change::update(MEMBERS_AND_ROLES, person.0, &name).part("MEMBER_ROLE").after(&after)))
    })
    .await?;
    app.rights_changed();
    Ok(())
}

/// Removes a member.
///
/// # Errors
/// `Conflict` for the owner; `Invalid` for somebody who is not a member; or a database error.
pub async fn remove(app: &App, by: &Requester, organization: OrganizationId, person: PersonId) -> Result<()> {
    audit::write(app, by, organization, async |tx| {
        let owner = "the owner cannot be removed; transfer the ownership first";
        let name = require_not_owner(tx, organization, person, owner).await?;
        store::person::remove_member(tx, organization, person).await?;
        Ok(((), Change::delete(MEMBERS_AND_ROLES, person.0, &name)))
    })
    .await?;
    app.rights_changed();
    Ok(())
}

/// Invites somebody by their email address. `shown` is the invitation as the API shows it, for its event.
///
/// # Errors
/// `Invalid` for no email address; `Conflict` for somebody who is a member or invited already, or above the maximum of members; or a
/// database error.
pub async fn invite<S: Serialize>(
    app: &App,
    by: &Requester,
    organization: OrganizationId,
    (email, role): (&str, StoredRole),
    shown: impl Fn(&invitation::Model, &[entity::custom_role::Model]) -> S + Clone,
) -> Result<S> {
    let now = app.clock.now();
    let row = invitation::Model {
        id: InvitationId::create(),
        organization_id: organization,
        created_at: now,
        updated_at: now,
        email: normalized_email(email)?,
        role: role.0,
        custom_role_id: role.1,
        inviter: by.name.clone(),
    };
    audit::write(app, by, organization, async |tx| {
        let members = store::person::list_members(tx, organization).await?;
        let is_invitee = |(_, person): &(member::Model, person::Model)| {
            person.email.as_ref().is_some_and(|email| email.eq_ignore_ascii_case(&row.email))
        };
        if members.iter().any(is_invitee) {
            return Err(Error::Conflict("a member already has this email address".into()));
        }
        if members.len() + store::invitation::list(tx, organization).await?.len() >= MAX_MEMBERS {
            return Err(Error::Conflict(format!(
                "an organization can have at most {MAX_MEMBERS} members and invitations"
            )));
        }
        let taken = "this email address has already been invited";
        let row = store::row::create(tx, row).await.map_err(|e| Error::or_taken(e, taken))?;
        let custom = store::custom_role::list(tx, organization).await?;
        let response = shown(&row, &custom);
        let change = Change::create(MEMBERS_AND_ROLES, row.id.0, &row.email).part("INVITATION").after(&response);
        Ok((response, change))
    })
    .await
}

/// Makes the invited person a member.
///
/// # Errors
/// `NotFound` if the invitation is gone; `Conflict` for a member; or a database error.
pub async fn accept(app: &App, by: &Requester, row: &invitation::Model, person: PersonId) -> Result<()> {
    let now = app.clock.now();
    audit::write(app, by, row.organization_id, async |tx| {
        if !store::row::delete::<invitation::Model>(tx, row.id).await? {
            return Err(Error::NotFound("invitation"));
        }
        store::person::add_member(tx, row.organization_id, person, (row.role, row.custom_role_id), now)
            .await
            .map_err(|e| Error::or_taken(e, "you are already a member"))?;
        Ok(((), Change::new("ACCEPT", MEMBERS_AND_ROLES, row.id.0, &row.email).part("INVITATION")))
    })
    .await?;
    app.rights_changed();
    Ok(())
}

/// Withdraws an invitation.
///
/// # Errors
/// A database error.
pub async fn withdraw(app: &App, by: &Requester, row: &invitation::Model) -> Result<()> {
    audit::write(app, by, row.organization_id, async |tx| {
        store::row::delete::<invitation::Model>(tx, row.id).await?;
        Ok(((), Change::delete(MEMBERS_AND_ROLES, row.id.0, &row.email).part("INVITATION")))
    })
    .await
}

/// Rejects the owner, and returns the name of any other member.
async fn require_not_owner(
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
    display_name(tx, person).await
}

/// The name of a person in histories.
///
/// # Errors
/// A database error.
pub async fn display_name(tx: &DatabaseTransaction, person: PersonId) -> Result<String> {
    let row = store::row::by_id::<person::Model>(tx, person).await?;
    Ok(row.map(|person| person.name.or(person.email).unwrap_or(person.subject)).unwrap_or_default())
}

/// Validates an email address, and returns it in the form in which it is stored: ASCII letters in lower case. Other letters are left
/// as they are, because folding them would make addresses of different people equal.
fn normalized_email(address: &str) -> Result<String> {
    let email = limits::name("email", address)?.to_ascii_lowercase();
    let is_valid =
        email.split_once('@').is_some_and(|(name, host)| !name.is_empty() && !host.is_empty() && !host.contains('@'));
    if !is_valid || email.contains(char::is_whitespace) {
        return Err(Error::invalid("email", "must be an email address"));
    }
    Ok(email)
}

//! The person behind the first token: without an OIDC issuer, nobody could do what only people can.

use chrono::{DateTime, Utc};
use entity::id::{OrganizationId, PersonId};
use entity::member::Role;
use entity::person;
use sea_orm::ConnectionTrait;

use crate::error::Result;
use crate::store;

/// The issuer of the first person. No OIDC issuer has this name, because theirs are URLs.
const ISSUER: &str = "windlass";
const SUBJECT: &str = "first";

/// The first person. They are created as an administrator of the first organization; an owner is appointed by a transfer of ownership.
///
/// # Errors
/// A database error.
pub async fn first_person(tx: &impl ConnectionTrait, first: OrganizationId, now: DateTime<Utc>) -> Result<PersonId> {
    if let Some(known) = store::person::by_subject(tx, ISSUER, SUBJECT).await? {
        return Ok(known.id);
    }
    let row = person::Model {
        id: PersonId::create(),
        created_at: now,
        issuer: ISSUER.to_owned(),
        subject: SUBJECT.to_owned(),
        email: None,
        name: Some(SUBJECT.to_owned()),
        communication_email: None,
        groups: None,
    };
    let person = store::person::create(tx, row).await?;
    store::person::add_member(tx, first, person.id, (Role::Admin, None), now).await?;
    Ok(person.id)
}

/// Whether this is the first person.
pub(super) async fn is_first_person(db: &impl ConnectionTrait, id: PersonId) -> Result<bool> {
    Ok(store::person::by_subject(db, ISSUER, SUBJECT).await?.is_some_and(|person| person.id == id))
}

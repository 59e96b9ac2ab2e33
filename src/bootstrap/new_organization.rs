//! Organizations that people create: who may, and what a new one gets.

use chrono::{DateTime, Utc};
use entity::id::PersonId;
use entity::member::Role;
use entity::organization;
use sea_orm::{DatabaseTransaction, DbErr};

use super::default_templates::add_default_templates;
use super::first_alert_rule::first_alert_rule;
use super::first_person::is_first_person;
use super::local_cluster::local_cluster;
use crate::app::App;
use crate::config::{Creator, LocalCluster};
use crate::error::{Error, Result};
use crate::store;

/// Rejects a person who may not create organizations. The address is a verified one.
///
/// # Errors
/// `Forbidden`, or a database error.
pub async fn may_create_organization(app: &App, person: PersonId, email: Option<&str>) -> Result<()> {
    let by_default = if app.config.listen.ip().is_loopback() { Creator::Anyone } else { Creator::Owner };
    let default = [by_default];
    let creators = match app.config.organization_creators.as_slice() {
        [] => &default[..],
        creators => creators,
    };
    if creators.iter().any(|creator| includes(creator, email)) {
        return Ok(());
    }
    if creators.contains(&Creator::Owner)
        && let Some(first) = store::organization::first(&app.db).await?
    {
        // Before an owner is appointed, the first organization belongs to the first person.
        let owner = store::organization::owner(&app.db, first).await?;
        if owner == Some(person) || owner.is_none() && is_first_person(&app.db, person).await? {
            return Ok(());
        }
    }
    Err(Error::Forbidden(
        "you may not create organizations on this server; the setting --organization-creators says who may",
    ))
}

/// Whether a rule is about everybody with this address. Letters are compared without case only in ASCII: folding others would make
/// addresses of different people equal.
fn includes(creator: &Creator, email: Option<&str>) -> bool {
    match (creator, email) {
        (Creator::Anyone, _) => true,
        (Creator::Address(address), Some(email)) => email.eq_ignore_ascii_case(address),
        (Creator::Host(host), Some(email)) => {
            email.rsplit_once('@').is_some_and(|(_, of)| of.eq_ignore_ascii_case(host))
        }
        (Creator::Address(_) | Creator::Host(_), None) | (Creator::Owner, _) => false,
    }
}

/// Stores an organization with its owner, its templates and, if the settings say so, the cluster `local` and a
/// rule for failed runs.
///
/// # Errors
/// When a statement fails.
pub async fn create_organization(
    app: &App,
    tx: &DatabaseTransaction,
    row: organization::Model,
    owner: PersonId,
    now: DateTime<Utc>,
) -> Result<organization::Model, DbErr> {
    let row = store::organization::create(tx, row).await?;
    store::person::add_member(tx, row.id, owner, (Role::Owner, None), now).await?;
    let has_local = match app.config.local_cluster {
        LocalCluster::Always => true,
        LocalCluster::Never => false,
        LocalCluster::Auto => app.config.listen.ip().is_loopback(),
    };
    if has_local {
        let cluster = store::cluster::create(tx, local_cluster(row.id, now)).await?;
        store::row::create(tx, first_alert_rule(row.id, cluster.id, now)).await?;
    }
    add_default_templates(tx, row.id, now).await?;
    Ok(row)
}

/// Creates an organization, which is visible at once.
///
/// # Errors
/// A database error.
pub async fn found_organization(
    app: &App,
    row: organization::Model,
    owner: PersonId,
    now: DateTime<Utc>,
) -> Result<organization::Model> {
    let row =
        store::write(&app.db, async |tx| Ok::<_, Error>(create_organization(app, tx, row, owner, now).await?)).await?;
    app.rights_changed();
    Ok(row)
}

#[cfg(test)]
mod tests {
    use super::{Creator, includes};

    #[test]
    fn rules_are_about_addresses_and_domains() {
        let may = |rule: &str, email: Option<&str>| includes(&rule.parse::<Creator>().unwrap(), email);
        assert!(may("anyone", None));
        assert!(!may("owner", Some("a@example.com")));
        assert!(may("a@example.com", Some("A@Example.COM")));
        assert!(!may("a@example.com", Some("b@example.com")));
        assert!(!may("a@example.com", None));
        assert!(may("@example.com", Some("b@EXAMPLE.com")));
        for other in ["a@example.com.evil", "a@sub.example.com", "@example.com@evil", "example.com"] {
            assert!(!may("@example.com", Some(other)), "{other}");
        }
        // The Kelvin sign is no k.
        assert!(!may("mike@example.com", Some("mi\u{212a}e@example.com")));
        for wrong in ["", "example.com", "a@", "@", "a@b@c"] {
            assert!(wrong.parse::<Creator>().is_err(), "{wrong}");
        }
    }
}

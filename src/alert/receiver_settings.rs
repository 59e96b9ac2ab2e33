//! Creates, changes and deletes receivers. Callers have checked that the requester may. Each change is one transaction with its event,
//! whose content the caller shows.

use entity::alert_receiver::{Model, ReceiverKind};
use entity::id::{AlertReceiverId, OrganizationId};
use serde::Serialize;

use super::receiver_change::{Given, Stage, apply_receiver};
use super::sealed_address::Address;
use crate::app::App;
use crate::engine::audit::{self, Change};
use crate::engine::requester::Requester;
use crate::error::{Error, Result};
use crate::store;

/// The maximum number of receivers in an organization.
const MOST: usize = 100;

fn change(kind: &'static str, row: &Model) -> Change {
    Change::new(kind, "ORGANIZATION", row.id.0, &row.name).part("ALERT_RECEIVER")
}

/// A receiver that is not stored, with its address as plain text.
///
/// # Errors
/// `Invalid` with all faults.
pub fn new_receiver(app: &App, organization: OrganizationId, given: Given) -> Result<(Model, Address)> {
    let now = app.clock.now();
    let row = Model {
        id: AlertReceiverId::create(),
        organization_id: organization,
        created_at: now,
        updated_at: now,
        name: String::new(),
        description: String::new(),
        kind: ReceiverKind::Webhook,
        send_resolved: false,
        owner: None,
        severity: None,
        quiet_hours: None,
        mail: None,
        host: String::new(),
        sealed: None,
        has_secret: false,
        last_error: None,
    };
    apply_receiver(app, given, row, Stage::New)
}

/// Creates a receiver.
///
/// # Errors
/// `Invalid` with all faults; database errors.
pub async fn create_receiver<S: Serialize>(
    app: &App,
    by: &Requester,
    id: OrganizationId,
    given: Given,
    shown: impl Fn(Model) -> S + Clone,
) -> Result<S> {
    let (row, _) = new_receiver(app, id, given)?;
    audit::write(app, by, id, async |tx| {
        if store::alert::list_receivers(tx, id).await?.len() >= MOST {
            return Err(Error::invalid("", format!("an organization can have at most {MOST} alert receivers")));
        }
        let row = store::row::create(tx, row).await?;
        let change = change("CREATE", &row);
        let response = shown(row);
        let change = change.after(&response);
        Ok((response, change))
    })
    .await
}

/// Changes a receiver. `given` gets it as it is stored, which may be another one than the caller has seen.
///
/// # Errors
/// `Invalid` with all faults; database errors.
pub async fn edit_receiver<S: Serialize>(
    app: &App,
    by: &Requester,
    row: Model,
    given: impl Fn(&Model) -> Result<Given>,
    shown: impl Fn(Model) -> S + Clone,
) -> Result<S> {
    let now = app.clock.now();
    audit::write(app, by, row.organization_id, async |tx| {
        let edit = |stored: Model| {
            let (row, _) = apply_receiver(app, given(&stored)?, stored, Stage::Stored)?;
            // What the newest message met says nothing about the new address.
            Ok(Model { updated_at: now, last_error: None, ..row })
        };
        let changed = store::row::change(tx, row.id, edit, Error::from).await?;
        let (before, row) = changed.ok_or(Error::NotFound("alert receiver"))?;
        if row.quiet_hours != before.quiet_hours {
            store::alert::wake_quiet_messages(tx, row.id, row.updated_at).await?;
        }
        let change = change("UPDATE", &row).before(&shown(before));
        let response = shown(row);
        let change = change.after(&response);
        Ok((response, change))
    })
    .await
}

/// Deletes a receiver, and removes it from the rules.
///
/// # Errors
/// Database errors.
pub async fn delete_receiver<S: Serialize>(
    app: &App,
    by: &Requester,
    row: Model,
    shown: impl Fn(Model) -> S + Clone,
) -> Result<()> {
    audit::write(app, by, row.organization_id, async |tx| {
        store::alert::forget_receiver(tx, row.organization_id, row.id).await?;
        store::row::delete::<Model>(tx, row.id).await?;
        let change = change("DELETE", &row);
        Ok(((), change.before(&shown(row))))
    })
    .await
}

//! Creates and deletes push hooks, and replaces their secrets. A secret is shown once.

use entity::id::{OrganizationId, PushHookId};
use entity::push_hook::Model;
use serde_json::{Value, json};

use super::at;
use crate::app::App;
use crate::engine::audit::{self, Change};
use crate::engine::limits;
use crate::engine::requester::Requester;
use crate::error::{Error, Result};
use crate::secret::{self, Secret};
use crate::store;

/// The official name for what comes nearest: there is none for addresses that receive.
const TARGET: &str = "WEBHOOK";

/// The most push hooks of an organization.
const MOST: usize = 20;

/// A push hook as events record it, without its secret.
fn recorded(row: &Model) -> Value {
    json!({"id": row.id, "created_at": at(row.created_at), "updated_at": at(row.updated_at), "name": row.name})
}

/// Where a provider delivers to.
#[must_use]
pub fn address(app: &App, id: PushHookId) -> String {
    format!("{}/push/{id}", app.public_url())
}

/// A new secret, and how it is stored.
fn new_secret(app: &App, id: PushHookId) -> Result<(Secret<String>, Vec<u8>)> {
    let secret = secret::new_ping_key()?;
    let sealed = app.keys.seal(&secret::place("push_hook", id.0), secret.expose().as_bytes())?;
    Ok((secret, sealed))
}

/// Creates a push hook with its secret.
///
/// # Errors
/// `Invalid`, which names the field; `Conflict` if the name is taken or there are too many; database errors.
pub async fn create(app: &App, by: &Requester, id: OrganizationId, name: &str) -> Result<(Model, Secret<String>)> {
    let (now, own) = (app.clock.now(), PushHookId::create());
    let name = limits::name("name", name)?;
    let (secret, sealed) = new_secret(app, own)?;
    let row = Model { id: own, organization_id: id, created_at: now, updated_at: now, name, secret: sealed };
    let row = audit::write(app, by, id, async |tx| {
        let others = store::push::list_hooks(tx, id).await?;
        if others.len() >= MOST {
            return Err(Error::Conflict(format!("an organization can have at most {MOST} push hooks")));
        }
        let key = entity::name_key(&row.name);
        if others.iter().any(|other| entity::name_key(&other.name) == key) {
            return Err(Error::Conflict("this organization already has a push hook with this name".into()));
        }
        let row = store::row::create(tx, row).await?;
        let change = Change::create(TARGET, row.id.0, &row.name).after(&recorded(&row));
        Ok((row, change))
    })
    .await?;
    Ok((row, secret))
}

/// Gives a push hook another secret. Deliveries with the present one are refused from now on.
///
/// # Errors
/// `NotFound` if it was deleted; database errors.
pub async fn replace_secret(app: &App, by: &Requester, row: Model) -> Result<(Model, Secret<String>)> {
    let now = app.clock.now();
    let (secret, sealed) = new_secret(app, row.id)?;
    let row = audit::write(app, by, row.organization_id, async |tx| {
        let before = store::push::lock_hook(tx, row.id).await?.ok_or(Error::NotFound("push hook"))?;
        let shown = recorded(&before);
        let row = store::row::update(tx, Model { secret: sealed, updated_at: now, ..before }).await?;
        let change = Change::update(TARGET, row.id.0, &row.name).before(&shown).after(&recorded(&row));
        Ok((row, change))
    })
    .await?;
    Ok((row, secret))
}

/// Deletes a push hook, with what was delivered to it.
///
/// # Errors
/// Database errors.
pub async fn delete(app: &App, by: &Requester, row: Model) -> Result<()> {
    audit::write(app, by, row.organization_id, async |tx| {
        store::row::delete::<Model>(tx, row.id).await?;
        Ok(((), Change::delete(TARGET, row.id.0, &row.name).before(&recorded(&row))))
    })
    .await
}

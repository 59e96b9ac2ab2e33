//! Creates, changes and deletes container registries.

use std::collections::BTreeMap;

use entity::id::{OrganizationId, RegistryId};
use entity::registry::{Model, RegistryConfig, RegistryKind};
use serde_json::{Value, json};

use super::at;
use super::registry_address::address;
use crate::app::App;
use crate::engine::audit::{self, Change};
use crate::engine::limits;
use crate::engine::requester::Requester;
use crate::error::{Error, Result};
use crate::secret::stored_binding::of_registry;
use crate::secret::{Secret, moves, place};
use crate::store;

const TARGET: &str = "CONTAINER_REGISTRY";
const IN_USE: &str = "jobs use this registry; switch them to another one first";

/// A registry as somebody wants it.
#[derive(Clone)]
pub struct WantedRegistry {
    pub name: String,
    pub kind: RegistryKind,
    pub description: Option<String>,
    pub url: Option<String>,
    pub config: RegistryConfig,
    /// Secrets that are absent stay as they are, unless they would belong to another host.
    pub secrets: BTreeMap<&'static str, Secret<String>>,
}

/// A registry as events record it: under the names of the official API, without its secrets.
fn recorded(row: &Model) -> Value {
    let mut config = serde_json::to_value(&row.config).unwrap_or_default();
    if let Some(fields) = config.as_object_mut() {
        fields.retain(|_, value| !value.is_null());
    }
    json!({
        "id": row.id, "created_at": at(row.created_at), "updated_at": at(row.updated_at), "name": row.name,
        "kind": row.kind, "description": row.description.clone().unwrap_or_default(), "url": row.url,
        "associated_services_count": 0, "config": config,
    })
}

/// Creates a registry.
///
/// # Errors
/// `Invalid`, which names the field; database errors.
pub async fn create(app: &App, by: &Requester, id: OrganizationId, wanted: WantedRegistry) -> Result<Model> {
    let now = app.clock.now();
    let WantedRegistry { name, kind, description, url, config, secrets } = wanted;
    let mut row = Model {
        id: RegistryId::create(),
        organization_id: id,
        created_at: now,
        updated_at: now,
        name: limits::name("name", &name)?,
        description: description.map(|text| limits::text("description", text)).transpose()?,
        kind,
        url: address(kind, url)?,
        config,
        credentials: None,
    };
    row.credentials = seal(app, row.id, &exposed(&secrets))?;
    audit::write(app, by, id, async |tx| {
        let row = store::registry::create(tx, row).await?;
        let change = Change::create(TARGET, row.id.0, &row.name).after(&recorded(&row));
        Ok((row, change))
    })
    .await
}

/// Changes a registry. `wanted` gets it as it is stored, which may be another one than the caller has seen.
///
/// # Errors
/// `Invalid`, which names the field; database errors.
pub async fn edit(
    app: &App,
    by: &Requester,
    row: Model,
    wanted: impl Fn(&Model) -> Result<WantedRegistry>,
) -> Result<Model> {
    let now = app.clock.now();
    audit::write(app, by, row.organization_id, async |tx| {
        // Another request may have replaced a credential that this one keeps.
        let edit = |stored: Model| {
            let wanted = wanted(&stored)?;
            Ok(Model { updated_at: now, ..changed(app, stored, &wanted)? })
        };
        let changed = store::row::change(tx, row.id, edit, Error::from).await?;
        let (before, row) = changed.ok_or(Error::NotFound("registry"))?;
        let change = Change::update(TARGET, row.id.0, &row.name).before(&recorded(&before)).after(&recorded(&row));
        Ok((row, change))
    })
    .await
}

/// The row with what is wanted.
fn changed(app: &App, mut row: Model, wanted: &WantedRegistry) -> Result<Model> {
    let WantedRegistry { name, kind, description, url, config, secrets } = wanted;
    let mut credentials = if row.kind == *kind { open(app, &row)? } else { BTreeMap::new() };
    let bound = of_registry(&row);
    row.name = limits::name("name", name)?;
    row.kind = *kind;
    row.url = address(*kind, url.clone())?;
    if moves(&bound, &of_registry(&row))
        && let Some(kept) = credentials.keys().find(|key| !secrets.contains_key(key.as_str()))
    {
        return Err(Error::invalid(format!("config.{kept}"), "must be given again, because url has another host"));
    }
    credentials.extend(exposed(secrets));
    row.config = config.clone();
    row.credentials = seal(app, row.id, &credentials)?;
    if let Some(description) = description {
        row.description = Some(limits::text("description", description.clone())?);
    }
    Ok(row)
}

/// Deletes a registry.
///
/// # Errors
/// `Conflict` while jobs use it; database errors.
pub async fn delete(app: &App, by: &Requester, row: Model) -> Result<()> {
    audit::write(app, by, row.organization_id, async |tx| {
        store::registry::delete(tx, row.id).await.map_err(|error| Error::or_in_use(error, IN_USE))?;
        Ok(((), Change::delete(TARGET, row.id.0, &row.name).before(&recorded(&row))))
    })
    .await
}

fn seal(app: &App, id: RegistryId, secrets: &BTreeMap<String, String>) -> Result<Option<Vec<u8>>> {
    if secrets.is_empty() {
        return Ok(None);
    }
    let text = serde_json::to_vec(secrets).map_err(Error::internal)?;
    app.keys.seal(&place("registry", id.0), &text).map(Some)
}

fn open(app: &App, row: &Model) -> Result<BTreeMap<String, String>> {
    let Some(sealed) = &row.credentials else { return Ok(BTreeMap::new()) };
    let opened = app.keys.open(&place("registry", row.id.0), sealed)?;
    serde_json::from_slice(opened.expose()).map_err(|_| Error::internal("sealed credentials are not JSON"))
}

/// The secrets in plain text, for sealing only.
fn exposed(secrets: &BTreeMap<&'static str, Secret<String>>) -> BTreeMap<String, String> {
    secrets.iter().map(|(key, value)| ((*key).to_owned(), value.expose().clone())).collect()
}

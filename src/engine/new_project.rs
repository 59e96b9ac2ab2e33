//! Creates projects. Callers have checked that the requester may.

use chrono::SecondsFormat;
use entity::id::OrganizationId;
use entity::project;
use sea_orm::DatabaseTransaction;
use serde_json::{Value, json};

use super::audit::{self, Change};
use super::faults::Faults;
use super::limits;
use super::requester::Requester;
use crate::app::App;
use crate::error::{Error, Result};
use crate::store;

/// What somebody reads who gives a project the name of another one.
pub const TAKEN: &str = "this organization already has a project with this name";

/// Stores a new project.
///
/// # Errors
/// `Invalid` with all faults; `Conflict` if the name is taken; database errors.
pub async fn create(
    app: &App,
    by: &Requester,
    organization: OrganizationId,
    name: &str,
    description: String,
) -> Result<project::Model> {
    let mut faults = Faults::default();
    let name = faults.note(limits::name("name", name));
    let description = faults.note(limits::text("description", description));
    faults.result()?;
    let row = project::Model::new(organization, name, description, app.clock.now());
    store::write(&app.db, async |tx| create_in(app, by, tx, row).await).await
}

/// Stores a new project in a transaction of the caller.
///
/// # Errors
/// `Conflict` if the name is taken; database errors.
pub async fn create_in(
    app: &App,
    by: &Requester,
    tx: &DatabaseTransaction,
    row: project::Model,
) -> Result<project::Model> {
    let row = store::project::create(tx, row).await.map_err(|e| Error::or_taken(e, TAKEN))?;
    let change = Change::create("PROJECT", row.id.0, &row.name).of_project(&row).after(&recorded(&row));
    audit::record(app, by, row.organization_id, tx, change).await?;
    Ok(row)
}

/// A new project as events record it: under the names of the official API.
fn recorded(row: &project::Model) -> Value {
    let at = |time: chrono::DateTime<chrono::Utc>| time.to_rfc3339_opts(SecondsFormat::Micros, true);
    json!({
        "id": row.id, "created_at": at(row.created_at), "updated_at": at(row.updated_at), "name": row.name,
        "description": row.description, "associated_environments_count": 0, "organization": {"id": row.organization_id},
    })
}

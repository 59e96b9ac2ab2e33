//! Stores the advanced settings of a job.

use std::collections::BTreeMap;

use entity::job;
use sea_orm::DatabaseTransaction;
use serde_json::{Map, Value};

use super::job_edit::{edit_of, job_change};
use crate::app::App;
use crate::engine::advanced_settings::{Settings, complete};
use crate::engine::audit;
use crate::engine::calendar::{EXCLUDE, ONLY, names};
use crate::engine::requester::Requester;
use crate::error::{Error, Result};
use crate::store;

/// Stores valid settings, and returns all of them.
///
/// # Errors
/// `Invalid` if there is no such calendar; `Conflict` if the job is gone; database errors.
pub async fn save_settings(
    app: &App,
    by: &Requester,
    mut row: job::Model,
    settings: BTreeMap<String, Value>,
) -> Result<Map<String, Value>> {
    let before = complete(&row.spec.settings);
    row.spec.settings = settings;
    let after = complete(&row.spec.settings);
    let edit = edit_of(&row, app.clock.now());
    audit::write(app, by, row.organization_id, async |tx| {
        check_calendars(tx, &row).await?;
        store::job::update(tx, row.id, edit).await?;
        let change = job_change(tx, "UPDATE", &row, "ADVANCED_SETTINGS").await?;
        Ok(((), change.before(&before).after(&after)))
    })
    .await?;
    Ok(after)
}

/// The calendars of the settings must exist, and stay until the settings are stored.
async fn check_calendars(tx: &DatabaseTransaction, row: &job::Model) -> Result<()> {
    let wanted = names(&row.spec);
    if wanted.is_empty() {
        return Ok(());
    }
    let known = store::calendar::hold_names(tx, row.organization_id, &wanted).await?;
    for field in [EXCLUDE, ONLY] {
        if let Some(unknown) = Settings(&row.spec.settings).names(field).iter().find(|name| !known.contains(name)) {
            return Err(Error::invalid(field, format!("{unknown} is no calendar of the organization")));
        }
    }
    Ok(())
}

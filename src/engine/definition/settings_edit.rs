//! Stores the advanced settings of a job.

use std::collections::BTreeMap;

use entity::job;
use serde_json::{Map, Value};

use super::job_edit::{edit_of, job_change};
use crate::app::App;
use crate::engine::advanced_settings::complete;
use crate::engine::audit;
use crate::engine::calendars_of_jobs::hold_calendars;
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
    row: job::Model,
    settings: BTreeMap<String, Value>,
) -> Result<Map<String, Value>> {
    let (after, now) = (complete(&settings), app.clock.now());
    audit::write(app, by, row.organization_id, async |tx| {
        // The rest of the definition may be changed at the same time.
        let mut row = store::job::lock(tx, row.id).await?.ok_or(Error::NotFound("job"))?;
        let before = complete(&row.spec.settings);
        row.spec.settings = settings;
        let edit = edit_of(&row, now);
        hold_calendars(tx, row.organization_id, &row.spec).await?;
        store::job::update(tx, row.id, edit).await?;
        let change = job_change(tx, "UPDATE", &row, "ADVANCED_SETTINGS").await?;
        Ok(((), change.before(&before).after(&after)))
    })
    .await?;
    Ok(after)
}

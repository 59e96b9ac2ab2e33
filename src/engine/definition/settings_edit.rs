//! Stores the advanced settings of a job.

use std::collections::BTreeMap;

use entity::job;
use entity::job_spec::JobSpec;
use serde_json::{Map, Value};

use super::job_edit::job_change;
use crate::app::App;
use crate::engine::advanced_settings::complete;
use crate::engine::audit;
use crate::engine::calendars_of_jobs::hold_calendars;
use crate::engine::requester::Requester;
use crate::error::{Error, Result};
use crate::store;

/// Stores valid settings, and returns all of them. The rest of the job stays, as it is stored then.
///
/// # Errors
/// `Invalid` if there is no such calendar; `NotFound` if the job is gone; database errors.
pub async fn save_settings(
    app: &App,
    by: &Requester,
    row: &job::Model,
    settings: BTreeMap<String, Value>,
) -> Result<Map<String, Value>> {
    let now = app.clock.now();
    audit::write(app, by, row.organization_id, async |tx| {
        let job = store::job::lock(tx, row.id).await?.ok_or(Error::NotFound("job"))?;
        let old = job.row();
        let spec = JobSpec { settings, ..old.spec.clone() };
        hold_calendars(tx, old.organization_id, &spec).await?;
        let (before, after) = (complete(&old.spec.settings), complete(&spec.settings));
        let new = job.edit(tx, (old.name.clone(), spec), now).await?;
        let change = job_change(tx, "UPDATE", &new, "ADVANCED_SETTINGS").await?.before(&before).after(&after);
        Ok((after, change))
    })
    .await
}

//! The JSON form of a plan that is saved for later. It is sealed as soon as it is read.

use chrono::{DateTime, Utc};
use entity::id::WorkspaceStepId;
use entity::{plan_output, run};
use serde_json::Value;

use crate::app::App;
use crate::engine::plan_view::{redacted, used_schemas};
use crate::engine::saved_plan_output::{open, seal};
use crate::engine::tick::run::masks::Masks;
use crate::error::Result;
use crate::runner::terraform::layout::{PLAN_JSON_BYTES, PROVIDERS_JSON_BYTES};

/// The most bytes of the schemas that are kept.
const MOST_SCHEMA_BYTES: usize = 8 * 1024 * 1024;

/// Reads the output of `show -json`; none if it is something else or too large, or if it is not known what to hide.
pub(super) async fn of_json(
    app: &App,
    run: &run::Model,
    step: WorkspaceStepId,
    text: Vec<u8>,
    now: DateTime<Utc>,
) -> Result<Option<plan_output::Model>> {
    if text.is_empty() || text.len() as u64 > PLAN_JSON_BYTES {
        return Ok(None);
    }
    let masker = match Masks::of(app, run) {
        Ok(masks) => masks.map(|masks| masks.masker()),
        Err(error) => {
            tracing::warn!(run = %run.id, %error, "a saved plan is not kept as JSON: what to mask in it is unknown");
            return Ok(None);
        }
    };
    let read = tokio::task::spawn_blocking(move || {
        let plan: Value = serde_json::from_slice(&text).map_err(|error| error.to_string())?;
        let shown = redacted(&plan, masker.as_ref()).map_err(str::to_owned)?;
        Ok::<_, String>((text, shown.to_string().into_bytes()))
    });
    let (whole, redacted) = match read.await {
        Ok(Ok(read)) => read,
        Ok(Err(reason)) => {
            tracing::warn!(run = %run.id, reason, "the JSON form of a saved plan is not valid");
            return Ok(None);
        }
        Err(error) => {
            tracing::warn!(run = %run.id, %error, "the JSON form of a saved plan could not be read");
            return Ok(None);
        }
    };
    let (whole, redacted) = (seal(app, step, &whole)?, seal(app, step, &redacted)?);
    Ok(Some(plan_output::Model { step_id: step, created_at: now, whole, redacted, schemas: None }))
}

/// The schemas of the resources of a plan, sealed; none if they are missing or too large.
pub(super) async fn schemas_of(
    app: &App,
    run: &run::Model,
    output: &plan_output::Model,
    text: Vec<u8>,
) -> Result<Option<Vec<u8>>> {
    if text.is_empty() || text.len() as u64 > PROVIDERS_JSON_BYTES {
        return Ok(None);
    }
    let plan = open(app, output.step_id, &output.redacted)?;
    let read = tokio::task::spawn_blocking(move || {
        let plan: Value = serde_json::from_slice(plan.expose())?;
        used_schemas(&text, &plan)
    });
    match read.await {
        Ok(Ok(Some(schemas))) if schemas.len() <= MOST_SCHEMA_BYTES => Ok(Some(seal(app, output.step_id, &schemas)?)),
        Ok(Ok(_)) => {
            tracing::warn!(run = %run.id, "a saved plan cannot be shown: schemas of its providers are missing or too large");
            Ok(None)
        }
        Ok(Err(error)) => {
            tracing::warn!(run = %run.id, %error, "the schemas of providers are not valid");
            Ok(None)
        }
        Err(error) => {
            tracing::warn!(run = %run.id, %error, "the schemas of providers could not be read");
            Ok(None)
        }
    }
}

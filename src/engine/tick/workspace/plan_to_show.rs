//! The plan of a step as it is shown in the console. Sensitive values are removed before it is stored.

use chrono::{DateTime, Utc};
use entity::{run, shown_plan, workspace_step};
use sea_orm::ConnectionTrait;

use crate::app::App;
use crate::engine::opened_plan::sealed;
use crate::engine::plan_view;
use crate::engine::tick::run::masks::Masks;
use crate::error::Result;
use crate::runner::terraform::layout::PLAN_JSON_BYTES;
use crate::store;

/// A plan without its sensitive values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PlanToShow {
    /// How many resources were changed outside of the tool.
    drift: i32,
    /// None if it is too large.
    view: Option<Vec<u8>>,
}

/// Reads the output of `show -json`; none if it is something else, or if it is not known what to hide.
pub(super) async fn of_json(app: &App, run: &run::Model, text: Vec<u8>) -> Option<PlanToShow> {
    if text.is_empty() || text.len() as u64 > PLAN_JSON_BYTES {
        return Some(PlanToShow { drift: 0, view: None });
    }
    let masker = match Masks::of(app, run) {
        Ok(masks) => masks.map(|masks| masks.masker()),
        Err(error) => {
            tracing::warn!(run = %run.id, %error, "a plan is not shown: what to mask in it is unknown");
            return None;
        }
    };
    let read = tokio::task::spawn_blocking(move || {
        let view = plan_view::of_json(&text, masker.as_ref())?;
        let drift = i32::try_from(view.drift.len()).unwrap_or(i32::MAX);
        let view = plan_view::stored(view).map_err(|error| error.to_string())?;
        Ok::<_, String>(PlanToShow { drift, view: Some(view) })
    });
    match read.await {
        Ok(Ok(plan)) => Some(plan),
        Ok(Err(reason)) => {
            tracing::warn!(run = %run.id, reason, "the JSON form of a plan is not valid");
            None
        }
        Err(error) => {
            tracing::warn!(run = %run.id, %error, "the JSON form of a plan could not be read");
            None
        }
    }
}

/// Stores the plan of a step, instead of that of an earlier attempt.
pub(super) async fn keep(
    app: &App,
    tx: &impl ConnectionTrait,
    step: &workspace_step::Model,
    plan: PlanToShow,
    now: DateTime<Utc>,
) -> Result<()> {
    let sealed = plan.view.map(|view| sealed(app, step.id, &view)).transpose()?;
    let row = shown_plan::Model {
        step_id: step.id,
        workspace_id: step.workspace_id,
        job_id: step.job_id,
        created_at: now,
        drift: plan.drift,
        sealed,
    };
    Ok(store::workspace::keep_shown_plan(tx, row).await?)
}

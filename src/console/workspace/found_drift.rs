//! What was changed outside of the tool, as the newest plan of a workspace found.

use entity::workspace;
use maud::{Markup, html};

use super::plan_difference::drift_words;
use crate::app::App;
use crate::console::paths;
use crate::console::when::distance;
use crate::console::widgets::state;
use crate::engine::opened_plan::{self, ShownPlan};
use crate::error::Result;
use crate::store;

/// How many resources are named.
const NAMED: usize = 10;

/// The drift, until another plan finds none or a state is stored.
pub(super) async fn drift(app: &App, row: &workspace::Model) -> Result<Markup> {
    let found = store::workspace::open_drift(&app.db, row.id).await?;
    let plan = found.as_ref().map(|plan| opened_plan::open(app, plan)).transpose()?;
    let addresses: Vec<&str> = match &plan {
        Some(ShownPlan::Plan(view)) => view.drift.iter().map(|change| change.address.as_str()).collect(),
        _ => Vec::new(),
    };
    let now = app.clock.now();
    Ok(html! {
        div #workspace-drift {
            @if let Some(plan) = found {
                section.card.attention aria-labelledby="drift" {
                    h2 #drift { "Drift " (state(("queued", "found"))) }
                    p {
                        (drift_words(usize::try_from(plan.drift).unwrap_or(0))) ", as the plan of "
                        a href=(paths::workspace_job(plan.job_id)) { "job " (plan.job_id) } " found " (distance(plan.created_at, now)) "."
                    }
                    @if !addresses.is_empty() {
                        ul {
                            @for address in addresses.iter().take(NAMED) { li { code { (address) } } }
                            @if addresses.len() > NAMED { li { (addresses.len() - NAMED) " more" } }
                        }
                    }
                }
            }
        }
    })
}

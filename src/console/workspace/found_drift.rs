//! What was changed outside of the tool, as the newest plan of a workspace found, in short.

use entity::workspace;
use maud::{Markup, html};

use super::plan_difference::drift_words;
use crate::app::App;
use crate::console::paths;
use crate::console::when::distance;
use crate::console::widgets::state;
use crate::engine::workspace_drift::found_drift;
use crate::error::Result;

/// How many resources are named, and how many values of each.
const NAMED: usize = 10;
const VALUES: usize = 5;

/// The drift, until another plan finds none, an apply succeeds or a state is stored.
pub(super) async fn drift(app: &App, row: &workspace::Model) -> Result<Markup> {
    let found = found_drift(app, row.id).await?;
    let now = app.clock.now();
    Ok(html! {
        div #workspace-drift {
            @if let Some(found) = found {
                section.card.attention aria-labelledby="drift" {
                    h2 #drift { "Drift " (state(("queued", "found"))) }
                    p {
                        "Drifted since " (distance(found.since, now)) ": " (drift_words(found.count)) ", as the plan of "
                        a href=(paths::workspace_job(found.job)) { "job " (found.job) } " found " (distance(found.checked_at, now)) "."
                    }
                    @if !found.resources.is_empty() {
                        ul {
                            @for change in found.resources.iter().take(NAMED) {
                                @let paths: Vec<&str> = change.attributes.iter().map(|one| one.path.as_str())
                                    .filter(|path| !path.is_empty()).collect();
                                li {
                                    code { (change.address) }
                                    @if !paths.is_empty() {
                                        ": " (paths.iter().take(VALUES).copied().collect::<Vec<_>>().join(", "))
                                        @if paths.len() > VALUES { " and more" }
                                    }
                                }
                            }
                            @if found.resources.len() > NAMED { li { (found.resources.len() - NAMED) " more" } }
                        }
                    }
                    p { a.button.quiet href={ (paths::workspace(row.id)) "/drift" } { "Show, accept or revert" } }
                }
            }
        }
    })
}

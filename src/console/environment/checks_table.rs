//! The checks of an environment: jobs that run elsewhere.

use chrono::{DateTime, Utc};
use entity::environment;
use maud::{Markup, html};

use super::environment_view::EnvironmentView;
use crate::console::paths;
use crate::console::when::distance;
use crate::engine::cron::schedule_text;

/// The checks as a table; nothing if there are none.
pub(super) fn checks(row: &environment::Model, view: &EnvironmentView, now: DateTime<Utc>) -> Markup {
    html! {
        div #environment-checks {
            @if !view.checks.is_empty() {
                h2 { "Checks" }
                div.scroll {
                    table.stacked {
                        caption.hidden { "Checks of " (row.name) }
                        thead {
                            tr {
                                th scope="col" { "Check" }
                                th scope="col" { "Pings" }
                                th scope="col" { "Last ping" }
                                th scope="col" { "Next expected" }
                            }
                        }
                        tbody {
                            @for (job, check) in &view.checks {
                                tr {
                                    td data-label="Check" { a href=(paths::job(job.id)) { (job.name) } }
                                    td data-label="Pings" { (schedule_text(job.id, &job.spec)) }
                                    td data-label="Last ping" {
                                        @match check.pinged_at { Some(at) => (distance(at, now)), None => span.soft { "none yet" } }
                                    }
                                    td data-label="Next expected" {
                                        @if let Some(at) = check.expected_for { (distance(at, now)) }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

//! A schedule while it is typed: its words, and its next times.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use maud::{Markup, html};
use poem::web::{Data, Query};
use poem::{Response, handler};
use serde::Deserialize;

use super::schedule_view::capital;
use crate::app::App;
use crate::console::viewer::Viewer;
use crate::console::when::{distance, exact};
use crate::engine::definition::{DEFAULT_TIMEZONE, NEVER_FIRES, check_times};

/// How many times are shown.
const TIMES: usize = 5;

/// The query: the fields of the form.
#[derive(Deserialize)]
pub(super) struct PreviewQuery {
    #[serde(default)]
    scheduled_at: String,
    #[serde(default)]
    timezone: String,
}

#[handler]
pub(super) fn preview(
    Data(app): Data<&Arc<App>>,
    _viewer: Viewer,
    Query(query): Query<PreviewQuery>,
) -> poem::Result<Response> {
    let fragment = shown(&query.scheduled_at, &query.timezone, app.clock.now());
    Ok(Response::builder().content_type("text/html; charset=utf-8").body(fragment.into_string()))
}

/// The preview of what the fields contain.
pub(super) fn shown(scheduled_at: &str, timezone: &str, now: DateTime<Utc>) -> Markup {
    let timezone = if timezone.trim().is_empty() { DEFAULT_TIMEZONE } else { timezone.trim() };
    html! {
        div #preview role="status" {
            @if scheduled_at.trim().is_empty() { p.soft { "The next times appear here." } }
            @else {
                @match check_times("", scheduled_at.trim(), timezone) {
                    Err(error) => p.problem { (error.public()) },
                    Ok((expression, _)) if !expression.can_fire() => p.problem { (NEVER_FIRES) },
                    Ok((expression, zone)) => {
                        p { (capital(&expression.words())) }
                        @let times = std::iter::successors(expression.next(now, &zone), |time| expression.next(*time, &zone));
                        ol { @for at in times.take(TIMES) { li { (exact(at, Some(zone))) " (" (distance(at, now)) ")" } } }
                    },
                }
            }
        }
    }
}

//! Calendars, with what comes next in them.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use entity::calendar::{Model, Occurrences};
use entity::id::OrganizationId;
use maud::{Markup, html};
use poem::web::{Data, Path, Query};
use poem::{Response, handler};
use uuid::Uuid;

use super::tabs::{Tab, may, settings, show};
use crate::access::{self, Action};
use crate::app::App;
use crate::console::notice::Noticed;
use crate::console::viewer::Viewer;
use crate::console::when::distance;
use crate::error::Error;
use crate::store;

/// How many coming days and spans of each file are shown.
const SHOWN: usize = 5;

#[handler]
pub(super) async fn page(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path(id): Path<Uuid>,
    Query(noticed): Query<Noticed>,
) -> poem::Result<Response> {
    let id = OrganizationId(id);
    access::organization(&app.db, &viewer.caller, Action::ViewSettings, id).await?;
    let manages = may(&viewer, id, Action::ManageSettings);
    let rows = store::calendar::list(&app.db, id).await.map_err(Error::from)?;
    let now = app.clock.now();
    let body = html! {
        (noticed.show())
        @if manages { p { a.button href={ (settings(id)) "/calendars/new" } { "New calendar" } } }
        @if rows.is_empty() {
            p.card { "There are no calendars yet. Jobs leave out their days, such as holidays, or run only in them." }
        }
        @for row in &rows { (card(row, manages.then(|| format!("{}/calendar/{}/edit", settings(id), row.id)), now)) }
    };
    Ok(show(app, &viewer, id, (Tab::Calendars, Some(format!("/organization/{id}/calendar"))), &body).await?)
}

fn card(row: &Model, edit: Option<String>, now: DateTime<Utc>) -> Markup {
    let spans = row.entries.spans.iter().map(|span| format!("{} to {}", span.from, span.to));
    let weekly = row.entries.weekly.iter().map(|week| format!("{} {} to {}", week.weekday, week.from, week.to));
    let entries: Vec<String> = row.entries.days.iter().cloned().chain(spans).chain(weekly).collect();
    html! {
        section.card {
            div.row.between {
                h2 { (row.name) }
                @if let Some(edit) = &edit { a.button.quiet href=(edit) { "Edit" span.hidden { " the calendar " (row.name) } } }
            }
            @if !row.description.is_empty() { p { (row.description) } }
            p { "Times are those of " (row.timezone) "." }
            @if !entries.is_empty() { ul { @for entry in &entries { li { (entry) } } } }
            @if let Some(read) = row.ics_read_at {
                p {
                    @if let Some(address) = &row.ics_url { (address) } @else { "The iCalendar file" }
                    " was read " (distance(read, now)) "."
                }
                @if let Some(fault) = &row.ics_error { p.problem { "It could not be read since: " (fault) } }
                (coming(&row.occurrences, now))
            }
        }
    }
}

/// What comes next in a file.
fn coming(read: &Occurrences, now: DateTime<Utc>) -> Markup {
    let today = now.date_naive();
    let days = read.days.iter().filter(|day| day.day >= today).map(|day| (day.day.to_string(), &day.name));
    let time = |at: DateTime<Utc>| at.format("%Y-%m-%d %H:%M UTC").to_string();
    let spans = read.spans.iter().filter(|span| span.to > now);
    let spans = spans.map(|span| (format!("{} to {}", time(span.from), time(span.to)), &span.name));
    let mut next: Vec<(String, &String)> = days.take(SHOWN).chain(spans.take(SHOWN)).collect();
    next.sort();
    html! {
        @if next.is_empty() { p { "Nothing comes in it." } }
        @else { ul { @for (when, name) in next { li { (when) ": " (name) } } } }
    }
}

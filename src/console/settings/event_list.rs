//! Who changed what.

use std::sync::Arc;

use entity::event::Model;
use entity::id::{EventId, OrganizationId};
use maud::{Markup, html};
use poem::web::{Data, Path, Query};
use poem::{Response, handler};
use sea_orm::ActiveEnum as _;
use serde::Deserialize;
use uuid::Uuid;

use super::tabs::{Tab, show};
use crate::access::{self, Action};
use crate::app::App;
use crate::console::viewer::Viewer;
use crate::console::when::{distance, exact};
use crate::engine::event_kind::named_kind;
use crate::error::Error;
use crate::store;
use crate::store::event::{EventCursor, EventFilter};

/// The events of a page.
const PAGE: u64 = 50;

#[derive(Deserialize)]
pub(super) struct Wanted {
    #[serde(default)]
    after: Option<Uuid>,
    #[serde(default)]
    by: String,
}

#[handler]
pub(super) async fn page(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path(id): Path<Uuid>,
    Query(wanted): Query<Wanted>,
) -> poem::Result<Response> {
    let id = OrganizationId(id);
    access::organization(&app.db, &viewer.caller, Action::ViewEvents, id).await?;
    let by = Some(wanted.by.trim().to_owned()).filter(|name| !name.is_empty());
    let filter = EventFilter { triggered_by: by, ..EventFilter::default() };
    let from = wanted.after.map_or(EventCursor::Newest, |id| EventCursor::Behind(EventId(id)));
    let rows = store::event::list(&app.db, id, filter, from, PAGE).await.map_err(Error::from)?;
    let now = app.clock.now();
    let next = rows.last().filter(|_| rows.len() as u64 == PAGE).map(|row| {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("by", &wanted.by).append_pair("after", &row.id.to_string());
        query.finish()
    });
    let body = html! {
        form.row method="get" {
            label { "By " input type="search" name="by" value=(wanted.by); }
            button.quiet type="submit" { "Filter" }
        }
        @if rows.is_empty() { p.card { "There are no events." } } @else {
            div.scroll { table.stacked {
                caption.hidden { "Events" }
                thead { tr { th scope="col" { "When" } th scope="col" { "Who" } th scope="col" { "Did" } th scope="col" { "What" } th scope="col" { "With" } } }
                tbody { @for row in &rows { (line(row, now)) } }
            } }
        }
        nav.pages aria-label="Pages" { @if let Some(next) = next { a href={ "?" (next) } { "Older events" } } }
    };
    Ok(show(app, &viewer, id, (Tab::Events, Some(format!("/organization/{id}/events"))), &body).await?)
}

fn line(row: &Model, now: chrono::DateTime<chrono::Utc>) -> Markup {
    let place = [row.project_name.as_deref(), row.environment_name.as_deref()];
    let place: Vec<&str> = place.into_iter().flatten().collect();
    html! {
        tr {
            td data-label="When" { div { (distance(row.created_at, now)) div.soft { (exact(row.created_at, None)) } } }
            td data-label="Who" { (row.triggered_by) }
            td data-label="Did" { (row.kind) }
            td data-label="What" { div { (named_kind(&row.target, row.sub_target.as_deref())) " " strong { (row.target_name) }
                @if !place.is_empty() { div.soft { (place.join(" / ")) } } } }
            td data-label="With" { (row.origin.to_value()) }
        }
    }
}

//! Who changed what.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use entity::event::Model;
use entity::id::{EventId, OrganizationId, WorkspaceId};
use maud::{Markup, html};
use poem::web::{Data, Path, Query};
use poem::{Response, handler};
use serde::Deserialize;
use uuid::Uuid;

use super::tabs::{Tab, show};
use crate::access::{self, Action};
use crate::app::App;
use crate::console::event_words::{TARGETS, did, what, why};
use crate::console::job::{Names, names, of_event, through};
use crate::console::paths;
use crate::console::viewer::Viewer;
use crate::console::when::{distance, exact};
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
    /// The official target.
    #[serde(default)]
    what: String,
    /// The id of one target.
    of: Option<Uuid>,
}

impl Wanted {
    fn filter(&self) -> EventFilter {
        let given = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        EventFilter {
            triggered_by: given(&self.by),
            target: given(&self.what),
            target_id: self.of,
            ..EventFilter::default()
        }
    }

    fn query(&self, after: EventId) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("by", &self.by).append_pair("what", &self.what);
        if let Some(id) = self.of {
            query.append_pair("of", &id.to_string());
        }
        query.append_pair("after", &after.to_string()).finish()
    }
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
    let from = wanted.after.map_or(EventCursor::Newest, |id| EventCursor::Behind(EventId(id)));
    let rows = store::event::list(&app.db, id, wanted.filter(), from, PAGE).await.map_err(Error::from)?;
    let now = app.clock.now();
    let next = rows.last().filter(|_| rows.len() as u64 == PAGE).map(|row| wanted.query(row.id));
    let names = names(app, id).await?;
    let pages = workspaces(app, &viewer, &rows).await?;
    let body = html! {
        form.row method="get" {
            label { "By " input type="search" name="by" value=(wanted.by); }
            label { "About " (targets(&wanted.what)) }
            @if let Some(id) = wanted.of {
                label { input type="checkbox" name="of" value=(id) checked; " only one of them" }
            }
            button.quiet type="submit" { "Filter" }
        }
        @if rows.is_empty() { p.card { "There are no events." } } @else {
            div.scroll { table.stacked {
                caption.hidden { "Events" }
                thead { tr { th scope="col" { "When" } th scope="col" { "Who" } th scope="col" { "Did" } th scope="col" { "What" } th scope="col" { "With" } th scope="col" { "Change" } } }
                tbody { @for row in &rows { (line(row, now, (&names, &pages))) } }
            } }
        }
        nav.pages aria-label="Pages" { @if let Some(next) = next { a href={ "?" (next) } { "Older events" } } }
    };
    Ok(show(app, &viewer, id, (Tab::Events, Some(format!("/organization/{id}/events"))), &body).await?)
}

fn targets(chosen: &str) -> Markup {
    html! {
        select name="what" {
            option value="" { "anything" }
            @for (target, words) in TARGETS { option value=(target) selected[target == chosen] { (words) } }
        }
    }
}

/// The pages of the workspaces that events are about: of those that are still there, and that the viewer may see.
async fn workspaces(app: &App, viewer: &Viewer, rows: &[Model]) -> Result<HashMap<Uuid, String>, Error> {
    let ids: HashSet<Uuid> =
        rows.iter().filter(|row| row.target == "TERRAFORM").filter_map(|row| row.target_id).collect();
    let mut pages = HashMap::new();
    for id in ids {
        match access::workspace(&app.db, &viewer.caller, WorkspaceId(id)).await {
            Ok((row, _)) => drop(pages.insert(id, paths::workspace(row.id))),
            Err(Error::NotFound(_) | Error::Forbidden(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(pages)
}

fn line(row: &Model, now: DateTime<Utc>, (names, pages): (&Names, &HashMap<Uuid, String>)) -> Markup {
    let to = row.target_id.and_then(|id| pages.get(&id));
    let place = [row.project_name.as_deref(), row.environment_name.as_deref()];
    let place: Vec<&str> = place.into_iter().flatten().collect();
    html! {
        tr {
            td data-label="When" { div { (distance(row.created_at, now)) div.soft { (exact(row.created_at, None)) } } }
            td data-label="Who" { bdi { (row.triggered_by) } }
            td data-label="Did" { span title=(row.kind) { (did(row)) } }
            td data-label="What" { div {
                (what(row)) " "
                strong { @if let Some(to) = to { a href=(to) { (row.target_name) } } @else { (row.target_name) } }
                @if !place.is_empty() { div.soft { (place.join(" / ")) } }
                @if let Some(why) = why(row) { div { (why) } }
            } }
            td data-label="With" { (through(row.origin)) }
            td data-label="Change" {
                @if row.before.is_some() || row.after.is_some() {
                    details { summary { "Show" } (of_event((row.before.as_ref(), row.after.as_ref()), names)) }
                }
            }
        }
    }
}

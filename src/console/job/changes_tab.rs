//! Who changed what of a job.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use entity::deployment::Origin;
use entity::event;
use entity::id::{EventId, JobId};
use maud::{Markup, html};
use poem::web::{Data, Path, Query};
use poem::{Response, handler};
use serde::Deserialize;
use uuid::Uuid;
use windlass_schedule::time_zone::Zone;

use super::difference::{self, Names};
use super::job_frame::{JobTab, frame};
use super::scene::Scene;
use crate::access::{self, Action};
use crate::app::App;
use crate::console::event_words::{did, what};
use crate::console::viewer::Viewer;
use crate::console::when::{when, zone_of};
use crate::console::{paths, reply};
use crate::error::Error;
use crate::store;
use crate::store::event::{EventCursor, EventFilter};

/// How many events a page has.
const PAGE: usize = 50;

/// The query of the page.
#[derive(Deserialize)]
pub(super) struct ChangesQuery {
    before: Option<Uuid>,
}

#[handler]
pub(super) async fn changes(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path(id): Path<Uuid>,
    Query(query): Query<ChangesQuery>,
) -> poem::Result<Response> {
    let scene = Scene::load_any(app, &viewer.caller, Action::View, JobId(id)).await?;
    let organization = scene.job.organization_id;
    access::organization(&app.db, &viewer.caller, Action::ViewEvents, organization).await?;
    let from = query.before.map_or(EventCursor::Newest, |id| EventCursor::Behind(EventId(id)));
    let wanted = EventFilter { target: Some("JOB".into()), target_id: Some(id), ..EventFilter::default() };
    let mut rows =
        store::event::list(&app.db, organization, wanted, from, PAGE as u64 + 1).await.map_err(Error::from)?;
    let has_more = rows.len() > PAGE;
    rows.truncate(PAGE);
    let path = format!("{}/changes", paths::job(scene.job.id));
    let names = difference::names(app, organization).await?;
    let content = html! {
        @if rows.is_empty() { p.soft { "There are no events of this job." } }
        @else { (table(&rows, &names, app.clock.now(), zone_of(&scene.job.spec))) }
        nav.pages aria-label="Pages of events" {
            @if query.before.is_some() { a href=(path) { "Newest events" } }
            @if let Some(last) = rows.last().filter(|_| has_more) { a rel="next" href={ (path) "?before=" (last.id) } { "Earlier events" } }
        }
    };
    let page = frame(&scene, &viewer.caller, JobTab::Changes, "Changes", "", content);
    let api = Some(format!("/organization/{organization}/events?targetId={id}&targetType=JOB"));
    Ok(reply::page(app, &viewer, &crate::console::shell::Page { api, ..page }))
}

fn table(rows: &[event::Model], names: &Names, now: DateTime<Utc>, zone: Option<Zone>) -> Markup {
    html! {
        div.scroll {
            table.stacked {
                caption { "Events, newest first" }
                thead { tr { th scope="col" { "Time" } th scope="col" { "Who" } th scope="col" { "What" } th scope="col" { "Change" } } }
                tbody {
                    @for row in rows {
                        tr {
                            td data-label="Time" { (when(row.created_at, zone, now)) }
                            td data-label="Who" { bdi { (row.triggered_by) } " " span.soft { (through(row.origin)) } }
                            td data-label="What" { span title=(row.kind) { (did(row)) } " " (what(row)) }
                            td data-label="Change" { (change(row, names)) }
                        }
                    }
                }
            }
        }
    }
}

pub(in crate::console) fn through(origin: Origin) -> &'static str {
    match origin {
        Origin::Api => "with the API",
        Origin::Cli => "with the CLI",
        Origin::Console => "in the console",
        Origin::TerraformProvider => "with Terraform",
    }
}

fn change(row: &event::Model, names: &Names) -> Markup {
    html! {
        @if row.before.is_some() || row.after.is_some() {
            details { summary { "Show" } (difference::of_event((row.before.as_ref(), row.after.as_ref()), names)) }
        }
    }
}

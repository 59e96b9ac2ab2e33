//! What two versions of a state differ in, and the resources of one.

use std::sync::Arc;

use entity::id::StateVersionId;
use entity::{state_version, workspace};
use maud::html;
use poem::web::{Data, Path, Query};
use poem::{Response, handler};
use serde::Deserialize;
use uuid::Uuid;

use super::plan_difference::changes;
use super::state_list::{open, page_below};
use crate::app::App;
use crate::console::viewer::Viewer;
use crate::console::{paths, reply};
use crate::engine::terraform_state::{ResourcePage, compare, resources};
use crate::error::{Error, Result};
use crate::store;

/// How many resources a page has.
const PAGE: u64 = 100;

/// A version of the state of a workspace.
pub(super) async fn version(app: &App, of: &workspace::Model, id: Uuid) -> Result<state_version::Model> {
    let row = store::workspace::state(&app.db, of.id, StateVersionId(id)).await?;
    row.ok_or(Error::NotFound("state version"))
}

#[derive(Deserialize)]
pub(super) struct Compared {
    from: Option<Uuid>,
    to: Option<Uuid>,
}

#[handler]
pub(super) async fn comparison(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path(id): Path<Uuid>,
    Query(wanted): Query<Compared>,
) -> poem::Result<Response> {
    let row = open(app, &viewer, id).await?;
    // Who may not see the workspace learns nothing else, so what is missing is not refused before.
    let named = |id: Option<Uuid>| id.ok_or(Error::NotFound("state version"));
    let (before, after) =
        (version(app, &row, named(wanted.from)?).await?, version(app, &row, named(wanted.to)?).await?);
    let title = format!("From serial {} to serial {}", before.serial, after.serial);
    let view = compare(app, before, after).await?;
    let counts = view.counts;
    let is_same = view.resources.is_empty() && view.outputs.is_empty() && !view.more;
    let body = html! {
        h1 { (title) }
        p { strong { (counts.add) " created, " (counts.change) " changed, " (counts.destroy) " deleted." } }
        @if is_same { p { "Both versions describe the same." } }
        (changes(&view, "state"))
        p.hint {
            "What the state marks as sensitive is hidden, with what repeats it, texts under names such as password, and the sensitive \
             variables of the workspace."
        }
    };
    Ok(reply::page(app, &viewer, &page_below(app, &row, (&title, "comparison"), body).await?))
}

#[derive(Default, Deserialize)]
pub(super) struct Wanted {
    page: Option<u64>,
}

#[handler]
pub(super) async fn resource_list(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path((id, state)): Path<(Uuid, Uuid)>,
    Query(wanted): Query<Wanted>,
) -> poem::Result<Response> {
    let row = open(app, &viewer, id).await?;
    let of = version(app, &row, state).await?;
    let page = wanted.page.unwrap_or(1).clamp(1, 100_000);
    let title = format!("Resources of serial {}", of.serial);
    let path = format!("{}/states/{}/resources", paths::workspace(row.id), of.id);
    let ResourcePage { resources, total, is_cut } = resources(app, of, ((page - 1) * PAGE, PAGE)).await?;
    let is_last = page * PAGE >= u64::try_from(total).unwrap_or_default();
    let body = html! {
        h1 { (title) }
        p { (total) @if total == 1 { " resource" } @else { " resources" } "." }
        @if is_cut { p.soft { "The state has more resources than are listed." } }
        @if !resources.is_empty() {
            div.scroll {
                table.stacked {
                    caption.hidden { (title) }
                    thead {
                        tr {
                            th scope="col" { "Address" }
                            th scope="col" { "Type" }
                            th scope="col" { "Provider" }
                            th scope="col" { "Module" }
                        }
                    }
                    tbody {
                        @for one in &resources {
                            tr {
                                td data-label="Address" { code { (one.address) } @if one.mode == "data" { " " span.soft { "data source" } } }
                                td data-label="Type" { (one.kind) }
                                td data-label="Provider" { (one.provider) }
                                td data-label="Module" { @match &one.module { Some(module) => code { (module) }, None => span.soft { "root" } } }
                            }
                        }
                    }
                }
            }
        }
        @if page > 1 { p { a href={ (path) "?page=" (page - 1) } { "Earlier resources" } } }
        @if !is_last { p { a href={ (path) "?page=" (page + 1) } { "Later resources" } } }
    };
    Ok(reply::page(app, &viewer, &page_below(app, &row, (&title, "resources"), body).await?))
}

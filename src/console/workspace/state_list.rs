//! The versions of the state of a workspace: a page of them, and the form that compares two.

use std::sync::Arc;

use entity::id::WorkspaceId;
use entity::workspace;
use maud::{Markup, html};
use poem::web::{Data, Path, Query};
use poem::{Response, handler};
use serde::Deserialize;
use uuid::Uuid;

use crate::access::{self, require_right};
use crate::app::App;
use crate::console::notice::Noticed;
use crate::console::shell::{Page, Section};
use crate::console::viewer::Viewer;
use crate::console::when::distance;
use crate::console::widgets::place;
use crate::console::{paths, reply};
use crate::error::{Error, Result};
use crate::store;
use crate::store::workspace::StateLine;

/// How many versions a page has.
const PAGE: u64 = 50;

#[derive(Default, Deserialize)]
pub(super) struct Wanted {
    page: Option<u64>,
}

/// A page below a workspace, for those who manage its state.
pub(super) async fn open(app: &App, viewer: &Viewer, id: Uuid) -> Result<workspace::Model> {
    let (row, rights) = access::workspace(&app.db, &viewer.caller, WorkspaceId(id)).await?;
    require_right(rights.states)?;
    Ok(row)
}

/// The page of a body, below that of its workspace. `rest` is the end of its address in the API.
pub(super) async fn page_below(
    app: &App,
    row: &workspace::Model,
    (title, rest): (&str, &str),
    body: Markup,
) -> Result<Page> {
    let place = Some(place(app, row.organization_id, Section::Workspaces).await?);
    let api = format!("/tfstate/v1/organization/{}/workspace/{}/{rest}", row.organization_id, row.id);
    let mut trail = vec![(row.name.clone(), paths::workspace(row.id))];
    if title != TITLE {
        trail.push((TITLE.to_owned(), format!("{}/states", paths::workspace(row.id))));
    }
    Ok(Page { title: title.to_owned(), place, trail, body, api: Some(api), live: None })
}

const TITLE: &str = "State versions";

#[handler]
pub(super) async fn show(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path(id): Path<Uuid>,
    Query(wanted): Query<Wanted>,
    Query(noticed): Query<Noticed>,
) -> poem::Result<Response> {
    let row = open(app, &viewer, id).await?;
    let page = wanted.page.unwrap_or(1).clamp(1, 100_000);
    let (lines, count) =
        store::workspace::page_of_states(&app.db, row.id, ((page - 1) * PAGE, PAGE)).await.map_err(Error::from)?;
    let path = paths::workspace(row.id);
    let body = html! {
        div.row.between {
            h1 { "State versions of " (row.name) }
            a.button.quiet href={ (path) "/state-import" } { "Import a state file" }
        }
        (noticed.show())
        @if lines.len() > 1 { (comparison_form(&path, &lines)) }
        (table(app, &path, &lines, page == 1))
        @if page > 1 { p { a href={ (path) "/states?page=" (page - 1) } { "Newer versions" } } }
        @if page * PAGE < count { p { a href={ (path) "/states?page=" (page + 1) } { "Older versions" } } }
        p.hint { "A state may contain secrets in the clear." }
    };
    Ok(reply::page(app, &viewer, &page_below(app, &row, (TITLE, "backend"), body).await?))
}

fn comparison_form(path: &str, lines: &[StateLine]) -> Markup {
    let options = |chosen: usize| {
        html! {
            @for (line, place) in lines.iter().zip(0_usize..) {
                option value=(line.id) selected[place == chosen] { "Serial " (line.serial) ", " (line.created_at.format("%Y-%m-%d %H:%M UTC")) }
            }
        }
    };
    html! {
        form.row method="get" action={ (path) "/state-comparison" } {
            label for="compare-from" { "Compare" }
            select #compare-from name="from" { (options(1)) }
            label for="compare-to" { "with" }
            select #compare-to name="to" { (options(0)) }
            button.quiet type="submit" { "Compare" }
        }
    }
}

/// Who stored a version. The step of a job is named like the job.
pub(super) fn written_by(line: &StateLine) -> Markup {
    let own = line.job_id.map(|job| format!("job {job}"));
    html! {
        @if own.as_ref() != Some(&line.created_by) { (line.created_by) @if own.is_some() { ", " } }
        @if let (Some(job), Some(words)) = (line.job_id, &own) { a href=(paths::workspace_job(job)) { (words) } }
    }
}

fn table(app: &App, path: &str, lines: &[StateLine], is_first: bool) -> Markup {
    let now = app.clock.now();
    html! {
        @if lines.is_empty() { p.soft { "None." } }
        @else {
            div.scroll {
                table.stacked {
                    caption.hidden { "State versions" }
                    thead {
                        tr {
                            th.number scope="col" { "Serial" }
                            th scope="col" { "When" }
                            th scope="col" { "Written by" }
                            th scope="col" { "Why" }
                            th scope="col" { "Actions" }
                        }
                    }
                    tbody {
                        @for (line, place) in lines.iter().zip(0_usize..) {
                            tr {
                                td.number data-label="Serial" { (line.serial) }
                                td data-label="When" { (distance(line.created_at, now)) }
                                td data-label="Written by" { (written_by(line)) }
                                td data-label="Why" { @if let Some(reason) = &line.reason { (reason) } }
                                td data-label="Actions" {
                                    @let of = format!("{path}/states/{}", line.id);
                                    div.row {
                                        a href=(of) { "Download" span.hidden { " serial " (line.serial) } }
                                        a href={ (of) "/resources" } { "Resources" span.hidden { " of serial " (line.serial) } }
                                        @if !(is_first && place == 0) {
                                            a href={ (of) "/rollback" } { "Roll back" span.hidden { " to serial " (line.serial) } }
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
}

//! The workspaces of an organization.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use entity::id::OrganizationId;
use entity::workspace;
use maud::{Markup, html};
use poem::web::{Data, Path, Query};
use poem::{Response, handler};
use uuid::Uuid;

use super::status_words::last;
use crate::access::{self, Caller, reach};
use crate::app::App;
use crate::console::live::{self, Fragment, Live};
use crate::console::notice::Noticed;
use crate::console::shell::{Page, Section};
use crate::console::viewer::Viewer;
use crate::console::when::distance;
use crate::console::widgets::{place, state};
use crate::console::{paths, reply};
use crate::error::Result;
use crate::store;

/// The parts that change.
struct LiveWorkspaces(OrganizationId);

impl Live for LiveWorkspaces {
    async fn fragments(&self, app: &App, caller: &Caller) -> Result<Vec<Fragment>> {
        let id = self.0;
        let rights = access::workspace_rights(&app.db, caller, id).await?;
        let reach = reach::reach(&app.db, caller).await?;
        let rows = store::workspace::list(&app.db, id).await?;
        let rows: Vec<_> = rows.into_iter().filter(|row| reach.in_workspace(id, row.id).view).collect();
        let now = app.clock.now();
        Ok(vec![("workspaces", html! { div #workspaces { (table(&rows, rights.workspaces, now)) } })])
    }

    /// A lock and the status of a job are no starts or ends of runs.
    async fn pulse(&self, app: &App) -> Result<i64> {
        Ok(store::workspace::pulse_of_list(&app.db, self.0).await?)
    }
}

fn table(rows: &[workspace::Model], may_create: bool, now: DateTime<Utc>) -> Markup {
    html! {
        @if rows.is_empty() {
            p {
                "There is no workspace yet. A workspace is a root module in a repository"
                @if may_create { "; create the first one." } @else { "." }
            }
        } @else {
            div.scroll {
                table.stacked {
                    caption.hidden { "Workspaces" }
                    thead {
                        tr {
                            th scope="col" { "Workspace" }
                            th scope="col" { "Last job" }
                            th scope="col" { "Source" }
                            th scope="col" { "Tool" }
                            th scope="col" { "Locks" }
                        }
                    }
                    tbody {
                        @for row in rows {
                            tr {
                                td data-label="Workspace" {
                                    a href=(paths::workspace(row.id)) { (row.name) }
                                    @if let Some(text) = &row.description { div.soft { (text) } }
                                }
                                td data-label="Last job" {
                                    (state(last(&row.last_job_status)))
                                    @if let Some(at) = row.last_job_date { " " (distance(at, now)) }
                                }
                                td data-label="Source" { code { (row.source) } }
                                td data-label="Tool" { (row.iac_type) " " (row.terraform_version) }
                                td data-label="Locks" {
                                    @if row.locked { (state(("queued", "Locked"))) " " }
                                    @if row.state_lock.is_some() { (state(("running", "State locked"))) }
                                    @if !row.locked && row.state_lock.is_none() { span.soft { "none" } }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

#[handler]
pub(super) async fn list(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path(id): Path<Uuid>,
    Query(noticed): Query<Noticed>,
) -> poem::Result<Response> {
    let id = OrganizationId(id);
    let may_create = access::workspace_rights(&app.db, &viewer.caller, id).await?.workspaces;
    let fragments = LiveWorkspaces(id).fragments(app, &viewer.caller).await?;
    let all = paths::organization(id);
    let body = html! {
        div.row.between {
            h1 { "Workspaces" }
            div.row {
                a.button.quiet href={ (all) "/settings/terraform" } { "Templates and logins" }
                @if may_create { a.button href={ (all) "/workspaces/new" } { "New workspace" } }
            }
        }
        (noticed.show())
        @for (_, markup) in &fragments { (markup) }
    };
    let place = Some(place(app, id, Section::Workspaces).await?);
    let api = Some(format!("/api/v1/organization/{id}/workspace"));
    let live = Some(format!("{all}/workspaces/live"));
    let page = Page { title: "Workspaces".into(), place, trail: Vec::new(), body, api, live };
    Ok(reply::page(app, &viewer, &page))
}

#[handler]
pub(super) async fn fresh(Data(app): Data<&Arc<App>>, viewer: Viewer, Path(id): Path<Uuid>) -> poem::Result<Response> {
    access::workspace_rights(&app.db, &viewer.caller, OrganizationId(id)).await?;
    Ok(live::events(app, viewer, LiveWorkspaces(OrganizationId(id))))
}

//! The page of a workspace.

use std::sync::Arc;

use entity::id::WorkspaceId;
use entity::workspace;
use maud::{Markup, html};
use poem::web::{Data, Path, Query};
use poem::{Response, handler};
use serde::Deserialize;
use uuid::Uuid;

use super::found_drift::drift;
use super::sections::{JOBS, jobs, locks, outputs, schedules, states, variables};
use super::webhook_section::webhook;
use crate::access::reach::Rights;
use crate::access::{self, Action, Caller, Location};
use crate::app::App;
use crate::console::live::{self, Fragment, Live};
use crate::console::notice::Noticed;
use crate::console::post_button::{Manner, post_button, token};
use crate::console::shell::{Page, Section};
use crate::console::viewer::Viewer;
use crate::console::widgets::place;
use crate::console::{paths, reply};
use crate::error::Result;
use crate::store;

/// The query of the page.
#[derive(Default, Deserialize)]
pub(super) struct Wanted {
    below: Option<i32>,
}

#[handler]
pub(super) async fn show(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path(id): Path<Uuid>,
    Query(wanted): Query<Wanted>,
    Query(noticed): Query<Noticed>,
) -> poem::Result<Response> {
    let (row, rights) = access::workspace(&app.db, &viewer.caller, WorkspaceId(id)).await?;
    let path = paths::workspace(row.id);
    let all = paths::organization(row.organization_id);
    let sees_events = viewer.caller.may(row.organization_id, Action::ViewEvents, &Location::default());
    let body = html! {
        div.row.between {
            h1 { (row.name) }
            div.row {
                @if sees_events { a.button.quiet href={ (all) "/settings/events?of=" (row.id) } { "Who did what" } }
                @if rights.workspaces { a.button.quiet href={ (path) "/edit" } { "Edit" } }
                @if rights.plan { a.button href={ (path) "/jobs/new" } { "New job" } }
            }
        }
        (noticed.show())
        @if let Some(text) = &row.description { p { (text) } }
        (locks(app, &row).await?)
        (drift(app, &row).await?)
        (lock_buttons(&viewer.csrf, &row, rights))
        section.card aria-labelledby="facts" {
            h2 #facts { "Source" }
            (facts(app, &row).await?)
        }
        h2 { "Jobs" }
        (jobs_of(app, &row, wanted.below).await?)
        @if rights.states {
            h2 { "Outputs" }
            (outputs(app, &row).await?)
            h2 { "State versions" }
            (states(app, &row).await?)
        }
        h2 { "Variables" }
        (variables(app, &viewer, &row, rights).await?)
        h2 { "Schedules" }
        (schedules(app, &viewer, &row, rights).await?)
        h2 { "Runs on push" }
        (webhook(app, &row, rights).await?)
    };
    let place = Some(place(app, row.organization_id, Section::Workspaces).await?);
    let page = Page {
        title: row.name.clone(),
        place,
        trail: vec![("Workspaces".to_owned(), format!("{all}/workspaces"))],
        body,
        api: Some(format!("/api/v1/organization/{}/workspace/{}", row.organization_id, row.id)),
        live: wanted.below.is_none().then(|| format!("{path}/live")),
    };
    Ok(reply::page(app, &viewer, &page))
}

async fn jobs_of(app: &App, row: &workspace::Model, below: Option<i32>) -> Result<Markup> {
    let lines = store::workspace::list_jobs(&app.db, row.id, below, JOBS + 1).await?;
    let names = store::workspace::template_names(&app.db, row.organization_id).await?;
    Ok(jobs(row, &lines, &names, app.clock.now()))
}

async fn facts(app: &App, row: &workspace::Model) -> Result<Markup> {
    let names = store::workspace::template_names(&app.db, row.organization_id).await?;
    let template = names.iter().find(|(id, _)| Some(id.to_string()) == row.default_template).map(|(_, name)| name);
    let cluster = match row.cluster_id {
        Some(id) => store::cluster::by_id(&app.db, id).await?.map(|cluster| cluster.name),
        None => None,
    };
    Ok(html! {
        dl.facts {
            dt { "Repository" }
            dd { code { (row.source) } }
            dt { "Branch" }
            dd { code { (row.branch) } }
            dt { "Folder" }
            dd { code { (row.folder) } }
            dt { "Tool" }
            dd { (row.iac_type) " " @if row.terraform_version.is_empty() { "in the newest installed version" } @else { (row.terraform_version) } }
            dt { "Runs" }
            dd { @if row.execution_mode == "local" { "where people call the tool; the server keeps the state" } @else if let Some(name) = &cluster { "on the cluster " (name) } @else { "here" } }
            @if row.destroy_protection {
                dt { "Protection" }
                dd { "No job destroys, and the workspace is not deleted with a state." }
            }
            dt { code { "terraform.workspace" } }
            dd { code { @if row.sees_name { (row.name) } @else { "default" } } }
            @if let Some(name) = template {
                dt { "Default template" }
                dd { (name) }
            }
        }
    })
}

/// What can be done about the locks as they are now.
fn lock_buttons(csrf: &str, row: &workspace::Model, rights: Rights) -> Markup {
    const REMOVE: &str = "Remove the lock? If its holder is still at work, both may write the state.";
    let path = paths::workspace(row.id);
    html! {
        div #workspace-lock-buttons {
            @if rights.workspaces {
                @if row.locked {
                    p { (post_button(csrf, &format!("{path}/unlock"), "Unlock the workspace", Manner::Quiet)) }
                } @else {
                    details #lock-form {
                        summary { "Lock the workspace" }
                        form.row method="post" action={ (path) "/lock" } {
                            (token(csrf))
                            label for="lock-reason" { "Reason" }
                            input #lock-reason type="text" name="reason" maxlength="2048" autocomplete="off";
                            button.quiet type="submit" { "Lock" }
                        }
                        p.hint { "No new job starts while a workspace is locked. Those that have started go on." }
                    }
                }
            }
            @if rights.states && row.state_lock.is_some() {
                p { (post_button(csrf, &format!("{path}/unlock-state"), "Remove the lock of the state", Manner::Danger(REMOVE))) }
            }
        }
    }
}

/// The parts of the page that change.
struct LiveWorkspace {
    id: WorkspaceId,
    csrf: String,
}

impl Live for LiveWorkspace {
    async fn fragments(&self, app: &App, caller: &Caller) -> Result<Vec<Fragment>> {
        let (row, rights) = access::workspace(&app.db, caller, self.id).await?;
        let jobs = jobs_of(app, &row, None).await?;
        Ok(vec![
            ("workspace-locks", locks(app, &row).await?),
            ("workspace-lock-buttons", lock_buttons(&self.csrf, &row, rights)),
            ("workspace-drift", drift(app, &row).await?),
            ("workspace-jobs", jobs),
        ])
    }
}

#[handler]
pub(super) async fn fresh(Data(app): Data<&Arc<App>>, viewer: Viewer, Path(id): Path<Uuid>) -> poem::Result<Response> {
    let (row, _) = access::workspace(&app.db, &viewer.caller, WorkspaceId(id)).await?;
    let csrf = viewer.csrf.clone();
    Ok(live::events(app, viewer, LiveWorkspace { id: row.id, csrf }))
}

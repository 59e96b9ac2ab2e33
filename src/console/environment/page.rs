//! The page of an environment.

use std::sync::Arc;

use entity::environment;
use entity::id::{DeploymentId, EnvironmentId};
use maud::{Markup, html};
use poem::web::{Data, Path, Query};
use poem::{Response, handler};
use serde::Deserialize;
use uuid::Uuid;

use super::checks_table::checks;
use super::environment_view::{EnvironmentView, Window};
use super::jobs_table::{history, jobs, picture, summary};
use super::state_words::mode_words;
use crate::access::{self, Action, Caller};
use crate::app::App;
use crate::console::live::{self, Fragment, Live};
use crate::console::notice::Noticed;
use crate::console::shell::{Page, Section};
use crate::console::viewer::Viewer;
use crate::console::widgets::{button, place};
use crate::console::{paths, reply};
use crate::error::{Error, Result};
use crate::store;

/// The query of the page.
#[derive(Clone, Default, Deserialize)]
pub(super) struct Wanted {
    page: Option<usize>,
    before: Option<Uuid>,
}

impl Wanted {
    fn window(&self) -> Window {
        Window { page: self.page.unwrap_or(0).min(100_000), before: self.before.map(DeploymentId) }
    }
}

#[handler]
pub(super) async fn show(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path(id): Path<Uuid>,
    Query(wanted): Query<Wanted>,
    Query(noticed): Query<Noticed>,
) -> poem::Result<Response> {
    let row = access::environment(&app.db, &viewer.caller, Action::View, EnvironmentId(id)).await?;
    let (window, now) = (wanted.window(), app.clock.now());
    let view = EnvironmentView::read(app, row.id, window).await?;
    let project = store::project::by_id(&app.db, row.project_id).await.map_err(Error::from)?;
    let cluster = store::environment::cluster_of(&app.db, &row).await.map_err(Error::from)?;
    let path = paths::environment(row.id);
    let body = html! {
        div.row.between {
            h1 { (row.name) }
            (actions(&viewer, &row, &view))
        }
        (noticed.show())
        (summary(&view, now))
        p.soft {
            (mode_words(row.mode)) " · cluster " (cluster.name)
            @if let Some(project) = &project { " · project " (project.name) }
        }
        nav.tabs aria-label="Environment" {
            a href=(path) aria-current="page" { "Jobs" }
            a href={ (path) "/variables" } { "Variables" }
        }
        h2 { "Stages" }
        (picture(&row, &view))
        h2 { "Jobs" }
        @if view.total == 0 { (first_job(&viewer, &row)) }
        @else { (jobs(&row, &view, window, now)) }
        (checks(&row, &view, now))
        h2 { "Deployments" }
        (history(&row, &view, now))
        (more_actions(&viewer, &row))
    };
    let place = Some(place(app, row.organization_id, Section::Environments).await?);
    let trail = vec![("Environments".to_owned(), format!("{}/environments", paths::organization(row.organization_id)))];
    // Older pages stay as they are.
    let is_newest = window.before.is_none();
    let live = is_newest.then(|| format!("{path}/live?page={}", window.page));
    let api = Some(format!("/environment/{}/statuses", row.id));
    let page = Page { title: row.name.clone(), place, trail, body, api, live };
    Ok(reply::page(app, &viewer, &page))
}

/// Whether the viewer may take an action in an environment.
fn may(viewer: &Viewer, row: &environment::Model, action: Action) -> bool {
    viewer.caller.may(row.organization_id, action, &access::location(row))
}

fn actions(viewer: &Viewer, row: &environment::Model, view: &EnvironmentView) -> Markup {
    let to = |word: &str| format!("{}/action/{word}", paths::environment(row.id));
    // The newest may have been cancelled before an older one has ended.
    let open = view.snapshot.last().is_open() || view.deployments.iter().any(|row| !row.progress.is_final());
    let deploy = if view.outdated > 0 || view.deployments.is_empty() { "Deploy" } else { "Redeploy" };
    html! {
        @if may(viewer, row, Action::Deploy) {
            div.row {
                (button(viewer, &to("deploy"), deploy, "", None))
                (button(viewer, &to("stop"), "Stop", "quiet", Some("Stop all jobs of this environment? Their schedules end until the next deployment.")))
                @if open {
                    (button(viewer, &to("cancel"), "Cancel", "quiet", None))
                    (button(viewer, &to("cancel-runs"), "Cancel and interrupt", "danger", Some("Cancel, and interrupt the commands that are running?")))
                }
            }
        }
    }
}

fn more_actions(viewer: &Viewer, row: &environment::Model) -> Markup {
    let path = paths::environment(row.id);
    let (may_deploy, may_manage) = (may(viewer, row, Action::Deploy), may(viewer, row, Action::Manage));
    html! {
        @if may_deploy || may_manage {
            section.card aria-labelledby="more" {
                h2 #more { "More" }
                div.row {
                    @if may_manage {
                        a.button.quiet href={ (path) "/jobs/new" } { "New job" }
                        a.button.quiet href={ (path) "/checks/new" } { "New check" }
                        a.button.quiet href={ (path) "/edit" } { "Rename or change the mode" }
                        a.button.quiet href={ (path) "/clone" } { "Clone" }
                    }
                    @if may_deploy {
                        a.button.quiet href={ (path) "/deploy-jobs" } { "Deploy some jobs…" }
                        (button(viewer, &format!("{path}/action/uninstall"), "Uninstall", "danger", Some("Remove everything that is deployed? The configuration is kept.")))
                    }
                    @if may_manage {
                        (button(viewer, &format!("{path}/action/delete"), "Delete", "danger", Some("Delete this environment with all of its jobs and variables? This cannot be undone.")))
                    }
                }
            }
        }
    }
}

fn first_job(viewer: &Viewer, row: &environment::Model) -> Markup {
    html! {
        p {
            "There is no job yet. "
            @if may(viewer, row, Action::Manage) {
                a href={ (paths::environment(row.id)) "/jobs/new" } { "Create the first one" } "."
            }
        }
    }
}

/// The parts of the page that change.
struct LiveEnvironment {
    id: EnvironmentId,
    window: Window,
}

impl Live for LiveEnvironment {
    async fn fragments(&self, app: &App, caller: &Caller) -> Result<Vec<Fragment>> {
        let row = access::environment(&app.db, caller, Action::View, self.id).await?;
        let view = EnvironmentView::read(app, row.id, self.window).await?;
        let now = app.clock.now();
        let mut fragments = vec![
            ("environment-state", summary(&view, now)),
            ("environment-stages", picture(&row, &view)),
            ("environment-checks", checks(&row, &view, now)),
            ("environment-history", history(&row, &view, now)),
        ];
        if view.total > 0 {
            fragments.push(("environment-jobs", jobs(&row, &view, self.window, now)));
        }
        Ok(fragments)
    }
}

#[handler]
pub(super) async fn fresh(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path(id): Path<Uuid>,
    Query(wanted): Query<Wanted>,
) -> poem::Result<Response> {
    let row = access::environment(&app.db, &viewer.caller, Action::View, EnvironmentId(id)).await?;
    Ok(live::events(app, viewer, LiveEnvironment { id: row.id, window: wanted.window() }))
}

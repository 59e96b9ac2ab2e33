//! The projects of an organization with their environments.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use entity::id::{ClusterId, EnvironmentId, OrganizationId};
use entity::{environment, project};
use maud::{Markup, html};
use poem::web::{Data, Path, Query};
use poem::{Response, handler};
use uuid::Uuid;

use super::state_words::{mode_words, of_freshness, shown};
use crate::access::{self, Action, Location};
use crate::app::App;
use crate::console::notice::Noticed;
use crate::console::shell::{Page, Section};
use crate::console::viewer::Viewer;
use crate::console::when::distance;
use crate::console::widgets::{place, state};
use crate::console::{paths, reply};
use crate::engine::state::EnvironmentSnapshot;
use crate::error::{Error, Result};
use crate::store;

/// One line of the list.
struct Line {
    row: environment::Model,
    snapshot: EnvironmentSnapshot,
    jobs: i64,
}

/// What the page shows, as far as the viewer may see it.
struct Listing {
    projects: Vec<(project::Model, Vec<Line>)>,
    clusters: HashMap<ClusterId, String>,
}

impl Listing {
    async fn read(app: &App, viewer: &Viewer, id: OrganizationId) -> Result<Self> {
        let caller = &viewer.caller;
        let seen = |of: &project::Model| {
            caller.may(id, Action::View, &Location { project: Some(of.id), ..Location::default() })
        };
        let projects = store::project::list_by_organization(&app.db, id).await?;
        let rows = store::environment::list_by_organization(&app.db, id).await?;
        let rows: Vec<_> =
            rows.into_iter().filter(|row| caller.may(id, Action::View, &access::location(row))).collect();
        let counts = store::job::count_by_environment(&app.db, id).await?;
        let ids: Vec<EnvironmentId> = rows.iter().map(|row| row.id).collect();
        let mut snapshots = store::snapshot(&app.db, async |tx| {
            let mut all = HashMap::new();
            for id in &ids {
                all.insert(*id, EnvironmentSnapshot::read(tx, *id, |_, _| ()).await?);
            }
            Ok::<_, Error>(all)
        })
        .await?;
        let mut lines: HashMap<_, Vec<Line>> = HashMap::new();
        for row in rows {
            let snapshot = snapshots.remove(&row.id).unwrap_or_default();
            let jobs = counts.get(&row.id).copied().unwrap_or(0);
            lines.entry(row.project_id).or_default().push(Line { row, snapshot, jobs });
        }
        let of = |project: project::Model| {
            let lines = lines.remove(&project.id).unwrap_or_default();
            (project, lines)
        };
        let projects = projects.into_iter().filter(seen).map(of).collect();
        let clusters = store::cluster::list_by_organization(&app.db, id).await?;
        Ok(Self { projects, clusters: clusters.into_iter().map(|row| (row.id, row.name)).collect() })
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
    access::organization(&app.db, &viewer.caller, Action::View, id).await?;
    let listing = Listing::read(app, &viewer, id).await?;
    let may_create = viewer.caller.may(id, Action::CreateProject, &Location::default());
    let now = app.clock.now();
    let body = html! {
        div.row.between {
            h1 { "Environments" }
            @if may_create { a.button href={ (paths::organization(id)) "/projects/new" } { "New project" } }
        }
        (noticed.show())
        @if listing.projects.is_empty() {
            p {
                "There is no project yet. "
                @if may_create { "Create one, then an environment in it, and then its jobs." }
                @else { "Somebody with the role DevOps or above can create one." }
            }
        }
        @for (project, lines) in &listing.projects { (project_card(&viewer, project, lines, &listing.clusters, now)) }
    };
    let api = Some(format!("/organization/{id}/environments"));
    let place = Some(place(app, id, Section::Environments).await?);
    let page = Page { title: "Environments".into(), place, trail: Vec::new(), body, api, live: None };
    Ok(reply::page(app, &viewer, &page))
}

fn project_card(
    viewer: &Viewer,
    project: &project::Model,
    lines: &[Line],
    clusters: &HashMap<ClusterId, String>,
    now: DateTime<Utc>,
) -> Markup {
    let may_create = may_create_environment(viewer, project, clusters);
    html! {
        section.card aria-labelledby={ "project-" (project.id) } {
            div.row.between {
                h2 id={ "project-" (project.id) } { (project.name) }
                div.row {
                    a href={ (paths::project(project.id)) "/variables" } { "Variables" span.hidden { " of " (project.name) } }
                    @if may_create {
                        a.button.quiet href={ (paths::project(project.id)) "/environments/new" } {
                            "New environment" span.hidden { " in " (project.name) }
                        }
                    }
                }
            }
            @if !project.description.is_empty() { p.soft { (project.description) } }
            @if lines.is_empty() { p.soft { "No environments yet." } }
            @else { (environments_table(project, lines, clusters, now)) }
        }
    }
}

fn environments_table(
    project: &project::Model,
    lines: &[Line],
    clusters: &HashMap<ClusterId, String>,
    now: DateTime<Utc>,
) -> Markup {
    html! {
        div.scroll {
            table.stacked {
                caption.hidden { "Environments of " (project.name) }
                thead {
                    tr {
                        th scope="col" { "Environment" }
                        th scope="col" { "State" }
                        th scope="col" { "Mode" }
                        th scope="col" { "Cluster" }
                        th.number scope="col" { "Jobs" }
                        th scope="col" { "Last deployment" }
                    }
                }
                tbody {
                    @for Line { row, snapshot, jobs } in lines {
                        tr {
                            td data-label="Environment" { a href=(paths::environment(row.id)) { (row.name) } }
                            td data-label="State" {
                                (state(shown(snapshot.environment())))
                                @if let Some(words) = of_freshness(snapshot.freshness()) { " " span.soft { (words) } }
                            }
                            td data-label="Mode" { (mode_words(row.mode)) }
                            td data-label="Cluster" {
                                @if let Some(name) = clusters.get(&row.cluster_id) { (name) }
                            }
                            td.number data-label="Jobs" { (jobs) }
                            td data-label="Last deployment" { (last(snapshot, now)) }
                        }
                    }
                }
            }
        }
    }
}

fn last(snapshot: &EnvironmentSnapshot, now: DateTime<Utc>) -> Markup {
    html! {
        @match &snapshot.newest {
            Some(row) => {
                a href=(paths::deployment(row.id)) { (distance(row.started_at.unwrap_or(row.created_at), now)) }
                " by " (row.triggered_by)
            }
            None => span.soft { "never" },
        }
    }
}

/// Whether the viewer may create an environment of any mode on any cluster.
fn may_create_environment(viewer: &Viewer, project: &project::Model, clusters: &HashMap<ClusterId, String>) -> bool {
    super::state_words::MODES
        .into_iter()
        .any(|mode| clusters.keys().any(|id| access::new_environment(&viewer.caller, project, mode, *id).is_ok()))
}

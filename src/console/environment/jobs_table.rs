//! The parts of the page of an environment that change while it is open.

use chrono::{DateTime, Utc};
use entity::environment;
use maud::{Markup, html};

use super::environment_view::{DEPLOYMENTS, EnvironmentView, JOBS, JobLine, Window};
use super::state_words::{of_deployment, of_freshness, of_progress, of_shown, shown};
use crate::console::paths;
use crate::console::picture::stage_columns::{StageColumn, StageEntry, stages};
use crate::console::when::distance;
use crate::console::widgets::{state, took};

/// The state of the whole environment.
pub(super) fn summary(view: &EnvironmentView, now: DateTime<Utc>) -> Markup {
    html! {
        div.row #environment-state role="status" {
            (state(shown(view.snapshot.environment())))
            @if view.outdated > 0 {
                span { (view.outdated) " of " (view.total) " jobs out of date: their configuration or variables have changed since they were deployed" }
            }
            @if let Some(row) = &view.snapshot.newest {
                span.soft {
                    "Last: "
                    a href=(paths::deployment(row.id)) { (of_deployment(row)) }
                    " by " (row.triggered_by) ", " (distance(row.started_at.unwrap_or(row.created_at), now))
                }
            }
        }
    }
}

/// The stages as a picture.
pub(super) fn picture(row: &environment::Model, view: &EnvironmentView) -> Markup {
    let entry = |line: &JobLine| {
        let (shade, words) = of_shown(line.state.shown);
        StageEntry { name: line.name.clone(), href: paths::job(line.state.id), shade, state: words.to_owned() }
    };
    let column = |stage: &entity::stage::Model| StageColumn {
        name: stage.name.clone(),
        jobs: view.jobs.iter().filter(|line| line.state.stage == Some(stage.id)).map(entry).collect(),
    };
    let columns: Vec<StageColumn> = view.stages.iter().map(column).collect();
    html! { div #environment-stages { (stages(&columns, &row.name)) } }
}

/// The jobs as a table.
pub(super) fn jobs(row: &environment::Model, view: &EnvironmentView, window: Window, now: DateTime<Utc>) -> Markup {
    let stage = |line: &JobLine| {
        view.stages.iter().find(|stage| Some(stage.id) == line.state.stage).map(|stage| stage.name.as_str())
    };
    let path = paths::environment(row.id);
    html! {
        div #environment-jobs {
            div.scroll {
                table.stacked {
                    caption.hidden { "Jobs of " (row.name) }
                    thead {
                        tr {
                            th scope="col" { "Job" }
                            th scope="col" { "State" }
                            th scope="col" { "Stage" }
                            th scope="col" { "Next time" }
                        }
                    }
                    tbody {
                        @for line in &view.jobs {
                            tr {
                                td data-label="Job" { a href=(paths::job(line.state.id)) { (line.name) } }
                                td data-label="State" {
                                    (state(shown(line.state.shown)))
                                    @if let Some(words) = of_freshness(line.state.freshness) { " " (state(("queued", words))) }
                                }
                                td data-label="Stage" { @if let Some(name) = stage(line) { (name) } }
                                td data-label="Next time" { (next(line, now)) }
                            }
                        }
                    }
                }
            }
            @if view.total > JOBS {
                nav.pages aria-label="Pages of jobs" {
                    @if window.page > 0 { a href={ (path) "?page=" (window.page - 1) } { "Previous jobs" } }
                    span { "Jobs " (window.page * JOBS + 1) " to " (window.page * JOBS + view.jobs.len()) " of " (view.total) }
                    @if (window.page + 1) * JOBS < view.total { a href={ (path) "?page=" (window.page + 1) } { "More jobs" } }
                }
            }
        }
    }
}

fn next(line: &JobLine, now: DateTime<Utc>) -> Markup {
    html! {
        @match (line.next, line.is_scheduled) {
            (Some(at), _) => {
                @match &line.held { Some(held) => (held.show(at, &line.spec, now)), None => (distance(at, now)) }
            }
            (None, true) => span.soft { "not scheduled until it is deployed" },
            (None, false) => span.soft { "when it is deployed" },
        }
    }
}

/// The history of deployments.
pub(super) fn history(row: &environment::Model, view: &EnvironmentView, now: DateTime<Utc>) -> Markup {
    let shown = view.deployments.iter().take(usize::try_from(DEPLOYMENTS).unwrap_or(usize::MAX));
    let more = view.deployments.get(usize::try_from(DEPLOYMENTS).unwrap_or(usize::MAX)).is_some();
    html! {
        div #environment-history {
            @if view.deployments.is_empty() { p.soft { "Nothing was deployed yet." } }
            @else {
                div.scroll {
                    table.stacked {
                        caption.hidden { "Deployments of " (row.name) }
                        thead {
                            tr {
                                th.number scope="col" { "Number" }
                                th scope="col" { "What" }
                                th scope="col" { "State" }
                                th scope="col" { "Who" }
                                th scope="col" { "When" }
                                th scope="col" { "Took" }
                            }
                        }
                        tbody {
                            @for of in shown.clone() {
                                tr {
                                    td.number data-label="Number" { a href=(paths::deployment(of.id)) { (of.number) } }
                                    td data-label="What" { (of_deployment(of)) }
                                    td data-label="State" { (state(of_progress(of.progress, of.cancel_requested_at.is_some()))) }
                                    td data-label="Who" { (of.triggered_by) }
                                    td data-label="When" { (distance(of.created_at, now)) }
                                    td data-label="Took" { (took(of.started_at, of.finished_at, now)) }
                                }
                            }
                        }
                    }
                }
            }
            @if let Some(last) = shown.clone().next_back().filter(|_| more) {
                p { a href={ (paths::environment(row.id)) "?before=" (last.id) } { "Earlier deployments" } }
            }
        }
    }
}

//! The parts of the page of a deployment that change while it is open.

use chrono::{DateTime, SecondsFormat, Utc};
use entity::deployment::{self, Origin, Progress, Scope};
use entity::{deployment_job, job};
use maud::{Markup, html};

use crate::console::environment::{of_deployment, of_progress};
use crate::console::paths;
use crate::console::when::distance;
use crate::console::widgets::{state, took};
use crate::engine::state::{DeploymentLogEntry, DeploymentParts};

/// Who requested it, when, why it ended as it did.
pub(super) fn summary(row: &deployment::Model, now: DateTime<Utc>) -> Markup {
    let deployment::Model { created_at, started_at, finished_at, cancel_requested_at, reason, .. } = row;
    html! {
        div #deployment-state role="status" {
            dl.facts {
                dt { "State" }
                dd { (state(of_progress(row.progress, cancel_requested_at.is_some()))) }
                dt { "What" }
                dd {
                    (of_deployment(row))
                    @if row.rows_only { ", without running commands and without removing what is deployed" }
                }
                dt { "Requested" }
                dd { (distance(*created_at, now)) " by " (row.triggered_by) " (" (origin(row.origin)) ")" }
                @if let Some(at) = started_at {
                    dt { "Started" }
                    dd { (distance(*at, now)) }
                    dt { "Took" }
                    dd { (took(Some(*at), *finished_at, now)) @if finished_at.is_none() { " so far" } }
                }
                @if started_at.is_none() && row.progress == Progress::Queued {
                    dt { "Waits for" }
                    dd { "the deployments of this environment that were requested before" }
                }
                @if let Some(at) = cancel_requested_at {
                    dt { "Cancelled" }
                    dd { (distance(*at, now)) }
                }
                @if let Some(reason) = reason {
                    dt { "Reason" }
                    dd { (reason) }
                }
            }
        }
    }
}

fn origin(origin: Origin) -> &'static str {
    match origin {
        Origin::Api => "API",
        Origin::Cli => "command line",
        Origin::Console => "console",
        Origin::TerraformProvider => "Terraform",
    }
}

/// The parts, stage by stage.
pub(super) fn parts(row: &deployment::Model, found: &DeploymentParts, now: DateTime<Utc>) -> Markup {
    let stages = found.stages(row.id);
    html! {
        div #deployment-parts {
            @if stages.is_empty() {
                p.soft { @if row.scope == Scope::Environment { "The environment has no jobs." } @else { "Its jobs have been deleted." } }
            }
            @for (name, parts) in &stages {
                h3 { @if name.is_empty() { "Stage" } @else { (name) } }
                div.scroll {
                    table.stacked {
                        caption.hidden { "Parts of the stage " (name) }
                        thead {
                            tr {
                                th scope="col" { "Job" }
                                th scope="col" { "State" }
                                th scope="col" { "Runs" }
                                th scope="col" { "Started" }
                                th scope="col" { "Took" }
                            }
                        }
                        tbody { @for (part, job) in parts { (part_line(row, part, job, now)) } }
                    }
                }
            }
        }
    }
}

fn part_line(row: &deployment::Model, part: &deployment_job::Model, job: &job::Model, now: DateTime<Utc>) -> Markup {
    html! {
        tr {
            td data-label="Job" {
                a href=(paths::job(job.id)) { (job.name) }
                @if let Some(event) = part.forced_event { " " span.soft { "only " (event.name()) } }
            }
            td data-label="State" { (state(of_progress(part.progress, row.cancel_requested_at.is_some()))) }
            td data-label="Runs" {
                @if let Some(id) = part.build_run_id { a href=(paths::run(id)) { "Build" } " " }
                @match part.run_id {
                    Some(id) => a href=(paths::run(id)) { "Run and its log" },
                    None => span.soft { "–" },
                }
                @if let Some(commit) = &part.commit_id { " " code { (commit.get(..12).unwrap_or(commit)) } }
            }
            td data-label="Started" {
                @match part.started_at { Some(at) => (distance(at, now)), None => span.soft { "–" } }
            }
            td data-label="Took" { (took(part.started_at, part.finished_at, now)) }
        }
    }
}

/// The log of the deployment.
pub(super) fn log(entries: &[DeploymentLogEntry], row: &deployment::Model) -> Markup {
    html! {
        div #deployment-log {
            div.scroll {
                table.code {
                    caption.hidden { "Log of deployment " (row.number) }
                    thead { tr { th scope="col" { "Time (UTC)" } th scope="col" { "Job" } th scope="col" { "What happened" } } }
                    tbody {
                        @for entry in entries {
                            tr {
                                td { time datetime=(entry.at.to_rfc3339_opts(SecondsFormat::Millis, true)) { (entry.at.format("%H:%M:%S%.3f")) } }
                                td {
                                    @if let Some((id, name)) = &entry.job { a href=(paths::job(*id)) { (name) } }
                                }
                                td { span class=[entry.is_error.then_some("problem")] { (entry.text) } }
                            }
                        }
                    }
                }
            }
        }
    }
}

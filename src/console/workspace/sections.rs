//! The sections of the page of a workspace.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use entity::id::TemplateId;
use entity::{workspace, workspace_step};
use maud::{Markup, html};

use super::state_list::written_by;
use super::status_words::status;
use crate::access::reach::Rights;
use crate::app::App;
use crate::console::paths;
use crate::console::viewer::Viewer;
use crate::console::when::distance;
use crate::console::widgets::{button, state};
use crate::engine::terraform_state;
use crate::error::{Error, Result};
use crate::store;
use crate::store::workspace::JobLine;

/// How many jobs one page has.
pub(super) const JOBS: u64 = 20;

/// How many state versions are listed.
const STATES: u64 = 20;

/// What holds the workspace back.
pub(super) async fn locks(app: &App, row: &workspace::Model) -> Result<Markup> {
    let step = match row.state_lock_step {
        Some(id) => store::row::by_id::<workspace_step::Model>(&app.db, id).await?,
        None => None,
    };
    Ok(held(row, step.map(|step| step.job_id), app.clock.now()))
}

/// `job` is the one whose step has locked the state, if it is one.
fn held(row: &workspace::Model, job: Option<i32>, now: DateTime<Utc>) -> Markup {
    let holder = |key: &str| row.state_lock.as_ref().and_then(|lock| lock.get(key)).and_then(|value| value.as_str());
    let since = holder("Created").and_then(|text| DateTime::parse_from_rfc3339(text).ok());
    html! {
        div #workspace-locks role="status" {
            @if row.locked {
                p.notice {
                    "The workspace is locked"
                    @if let Some(who) = &row.locked_by { " by " bdi { (who) } }
                    @if let Some(at) = row.locked_at { ", " (distance(at, now)) "," }
                    " so that no new job starts"
                    @match &row.lock_description { Some(text) => { ": " (text) } None => "." }
                }
            }
            @if row.state_lock.is_some() {
                p.notice {
                    "The state is locked"
                    @if let Some(job) = job { " by " a href=(paths::workspace_job(job)) { "job " (job) } }
                    @else if let Some(who) = holder("Who") { " by " (who) }
                    @if let Some(what) = holder("Operation") { " (" (what) ")" }
                    @if let Some(at) = since { ", " (distance(at.to_utc(), now)) }
                    "."
                }
            }
        }
    }
}

/// The jobs, newest first.
pub(super) fn jobs(
    row: &workspace::Model,
    lines: &[JobLine],
    templates: &[(TemplateId, String)],
    now: DateTime<Utc>,
) -> Markup {
    let most = usize::try_from(JOBS).unwrap_or(usize::MAX);
    let template = |line: &JobLine| {
        templates.iter().find(|(id, _)| Some(id.to_string()) == line.template_reference).map(|(_, name)| name)
    };
    html! {
        div #workspace-jobs {
            @if lines.is_empty() { p.soft { "No job was started yet." } }
            @else {
                div.scroll {
                    table.stacked {
                        caption.hidden { "Jobs of " (row.name) }
                        thead {
                            tr {
                                th.number scope="col" { "Job" }
                                th scope="col" { "Status" }
                                th scope="col" { "Template" }
                                th scope="col" { "Who" }
                                th scope="col" { "When" }
                                th scope="col" { "Comment" }
                            }
                        }
                        tbody {
                            @for line in lines.iter().take(most) {
                                tr {
                                    td.number data-label="Job" { a href=(paths::workspace_job(line.id)) { (line.id) } }
                                    td data-label="Status" {
                                        (state(status(line.status)))
                                        @if !line.plan_changes { " " span.soft { "no changes" } }
                                    }
                                    td data-label="Template" {
                                        @match template(line) { Some(name) => (name), None => span.soft { "its own" } }
                                    }
                                    td data-label="Who" { (line.created_by) " (" (line.via) ")" }
                                    td data-label="When" { (distance(line.created_at, now)) }
                                    td data-label="Comment" { @if let Some(text) = &line.comments { (text) } }
                                }
                            }
                        }
                    }
                }
                @if let (true, Some(last)) = (lines.len() > most, lines.get(most.saturating_sub(1))) {
                    p { a href={ (paths::workspace(row.id)) "?below=" (last.id) } { "Earlier jobs" } }
                }
            }
        }
    }
}

/// The outputs of the newest state.
pub(super) async fn outputs(app: &App, row: &workspace::Model) -> Result<Markup> {
    let Some(newest) = store::workspace::newest_state(&app.db, row.id).await? else {
        return Ok(html! { p.soft { "There is no state yet. An apply writes the first one." } });
    };
    let state = match terraform_state::read(app, newest).await {
        Ok(state) => state,
        Err(Error::Conflict(_)) => {
            return Ok(html! { p.soft { "The state is too large to be shown. Download it instead." } });
        }
        Err(error) => return Err(error),
    };
    let read = tokio::task::spawn_blocking(move || terraform_state::outputs(&state)).await.map_err(Error::internal)?;
    let Ok(outputs) = read else {
        return Ok(html! { p.soft { "The state has a format that cannot be shown. Download it instead." } });
    };
    Ok(html! {
        @if outputs.is_empty() { p.soft { "The module has no outputs." } }
        @else {
            div.scroll {
                table.stacked {
                    caption.hidden { "Outputs of " (row.name) }
                    thead { tr { th scope="col" { "Name" } th scope="col" { "Value" } } }
                    tbody {
                        @for output in &outputs {
                            tr {
                                td data-label="Name" { code { (output.name) } }
                                td data-label="Value" {
                                    @match &output.value { Some(value) => code { (value) }, None => span.soft { "sensitive" } }
                                }
                            }
                        }
                    }
                }
            }
        }
    })
}

/// The newest versions of the state.
pub(super) async fn states(app: &Arc<App>, row: &workspace::Model) -> Result<Markup> {
    let lines = store::workspace::list_states(&app.db, row.id, STATES).await?;
    let now = app.clock.now();
    Ok(html! {
        @if lines.is_empty() {
            p.soft { "None." }
            p { a.button.quiet href={ (paths::workspace(row.id)) "/state-import" } { "Import a state file" } }
        } @else {
            div.scroll {
                table.stacked {
                    caption.hidden { "State versions of " (row.name) }
                    thead {
                        tr {
                            th.number scope="col" { "Serial" }
                            th scope="col" { "When" }
                            th scope="col" { "Written by" }
                            th scope="col" { "File" }
                        }
                    }
                    tbody {
                        @for line in &lines {
                            tr {
                                td.number data-label="Serial" { (line.serial) }
                                td data-label="When" { (distance(line.created_at, now)) }
                                td data-label="Written by" { (written_by(line)) }
                                td data-label="File" {
                                    a href={ (paths::workspace(row.id)) "/states/" (line.id) } { "Download" span.hidden { " serial " (line.serial) } }
                                }
                            }
                        }
                    }
                }
            }
            p.hint { "A state may contain secrets in the clear." }
            p { a.button.quiet href={ (paths::workspace(row.id)) "/states" } { "All versions: compare, roll back" } }
        }
    })
}

/// The variables, with those of all workspaces.
pub(super) async fn variables(app: &App, viewer: &Viewer, row: &workspace::Model, rights: Rights) -> Result<Markup> {
    let mut rows = store::workspace::variables(&app.db, row.organization_id, row.id).await?;
    rows.sort_by(|one, other| one.key.cmp(&other.key));
    let path = format!("{}/variables", paths::workspace(row.id));
    Ok(html! {
        @if rights.workspaces { p { a.button.quiet href={ (path) "/new" } { "New variable" } } }
        @if rows.is_empty() { p.soft { "None." } }
        @else {
            div.scroll {
                table.stacked {
                    caption.hidden { "Variables of " (row.name) }
                    thead {
                        tr {
                            th scope="col" { "Name" }
                            th scope="col" { "Value" }
                            th scope="col" { "For" }
                            @if rights.workspaces { th scope="col" { "Actions" } }
                        }
                    }
                    tbody {
                        @for one in &rows {
                            tr {
                                td data-label="Name" {
                                    code { (one.key) }
                                    @if let Some(text) = &one.description { div.soft { (text) } }
                                }
                                td data-label="Value" {
                                    @if one.sensitive { span.soft { "sensitive" } }
                                    @else { code { (one.value.as_deref().unwrap_or_default()) } }
                                    @if one.hcl { " " span.soft { "HCL" } }
                                }
                                td data-label="For" {
                                    @if one.category == "ENV" { "environment" } @else { "Terraform" }
                                    @if one.workspace_id.is_none() { ", all workspaces" }
                                }
                                @if rights.workspaces {
                                    td data-label="Actions" {
                                        @if one.workspace_id.is_some() {
                                            div.row {
                                                a href={ (path) "/" (one.id) "/edit" } { "Edit" span.hidden { " " (one.key) } }
                                                (button(viewer, &format!("{path}/{}/delete", one.id), "Delete", "quiet",
                                                    Some(&format!("Delete the variable {}?", one.key))))
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
    })
}

/// The schedules.
pub(super) async fn schedules(app: &App, viewer: &Viewer, row: &workspace::Model, rights: Rights) -> Result<Markup> {
    let rows = store::workspace::list_schedules(&app.db, row.id).await?;
    let names = store::workspace::template_names(&app.db, row.organization_id).await?;
    let (path, now) = (format!("{}/schedules", paths::workspace(row.id)), app.clock.now());
    let template = |reference: &Option<String>| {
        names.iter().find(|(id, _)| Some(id.to_string()) == *reference).map(|(_, name)| name.clone())
    };
    Ok(html! {
        @if rights.workspaces { p { a.button.quiet href={ (path) "/new" } { "New schedule" } } }
        @if rows.is_empty() { p.soft { "None." } }
        @else {
            div.scroll {
                table.stacked {
                    caption.hidden { "Schedules of " (row.name) }
                    thead {
                        tr {
                            th scope="col" { "Schedule (UTC)" }
                            th scope="col" { "Template" }
                            th scope="col" { "Next time" }
                            @if rights.workspaces { th scope="col" { "Actions" } }
                        }
                    }
                    tbody {
                        @for one in &rows {
                            tr {
                                td data-label="Schedule (UTC)" {
                                    code { (one.cron) }
                                    @if let Some(text) = &one.description { div.soft { (text) } }
                                }
                                td data-label="Template" {
                                    @if one.refresh_only { "looks for drift" }
                                    @else { @match template(&one.template_reference) { Some(name) => (name), None => span.soft { "its own, or the default" } } }
                                }
                                td data-label="Next time" {
                                    @match one.next_run_at { Some(at) => (distance(at, now)), None => span.soft { "disabled" } }
                                }
                                @if rights.workspaces {
                                    td data-label="Actions" {
                                        div.row {
                                            a href={ (path) "/" (one.id) "/edit" } { "Edit" span.hidden { " " (one.cron) } }
                                            (button(viewer, &format!("{path}/{}/delete", one.id), "Delete", "quiet", Some("Delete this schedule?")))
                                        }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    })
}

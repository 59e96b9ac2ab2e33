//! What a page says about the webhook of a workspace: what is followed, what was delivered, and what pushed a job.

use chrono::{DateTime, Utc};
use entity::id::TemplateId;
use entity::push_feedback::FeedbackKind;
use entity::webhook_delivery::DeliveryState;
use entity::workspace_push::{Model, PushEvent, PushOutcome};
use entity::{push_feedback, workspace, workspace_job, workspace_push, workspace_webhook_event};
use maud::{Markup, html};

use crate::access::reach::Rights;
use crate::app::App;
use crate::console::paths;
use crate::console::when::distance;
use crate::console::widgets::state;
use crate::engine::push::accept_push::name;
use crate::error::Result;
use crate::store;

/// How many deliveries the page of a workspace lists.
const NEWEST: u64 = 5;
/// How many digits of a commit are shown.
const SHORT: usize = 8;

fn short(commit: Option<&str>) -> Markup {
    html! { @if let Some(id) = commit { code { (id.get(..SHORT).unwrap_or(id)) } } }
}

/// What a webhook follows.
pub(super) fn followed(
    events: &[workspace_webhook_event::Model],
    templates: &[(TemplateId, String)],
    of: &workspace::Model,
) -> Markup {
    let template = |id: Option<&str>| templates.iter().find(|(known, _)| Some(known.to_string().as_str()) == id);
    html! {
        @if events.is_empty() { p.soft { "It follows nothing." } }
        @else {
            div.scroll {
                table.stacked {
                    caption.hidden { "What the webhook of " (of.name) " follows" }
                    thead { tr { th scope="col" { "Event" } th scope="col" { "Branches" } th scope="col" { "Paths" } th scope="col" { "Template" } } }
                    tbody {
                        @for one in events {
                            tr {
                                td data-label="Event" { @if one.event == "PUSH" { "push" } @else { "pull request" } }
                                td data-label="Branches" { code { (one.branch.as_deref().unwrap_or(&of.branch)) } }
                                td data-label="Paths" {
                                    @match &one.path { Some(path) => code { (path) }, None => span.soft { "all" } }
                                }
                                td data-label="Template" {
                                    @match template(one.template_id.as_deref()) { Some((_, name)) => (name), None => span.soft { "the default" } }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn outcome(row: &Model) -> Markup {
    match row.outcome {
        PushOutcome::Waiting => state(("queued", "waiting")),
        PushOutcome::Started => state(("ok", "started")),
        PushOutcome::Ignored => state(("cancelled", "ignored")),
        PushOutcome::Failed => state(("failed", "failed")),
    }
}

/// What was delivered, newest first.
pub(super) fn deliveries(rows: &[Model], now: DateTime<Utc>) -> Markup {
    html! {
        @if rows.is_empty() { p.soft { "Nothing was delivered yet." } }
        @else {
            div.scroll {
                table.stacked {
                    caption.hidden { "Deliveries" }
                    thead {
                        tr {
                            th scope="col" { "When" }
                            th scope="col" { "From" }
                            th scope="col" { "Branch" }
                            th scope="col" { "Commit" }
                            th scope="col" { "Outcome" }
                            th scope="col" { "Reason" }
                        }
                    }
                    tbody {
                        @for row in rows {
                            tr {
                                td data-label="When" { (distance(row.created_at, now)) }
                                td data-label="From" { (name(row.provider)) }
                                td data-label="Branch" {
                                    @if let Some(branch) = &row.branch { code { (branch) } }
                                    @if let Some(number) = row.pr_number { " #" (number) }
                                }
                                td data-label="Commit" { (short(row.commit_id.as_deref())) }
                                td data-label="Outcome" {
                                    (outcome(row))
                                    @if let Some(job) = row.job_id { " " a href=(paths::workspace_job(job)) { "job " (job) } }
                                }
                                td data-label="Reason" { @if let Some(reason) = &row.reason { (reason) } }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The section of the page of a workspace.
pub(super) async fn webhook(app: &App, of: &workspace::Model, rights: Rights) -> Result<Markup> {
    let hook = store::push::of_workspace(&app.db, of.id).await?;
    let events = match &hook {
        Some(hook) => store::push::events(&app.db, hook.id).await?,
        None => Vec::new(),
    };
    let templates = store::workspace::template_names(&app.db, of.organization_id).await?;
    let rows = store::push::list(&app.db, of.id, NEWEST).await?;
    Ok(html! {
        @if rights.workspaces {
            p {
                a.button.quiet href={ (paths::workspace(of.id)) "/webhook" } {
                    @if hook.is_some() { "Set up the webhook" } @else { "New webhook" }
                }
            }
        }
        @if let Some(hook) = &hook {
            (followed(&events, &templates, of))
            @if let Some(seconds) = hook.poll_seconds { p { "The repository is polled every " (seconds) " seconds." } }
            @if let Some(reason) = &hook.poll_error { p.notice { "The repository could not be polled: " (reason) } }
            (deliveries(&rows, app.clock.now()))
        } @else { p.soft { "Pushes start nothing." } }
    })
}

/// What pushed a job.
pub(super) struct PushOfJob {
    push: Option<workspace_push::Model>,
    reports: Vec<push_feedback::Model>,
}

impl PushOfJob {
    pub(super) async fn load(app: &App, job: &workspace_job::Model) -> Result<Self> {
        let Some(id) = job.push_id else { return Ok(Self { push: None, reports: Vec::new() }) };
        let push = store::row::by_id::<workspace_push::Model>(&app.db, id).await?;
        Ok(Self { push, reports: store::push::list_reports(&app.db, job.id).await? })
    }

    /// The facts for the summary of the job.
    pub(super) fn facts(&self) -> Markup {
        html! {
            @if let Some(push) = &self.push {
                dt { "Pushed" }
                dd {
                    @match (push.event, push.pr_number) {
                        (PushEvent::PullRequest, Some(number)) => { "pull request " (number) }
                        _ => { "a push" }
                    }
                    @if let Some(repository) = &push.repository { " of " code { (repository) } }
                    @if let Some(base) = &push.base { " into " code { (base) } }
                    @if let Some(author) = &push.author { " by " (author) }
                }
            }
            @for report in &self.reports {
                dt { @match report.kind { FeedbackKind::Status => "Status of the commit", FeedbackKind::Comment => "Comment" } }
                dd {
                    @match report.state {
                        DeliveryState::Delivered => "reported",
                        DeliveryState::Pending => "not reported yet",
                        DeliveryState::Failed => "could not be reported",
                    }
                    @if let Some(error) = &report.error { ": " (error) }
                }
            }
        }
    }
}

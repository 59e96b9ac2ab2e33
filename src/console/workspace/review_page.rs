//! The page of a workspace job.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use entity::workspace;
use entity::workspace_job::{self, JobStatus};
use maud::{Markup, html};
use poem::web::{Data, Path, Query};
use poem::{Response, handler};

use super::action::{COMMENT, is_above};
use super::job_steps::steps;
use super::status_words::status;
use super::webhook_section::PushOfJob;
use crate::access::reach::Rights;
use crate::access::{self, Caller};
use crate::app::App;
use crate::console::live::{self, Fragment, Live};
use crate::console::notice::Noticed;
use crate::console::shell::{Page, Section, token};
use crate::console::viewer::Viewer;
use crate::console::when::distance;
use crate::console::widgets::{button, place, state};
use crate::console::{paths, reply};
use crate::engine::template;
use crate::error::Result;
use crate::store;

#[handler]
pub(super) async fn show(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path(id): Path<i32>,
    Query(noticed): Query<Noticed>,
) -> poem::Result<Response> {
    let (job, of, rights) = access::workspace_job(&app.db, &viewer.caller, id).await?;
    let title = format!("Job {} of {}", job.id, of.name);
    let body = html! {
        h1 { (title) }
        (noticed.show())
        (summary(&job, &PushOfJob::load(app, &job).await?, app.clock.now()))
        (review(&viewer, &job, &of, rights))
        h2 { "Steps" }
        (steps(app, &job).await?)
    };
    let all = format!("{}/workspaces", paths::organization(of.organization_id));
    let page = Page {
        title,
        place: Some(place(app, of.organization_id, Section::Workspaces).await?),
        trail: vec![("Workspaces".to_owned(), all), (of.name.clone(), paths::workspace(of.id))],
        body,
        api: Some(format!("/api/v1/organization/{}/job/{}", of.organization_id, job.id)),
        live: (!job.status.is_final()).then(|| format!("{}/live", paths::workspace_job(job.id))),
    };
    Ok(reply::page(app, &viewer, &page))
}

/// Who started it, when, and how it goes.
fn summary(job: &workspace_job::Model, push: &PushOfJob, now: DateTime<Utc>) -> Markup {
    html! {
        div #job-state role="status" {
            dl.facts {
                dt { "Status" }
                dd {
                    (state(status(job.status)))
                    @if job.cancel_requested_at.is_some() && !job.status.is_final() { " being cancelled" }
                    @if !job.plan_changes { " the plan has no changes" }
                }
                dt { "Started" }
                dd { (distance(job.created_at, now)) " by " (job.created_by) " (" (job.via) ")" }
                (push.facts())
                @if let Some(text) = &job.comments {
                    dt { "Comment" }
                    dd { (text) }
                }
                @if let Some(branch) = &job.override_branch {
                    dt { "Branch" }
                    dd { code { (branch) } }
                }
                @if let Some(commit) = &job.commit_id {
                    dt { "Commit" }
                    dd { code { (commit) } }
                }
                @if let (Some(who), Some(at)) = (&job.approved_by, job.approved_at) {
                    dt { "Reviewed" }
                    dd { (distance(at, now)) " by " (who) }
                }
                @if let Some(text) = &job.output {
                    dt { "Reason" }
                    dd { (text) }
                }
            }
        }
    }
}

/// Whether the viewer may decide about a job that waits for an approval.
fn decides(viewer: &Viewer, job: &workspace_job::Model, of: &workspace::Model, rights: Rights) -> bool {
    let team = job.approval_team.as_deref().unwrap_or_default();
    let anybody = team.is_empty() || team == template::TERRAFORM_CLI;
    rights.approve
        && (anybody
            || viewer.caller.identity.groups.iter().any(|group| group == team)
            || is_above(&viewer.caller, of.organization_id, rights))
}

fn review(viewer: &Viewer, job: &workspace_job::Model, of: &workspace::Model, rights: Rights) -> Markup {
    let to = |word: &str| format!("{}/review/{word}", paths::workspace_job(job.id));
    html! {
        @if job.status == JobStatus::WaitingApproval {
            section.card.attention aria-labelledby="review" {
                h2 #review { "Waits for an approval" @if let Some(team) = job.approval_team.as_deref().filter(|team| !team.is_empty()) { " of the team " (team) } }
                @if decides(viewer, job, of, rights) {
                    form method="post" action=(to("approve")) {
                        (token(viewer))
                        div.field {
                            label for="comments" { "Comment" }
                            input #comments type="text" name="comments" maxlength=(COMMENT) autocomplete="off";
                        }
                        p.row {
                            button type="submit" data-confirm="Approve? The plan is carried out." { "Approve" }
                            button.danger type="submit" formaction=(to("reject")) data-confirm="Reject? The job ends." { "Reject" }
                            button.quiet type="submit" formaction=(to("comment")) { "Only comment" }
                        }
                    }
                } @else { p.soft { "Your role does not let you decide." } }
            }
        }
        @if rights.approve && !job.status.is_final() && job.cancel_requested_at.is_none() {
            p { (button(viewer, &to("cancel"), "Cancel the job", "danger", Some("Cancel this job?"))) }
        }
    }
}

/// The parts of the page that change.
struct LiveJob(i32);

impl Live for LiveJob {
    async fn fragments(&self, app: &App, caller: &Caller) -> Result<Vec<Fragment>> {
        let (job, _, _) = access::workspace_job(&app.db, caller, self.0).await?;
        let push = PushOfJob::load(app, &job).await?;
        Ok(vec![("job-state", summary(&job, &push, app.clock.now())), ("job-steps", steps(app, &job).await?)])
    }

    /// The logs of its steps grow.
    async fn pulse(&self, app: &App) -> Result<i64> {
        Ok(store::workspace::count_lines(&app.db, self.0).await?)
    }
}

#[handler]
pub(super) async fn fresh(Data(app): Data<&Arc<App>>, viewer: Viewer, Path(id): Path<i32>) -> poem::Result<Response> {
    let (job, _, _) = access::workspace_job(&app.db, &viewer.caller, id).await?;
    Ok(live::events(app, viewer, LiveJob(job.id)))
}

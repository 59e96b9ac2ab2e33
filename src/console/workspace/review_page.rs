//! The page of a workspace job.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use entity::workspace;
use entity::workspace_job::{self, JobStatus};
use maud::{Markup, html};
use poem::web::{Data, Path, Query};
use poem::{Response, handler};

use super::action::{COMMENT, is_above};
use super::destruction::Destruction;
use super::job_steps::steps;
use super::status_words::status;
use super::webhook_section::PushOfJob;
use crate::access::reach::Rights;
use crate::access::{self, Caller, principal};
use crate::app::App;
use crate::console::live::{self, Fragment, Live};
use crate::console::notice::Noticed;
use crate::console::post_button::{Manner, post_button, token};
use crate::console::shell::{Page, Section};
use crate::console::viewer::Viewer;
use crate::console::when::distance;
use crate::console::widgets::{place, state};
use crate::console::{paths, reply};
use crate::engine::lock_wait::waiting;
use crate::engine::plan_again::may_plan_again;
use crate::engine::{approval_wait, template};
use crate::error::Result;
use crate::store;
use crate::store::workspace::Hindrance;

#[handler]
pub(super) async fn show(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path(id): Path<i32>,
    Query(noticed): Query<Noticed>,
) -> poem::Result<Response> {
    let (job, of, rights) = access::workspace_job(&app.db, &viewer.caller, id).await?;
    let title = format!("Job {} of {}", job.id, of.name);
    let seen = Seen::read(app, &job, &of).await?;
    let body = html! {
        h1 { (title) }
        (noticed.show())
        (summary(&job, &seen, app.clock.now()))
        (review((&viewer.caller, &viewer.csrf), (&job, &of), &seen, rights))
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

/// What is known about a job besides its row.
struct Seen {
    push: PushOfJob,
    destruction: Option<Destruction>,
    hindrance: Option<Hindrance>,
    /// Why the plan that waits can no longer be applied.
    stale: Option<String>,
}

impl Seen {
    async fn read(app: &App, job: &workspace_job::Model, of: &workspace::Model) -> Result<Self> {
        Ok(Self {
            push: PushOfJob::load(app, job).await?,
            destruction: Destruction::by_job(app, job, of).await?,
            hindrance: store::workspace::hindrance(&app.db, job).await?,
            stale: match job.status {
                JobStatus::WaitingApproval => approval_wait::stale(app, &app.db, job).await?,
                _ => None,
            },
        })
    }
}

/// What a job waits for that has not started.
fn waits(hindrance: &Hindrance, now: DateTime<Utc>) -> Markup {
    let link = |id: i32| html! { a href=(paths::workspace_job(id)) { "job " (id) } };
    html! {
        @match hindrance {
            Hindrance::Lock(of) => {
                "the workspace is locked"
                @if let Some(text) = &of.lock_description { ": " (text) }
                " (last changed by " (of.updated_by) ", " (distance(of.updated_at, now)) ")"
            }
            Hindrance::Job { id, status: JobStatus::WaitingApproval } => { (link(*id)) " goes first, and waits for an approval" }
            Hindrance::Job { id, .. } => { (link(*id)) " goes first" }
            Hindrance::Rejection { id } => { (link(*id)) " was rejected, and its scripts are still executed" }
            Hindrance::StateLock(lock) => { (waiting(lock)) }
        }
    }
}

/// Who asked for it, when, and how it goes.
fn summary(job: &workspace_job::Model, seen: &Seen, now: DateTime<Utc>) -> Markup {
    html! {
        div #job-state role="status" {
            dl.facts {
                dt { "Status" }
                dd {
                    (state(status(job.status)))
                    @if job.cancel_requested_at.is_some() && !job.status.is_final() { " being cancelled" }
                    @if !job.plan_changes { " the plan has no changes" }
                }
                @if let Some(hindrance) = &seen.hindrance {
                    dt { "Waits" }
                    dd { (waits(hindrance, now)) }
                }
                dt { "Created" }
                dd { (distance(job.created_at, now)) " by " (job.created_by) " (" (job.via) ")" }
                @if let Some(destruction) = &seen.destruction { (destruction.fact(job)) }
                (seen.push.facts())
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

/// Whether the caller may decide about a job that waits for an approval.
fn decides(caller: &Caller, (job, of): (&workspace_job::Model, &workspace::Model), rights: Rights) -> bool {
    let team = job.approval_team.as_deref().unwrap_or_default();
    let anybody = team.is_empty() || team == template::TERRAFORM_CLI;
    rights.approve
        && (anybody
            || caller.identity.groups.iter().any(|group| group == team)
            || is_above(caller, of.organization_id, rights))
}

/// What can be done about a plan that can no longer be applied.
fn stale_plan(
    why: &str,
    (caller, csrf): (&Caller, &str),
    job: &workspace_job::Model,
    rights: Rights,
    decides: bool,
) -> Markup {
    let of_job = paths::workspace_job(job.id);
    html! {
        section.card.attention aria-labelledby="review" {
            h2 #review { "The plan is stale" }
            p { (why) }
            p.row {
                @if may_plan_again(job, &principal::stored(caller), rights) {
                    (post_button(csrf, &format!("{of_job}/plan-again"), "Plan again", Manner::Main))
                }
                @if decides {
                    (post_button(csrf, &format!("{of_job}/review/reject"), "Reject", Manner::Danger("Reject? The job ends.")))
                }
            }
        }
    }
}

/// What can be done about the job as it is now.
fn review(
    (caller, csrf): (&Caller, &str),
    (job, of): (&workspace_job::Model, &workspace::Model),
    seen: &Seen,
    rights: Rights,
) -> Markup {
    let to = |word: &str| format!("{}/review/{word}", paths::workspace_job(job.id));
    let question = match &seen.destruction {
        Some(destruction) => destruction.question(),
        None => "Approve? The plan is carried out.".to_owned(),
    };
    html! {
        div #job-review {
            @if let Some(stale) = &seen.stale {
                (stale_plan(stale, (caller, csrf), job, rights, decides(caller, (job, of), rights)))
            } @else if job.status == JobStatus::WaitingApproval {
                section.card.attention aria-labelledby="review" {
                    h2 #review { "Waits for an approval" @if let Some(team) = job.approval_team.as_deref().filter(|team| !team.is_empty()) { " of the team " (team) } }
                    @if decides(caller, (job, of), rights) {
                        form method="post" action=(to("approve")) {
                            (token(csrf))
                            div.field {
                                label for="comments" { "Comment" }
                                input #comments type="text" name="comments" maxlength=(COMMENT) autocomplete="off";
                            }
                            p.row {
                                button type="submit" data-confirm=(question) { "Approve" }
                                button.danger type="submit" formaction=(to("reject")) data-confirm="Reject? The job ends." { "Reject" }
                                button.quiet type="submit" formaction=(to("comment")) { "Only comment" }
                            }
                        }
                    } @else { p.soft { "Your role does not let you decide." } }
                }
            }
            @if rights.approve && !job.status.is_final() && job.cancel_requested_at.is_none() {
                p { (post_button(csrf, &to("cancel"), "Cancel the job", Manner::Danger("Cancel this job?"))) }
            }
        }
    }
}

/// The parts of the page that change.
struct LiveJob {
    id: i32,
    csrf: String,
}

impl Live for LiveJob {
    async fn fragments(&self, app: &App, caller: &Caller) -> Result<Vec<Fragment>> {
        let (job, of, rights) = access::workspace_job(&app.db, caller, self.id).await?;
        let seen = Seen::read(app, &job, &of).await?;
        Ok(vec![
            ("job-state", summary(&job, &seen, app.clock.now())),
            ("job-review", review((caller, &self.csrf), (&job, &of), &seen, rights)),
            ("job-steps", steps(app, &job).await?),
        ])
    }

    /// An approval, a lock and the logs of its steps are no starts or ends of runs.
    async fn pulse(&self, app: &App) -> Result<i64> {
        Ok(store::workspace::pulse_of_job(&app.db, self.id).await?)
    }
}

#[handler]
pub(super) async fn fresh(Data(app): Data<&Arc<App>>, viewer: Viewer, Path(id): Path<i32>) -> poem::Result<Response> {
    let (job, _, _) = access::workspace_job(&app.db, &viewer.caller, id).await?;
    let csrf = viewer.csrf.clone();
    Ok(live::events(app, viewer, LiveJob { id: job.id, csrf }))
}

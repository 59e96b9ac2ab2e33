//! Deploys some jobs of an environment together, each in the configured version or in another one.

use std::sync::Arc;

use entity::deployment::Action as Deployment;
use entity::id::EnvironmentId;
use entity::job_spec::Source;
use entity::{environment, job};
use maud::html;
use poem::web::{Data, Path};
use poem::{Response, handler};
use uuid::Uuid;

use crate::access::{self, Action};
use crate::app::App;
use crate::console::form::Form;
use crate::console::problems::Problems;
use crate::console::shell::{Page, Section, token};
use crate::console::viewer::Viewer;
use crate::console::widgets::place;
use crate::console::{notice, paths, reply};
use crate::engine::command::{self, JobTarget};
use crate::engine::deploy_version::DeployVersion;
use crate::error::{Error, Result};
use crate::store;

/// How many jobs the form has; each is two of the fields that a form may have.
const JOBS: u64 = 400;

fn version_field(row: &job::Model) -> String {
    format!("version-{}", row.id)
}

fn is_image(row: &job::Model) -> bool {
    matches!(row.spec.source, Source::Image { .. })
}

async fn page(
    app: &App,
    viewer: &Viewer,
    (row, jobs): (&environment::Model, &[job::Model]),
    form: Option<&Form>,
    problems: &Problems,
) -> Result<Page> {
    let is_chosen = |job: &job::Model| form.is_some_and(|form| form.all("job").contains(&job.id.to_string()));
    let typed = |job: &job::Model| form.map(|form| form.text(&version_field(job)).to_owned()).unwrap_or_default();
    let known: Vec<String> = jobs.iter().map(version_field).collect();
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    let body = html! {
        h1 { "Deploy jobs of " (row.name) }
        form.card method="post" {
            (token(viewer))
            (problems.others(&known))
            div.scroll { table.stacked {
                caption.hidden { "Jobs" }
                thead { tr { th scope="col" { "Job" } th scope="col" { "Version" } } }
                tbody { @for job in jobs { @let field = version_field(job); tr {
                    td data-label="Job" {
                        label.check { input type="checkbox" name="job" value=(job.id) checked[is_chosen(job)]; (job.name) }
                    }
                    td data-label="Version" {
                        @let words = if is_image(job) { "image tag" } else { "commit" };
                        input type="text" name=(field) value=(typed(job)) aria-label={ "The " (words) " of " (job.name) }
                            placeholder=(words) autocomplete="off" aria-invalid=[problems.at(&field).map(|_| "true")];
                        @if let Some(problem) = problems.at(&field) { span.problem { "The version " (problem) ". " } }
                    }
                } } }
            } }
            p.hint { "Without a version, a job is deployed as it is configured." }
            p { button type="submit" { "Deploy" } }
        }
    };
    let place = Some(place(app, row.organization_id, Section::Environments).await?);
    let trail = vec![(row.name.clone(), paths::environment(row.id))];
    let api = Some(format!("/environment/{}/statuses", row.id));
    Ok(Page { title: "Deploy jobs".into(), place, trail, body, api, live: None })
}

async fn open(app: &App, viewer: &Viewer, id: Uuid) -> Result<(environment::Model, Vec<job::Model>)> {
    let row = access::environment(&app.db, &viewer.caller, Action::Deploy, EnvironmentId(id)).await?;
    let jobs = store::job::list_by_environment(&app.db, row.id, None, JOBS).await?;
    Ok((row, jobs))
}

#[handler]
pub(super) async fn choose(Data(app): Data<&Arc<App>>, viewer: Viewer, Path(id): Path<Uuid>) -> poem::Result<Response> {
    let (row, jobs) = open(app, &viewer, id).await?;
    let page = page(app, &viewer, (&row, &jobs), None, &Problems::default()).await?;
    Ok(reply::page(app, &viewer, &page))
}

#[handler]
pub(super) async fn deploy(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path(id): Path<Uuid>,
    form: Form,
) -> poem::Result<Response> {
    let (row, jobs) = open(app, &viewer, id).await?;
    let done = match targets(&jobs, &form) {
        Ok(targets) => command::request_jobs(app, &viewer.requester(), row.id, targets, Deployment::Deploy).await,
        Err(error) => Err(error),
    };
    match done {
        Ok(_) => Ok(notice::lead(&paths::environment(row.id), "deploy")),
        Err(error) => {
            let page = page(app, &viewer, (&row, &jobs), Some(&form), &Problems::of(error)?).await?;
            Ok(reply::refused(app, &viewer, &page))
        }
    }
}

/// The chosen jobs, each with its version.
fn targets(jobs: &[job::Model], form: &Form) -> Result<Vec<JobTarget>> {
    let chosen = form.all("job");
    let jobs = jobs.iter().filter(|job| chosen.contains(&job.id.to_string()));
    let mut targets = Vec::new();
    for row in jobs {
        let field = version_field(row);
        let given = form.given(&field).map(str::to_owned);
        let version = match is_image(row) {
            true => DeployVersion { image_tag: given, git_commit_id: None },
            false => DeployVersion { image_tag: None, git_commit_id: given },
        };
        let version = version.check("", row).map_err(|error| match error {
            Error::Invalid { message, .. } => Error::invalid(field, message),
            other => other,
        });
        targets.push(JobTarget::in_version(row.clone(), version?));
    }
    if targets.is_empty() {
        return Err(Error::invalid("", "choose at least one job"));
    }
    Ok(targets)
}

//! Starts a job of a workspace with a template.

use std::sync::Arc;

use entity::id::{TemplateId, WorkspaceId};
use entity::workspace;
use maud::html;
use poem::web::{Data, Path};
use poem::{Response, handler};
use uuid::Uuid;

use super::action::{COMMENT, author, short};
use super::destruction::Destruction;
use super::sections::locks;
use super::template_choice::TemplateChoice;
use crate::access::reach::Rights;
use crate::access::{self, principal, require_right};
use crate::app::App;
use crate::console::form::Form;
use crate::console::problems::Problems;
use crate::console::shell::{Page, Section, token};
use crate::console::viewer::Viewer;
use crate::console::widgets::{Field, check, place};
use crate::console::{notice, paths, reply};
use crate::engine::workspace::NewJob;
use crate::error::{Error, Result};
use crate::store;

/// The longest name of a branch, in characters.
const BRANCH: usize = 128;

/// What is typed into the form.
struct Typed {
    template: String,
    branch: String,
    comments: String,
    targets: String,
    replacements: String,
    refresh_only: bool,
}

impl Typed {
    fn of_form(form: &Form) -> Self {
        let text = |name: &str| form.text(name).to_owned();
        Self {
            template: text("templateReference"),
            branch: text("branch"),
            comments: text("comments"),
            targets: text("targets"),
            replacements: text("replacements"),
            refresh_only: form.has("refresh_only"),
        }
    }
}

async fn page_of(
    app: &App,
    viewer: &Viewer,
    row: &workspace::Model,
    (typed, templates): (&Typed, &TemplateChoice),
    problems: &Problems,
) -> Result<Page> {
    let question = Destruction::in_workspace(app, row).await?.question();
    let body = html! {
        h1 { "New job of " (row.name) }
        (locks(app, row).await?)
        form.card method="post" {
            (token(viewer))
            (problems.others(&["templateReference", "branch", "comments", "targets", "replacements"]))
            (templates.show(&typed.template, &question, problems))
            (Field::text("branch", "Branch", &typed.branch).hint("Empty for that of the workspace").show(problems))
            (Field::text("comments", "Comment", &typed.comments).show(problems))
            details {
                summary { "Only some resources" }
                (Field::text("targets", "Resources to target", &typed.targets).hint("One address per line").area(problems))
                (Field::text("replacements", "Resources to replace", &typed.replacements).hint("One address per line").area(problems))
                p { (check("refresh_only", "Only refresh the state", typed.refresh_only)) }
            }
            p { button type="submit" { "Start" } }
        }
    };
    let place = Some(place(app, row.organization_id, Section::Workspaces).await?);
    let trail = vec![(row.name.clone(), paths::workspace(row.id))];
    let api = Some(format!("/api/v1/organization/{}/job", row.organization_id));
    Ok(Page { title: "New job".into(), place, trail, body, api, live: None })
}

async fn open(app: &App, viewer: &Viewer, id: Uuid) -> Result<(workspace::Model, Rights)> {
    let (row, rights) = access::workspace(&app.db, &viewer.caller, WorkspaceId(id)).await?;
    require_right(rights.plan)?;
    Ok((row, rights))
}

#[handler]
pub(super) async fn show(Data(app): Data<&Arc<App>>, viewer: Viewer, Path(id): Path<Uuid>) -> poem::Result<Response> {
    let (row, _) = open(app, &viewer, id).await?;
    let templates = TemplateChoice::read(app, row.organization_id).await?;
    let typed = Typed {
        template: templates.beforehand(row.default_template.as_deref()),
        branch: String::new(),
        comments: String::new(),
        targets: String::new(),
        replacements: String::new(),
        refresh_only: false,
    };
    let page = page_of(app, &viewer, &row, (&typed, &templates), &Problems::default()).await?;
    Ok(reply::page(app, &viewer, &page))
}

#[handler]
pub(super) async fn create(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path(id): Path<Uuid>,
    form: Form,
) -> poem::Result<Response> {
    let (row, rights) = open(app, &viewer, id).await?;
    let typed = Typed::of_form(&form);
    match started(app, &viewer, (&row, rights), &typed).await {
        Ok(job) => Ok(notice::lead(&paths::workspace_job(job), "job-created")),
        Err(error) => {
            let templates = TemplateChoice::read(app, row.organization_id).await?;
            let page = page_of(app, &viewer, &row, (&typed, &templates), &Problems::of(error)?).await?;
            Ok(reply::refused(app, &viewer, &page))
        }
    }
}

async fn started(app: &App, viewer: &Viewer, (row, rights): (&workspace::Model, Rights), typed: &Typed) -> Result<i32> {
    let template = typed.template.parse().ok().map(TemplateId);
    let template = template.ok_or_else(|| Error::invalid("templateReference", "must be one of the list"))?;
    let list = |text: &str| -> Vec<String> {
        text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect()
    };
    let new = NewJob {
        template: Some(template),
        tcl: None,
        comments: short("comments", &typed.comments, COMMENT)?,
        commit_id: None,
        override_branch: short("branch", &typed.branch, BRANCH)?,
        via: "UI".into(),
        refresh: true,
        refresh_only: typed.refresh_only,
        targets: list(&typed.targets),
        replacements: list(&typed.replacements),
        by: author(&viewer.caller).to_owned(),
        requester: Some(viewer.requester()),
        principal: Some(principal::stored(&viewer.caller)),
        rights,
        cloud: None,
        push: None,
    };
    let now = app.clock.now();
    let job = store::write(&app.db, async |tx| {
        let row = store::workspace::lock(tx, row.id).await?.filter(|row| !row.deleted);
        let row = row.ok_or(Error::NotFound("workspace"))?;
        crate::engine::workspace::create(tx, &row, new, now).await
    })
    .await?;
    app.wake.now();
    Ok(job.id)
}

//! The forms of the schedules of a workspace.

use std::sync::Arc;

use entity::id::{TemplateId, WorkspaceId, WorkspaceScheduleId};
use entity::{workspace, workspace_schedule};
use maud::html;
use poem::web::{Data, Path};
use poem::{Response, handler};
use uuid::Uuid;

use crate::access::reach::Rights;
use crate::access::{self, principal, require_right};
use crate::app::App;
use crate::console::form::Form;
use crate::console::problems::Problems;
use crate::console::shell::{Page, Section, token};
use crate::console::viewer::Viewer;
use crate::console::widgets::{Field, check, choice, place};
use crate::console::{notice, paths, reply};
use crate::engine::workspace_setting::{WorkspaceSchedule, delete_schedule, save_schedule};
use crate::error::{Error, Result};
use crate::store;

/// What is typed into the form.
struct Typed {
    cron: String,
    template: String,
    description: String,
    enabled: bool,
    refresh_only: bool,
}

impl Typed {
    fn of_form(form: &Form) -> Self {
        let text = |name: &str| form.text(name).trim().to_owned();
        let (cron, template, description) = (text("cron"), text("templateReference"), text("description"));
        Self { cron, template, description, enabled: form.has("enabled"), refresh_only: form.has("refreshOnly") }
    }

    fn of_row(row: &workspace_schedule::Model) -> Self {
        Self {
            cron: row.cron.clone(),
            template: row.template_reference.clone().unwrap_or_default(),
            description: row.description.clone().unwrap_or_default(),
            enabled: row.enabled,
            refresh_only: row.refresh_only,
        }
    }
}

async fn open(app: &App, viewer: &Viewer, id: Uuid) -> Result<(workspace::Model, Rights)> {
    let (row, rights) = access::workspace(&app.db, &viewer.caller, WorkspaceId(id)).await?;
    require_right(rights.workspaces)?;
    Ok((row, rights))
}

async fn schedule(app: &App, of: &workspace::Model, id: Uuid) -> Result<workspace_schedule::Model> {
    let row = store::row::by_id::<workspace_schedule::Model>(&app.db, WorkspaceScheduleId(id)).await?;
    row.filter(|row| row.workspace_id == of.id).ok_or(Error::NotFound("schedule"))
}

async fn page_of(
    app: &App,
    viewer: &Viewer,
    of: &workspace::Model,
    typed: &Typed,
    problems: &Problems,
) -> Result<Page> {
    let templates = store::workspace::template_names(&app.db, of.organization_id).await?;
    let none = (String::new(), "The default of the workspace, or its own steps");
    let all = std::iter::once(none).chain(templates.iter().map(|(id, name)| (id.to_string(), name.as_str())));
    let title = format!("Schedule of {}", of.name);
    let body = html! {
        h1 { (title) }
        form.card method="post" {
            (token(viewer))
            (problems.others(&["cron", "templateReference", "description"]))
            (Field::text("cron", "Schedule", &typed.cron).hint("In UTC: five fields, or a Quartz expression").required().show(problems))
            (choice("templateReference", "Template", all, &typed.template, problems))
            (Field::text("description", "Description", &typed.description).show(problems))
            p { (check("refreshOnly", "Only look for drift, without a template: a plan that refreshes, and takes no lock", typed.refresh_only)) }
            p { (check("enabled", "Enabled", typed.enabled)) }
            p.hint { "Its jobs act with your rights." }
            p { button type="submit" { "Save" } }
        }
    };
    let place = Some(place(app, of.organization_id, Section::Workspaces).await?);
    let trail = vec![(of.name.clone(), paths::workspace(of.id))];
    let api = Some(format!("/api/v1/organization/{}/workspace/{}/schedule", of.organization_id, of.id));
    Ok(Page { title, place, trail, body, api, live: None })
}

#[handler]
pub(super) async fn new(Data(app): Data<&Arc<App>>, viewer: Viewer, Path(id): Path<Uuid>) -> poem::Result<Response> {
    let (of, _) = open(app, &viewer, id).await?;
    let text = String::new;
    let typed = Typed { cron: text(), template: text(), description: text(), enabled: true, refresh_only: false };
    Ok(reply::page(app, &viewer, &page_of(app, &viewer, &of, &typed, &Problems::default()).await?))
}

#[handler]
pub(super) async fn edit(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path((id, schedule_id)): Path<(Uuid, Uuid)>,
) -> poem::Result<Response> {
    let (of, _) = open(app, &viewer, id).await?;
    let typed = Typed::of_row(&schedule(app, &of, schedule_id).await?);
    Ok(reply::page(app, &viewer, &page_of(app, &viewer, &of, &typed, &Problems::default()).await?))
}

async fn saved(
    app: &App,
    viewer: &Viewer,
    (of, rights): (&workspace::Model, Rights),
    row: Option<workspace_schedule::Model>,
    (form, said): (&Form, &str),
) -> Result<Response> {
    let typed = Typed::of_form(form);
    let wanted = WorkspaceSchedule {
        cron: typed.cron.clone(),
        template: typed.template.parse().ok().map(TemplateId),
        description: Some(typed.description.clone()).filter(|text| !text.is_empty()),
        enabled: typed.enabled,
        refresh_only: typed.refresh_only,
    };
    let by = (&viewer.requester(), principal::stored(&viewer.caller), rights);
    match save_schedule(app, by, of, row.map(|row| row.id), wanted).await {
        Ok(()) => Ok(notice::lead(&paths::workspace(of.id), said)),
        Err(error) => {
            let page = page_of(app, viewer, of, &typed, &Problems::of(error)?).await?;
            Ok(reply::refused(app, viewer, &page))
        }
    }
}

#[handler]
pub(super) async fn create(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path(id): Path<Uuid>,
    form: Form,
) -> poem::Result<Response> {
    let (of, rights) = open(app, &viewer, id).await?;
    Ok(saved(app, &viewer, (&of, rights), None, (&form, "schedule-created")).await?)
}

#[handler]
pub(super) async fn save(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path((id, schedule_id)): Path<(Uuid, Uuid)>,
    form: Form,
) -> poem::Result<Response> {
    let (of, rights) = open(app, &viewer, id).await?;
    let row = schedule(app, &of, schedule_id).await?;
    Ok(saved(app, &viewer, (&of, rights), Some(row), (&form, "schedule-saved")).await?)
}

#[handler]
pub(super) async fn delete(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path((id, schedule_id)): Path<(Uuid, Uuid)>,
    _form: Form,
) -> poem::Result<Response> {
    let (of, _) = open(app, &viewer, id).await?;
    let row = schedule(app, &of, schedule_id).await?;
    delete_schedule(app, &viewer.requester(), &of, &row).await?;
    Ok(notice::lead(&paths::workspace(of.id), "schedule-deleted"))
}

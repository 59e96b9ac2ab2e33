//! Registers, changes and removes clusters. A kubeconfig is written, and never shown.

use std::sync::Arc;

use entity::cluster::{ClusterKind, Model};
use entity::id::{ClusterId, OrganizationId};
use maud::{Markup, html};
use poem::web::{Data, Path};
use poem::{Response, handler};
use uuid::Uuid;

use super::setting_form::SettingForm;
use super::tabs::{Tab, settings};
use crate::access::{self, Action};
use crate::app::App;
use crate::console::form::Form;
use crate::console::notice;
use crate::console::problems::Problems;
use crate::console::shell::token;
use crate::console::viewer::Viewer;
use crate::console::widgets::{Field, check};
use crate::engine::cluster::usable::check_kubeconfig;
use crate::engine::settings::cluster_settings::{self, WantedCluster};
use crate::error::{Error, Result};

const FIELDS: &[&str] = &["name", "region", "description", "kubeconfig"];

const KUBECONFIG: &str =
    "With one context, and the credentials in the text itself. It is sealed, and never shown again";

fn of_form(form: &Form) -> WantedCluster {
    let text = |name: &str| form.text(name).trim().to_owned();
    WantedCluster {
        name: text("name"),
        description: Some(text("description")),
        region: text("region"),
        production: Some(form.has("production")),
        settings: None,
    }
}

fn of_row(row: &Model) -> WantedCluster {
    WantedCluster {
        name: row.name.clone(),
        description: row.description.clone(),
        region: row.region.clone(),
        production: Some(row.production),
        settings: None,
    }
}

fn page(
    viewer: &Viewer,
    id: OrganizationId,
    row: Option<&Model>,
    typed: &WantedCluster,
    problems: &Problems,
) -> SettingForm {
    let is_local = row.is_some_and(|row| row.kind == ClusterKind::Local);
    let fields = html! {
        (Field::text("name", "Name", &typed.name).required().show(problems))
        @if is_local { input type="hidden" name="region" value=(typed.region); }
        @else { (Field::text("region", "Region", &typed.region).required().hint("Any name of the place where it is").show(problems)) }
        (Field::text("description", "Description", typed.description.as_deref().unwrap_or_default()).show(problems))
        p { (check("production", "For production", typed.production == Some(true))) }
        @if row.is_none() { (Field::text("kubeconfig", "Kubeconfig", "").hint(KUBECONFIG).area(problems)) }
    };
    let path = row.map(|row| format!("{}/cluster/{}", settings(id), row.id));
    let own = row.map(|row| row.id);
    SettingForm {
        tab: Tab::Clusters,
        title: row.map_or_else(|| "New cluster".into(), |row| format!("Change {}", row.name)),
        api: own.map_or_else(
            || format!("/organization/{id}/cluster"),
            |own| format!("/organization/{id}/cluster/{own}/status"),
        ),
        fields,
        names: FIELDS,
        delete: row.zip(path.as_ref()).filter(|(row, _)| !row.is_default).map(|(row, path)| {
            let text = format!("Remove {}? The cluster itself stays as it is.", row.name);
            (format!("{path}/delete"), text)
        }),
        below: html! {
            @if let (Some(row), Some(path)) = (row.filter(|_| !is_local), &path) { (kubeconfig_form(viewer, row, path, problems)) }
        },
    }
}

fn kubeconfig_form(viewer: &Viewer, row: &Model, path: &str, problems: &Problems) -> Markup {
    html! {
        section.card aria-labelledby="credentials" {
            h2 #credentials { "Credentials" }
            p { @if row.kubeconfig.is_some() { "There is a kubeconfig. A new one replaces it." } @else { "There is no kubeconfig yet: nothing runs here." } }
            form method="post" action={ (path) "/kubeconfig" } autocomplete="off" {
                (token(viewer))
                (Field::text("kubeconfig", "Kubeconfig", "").required().hint(KUBECONFIG).area(problems))
                p { button type="submit" { "Replace" } }
            }
        }
    }
}

#[handler]
pub(super) async fn new(Data(app): Data<&Arc<App>>, viewer: Viewer, Path(id): Path<Uuid>) -> poem::Result<Response> {
    let id = OrganizationId(id);
    access::organization(&app.db, &viewer.caller, Action::ManageCluster, id).await?;
    let none = Problems::default();
    Ok(page(&viewer, id, None, &WantedCluster::default(), &none).reply(app, &viewer, id, None).await?)
}

#[handler]
pub(super) async fn create(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path(id): Path<Uuid>,
    form: Form,
) -> poem::Result<Response> {
    let id = OrganizationId(id);
    access::organization(&app.db, &viewer.caller, Action::ManageCluster, id).await?;
    match created(app, &viewer, id, &form).await {
        Ok(()) => Ok(notice::lead(&format!("{}/clusters", settings(id)), "saved")),
        Err(error) => {
            let problems = Problems::of(error)?;
            let page = page(&viewer, id, None, &of_form(&form), &problems);
            Ok(page.reply(app, &viewer, id, Some(&problems)).await?)
        }
    }
}

async fn created(app: &App, viewer: &Viewer, id: OrganizationId, form: &Form) -> Result<()> {
    let kubeconfig = form.given("kubeconfig").map(|_| form.text("kubeconfig"));
    if let Some(text) = kubeconfig {
        // Before the cluster is stored, which then has none.
        check_kubeconfig(app, text).map_err(|reason| Error::invalid("kubeconfig", reason))?;
    }
    let by = viewer.requester();
    let row = cluster_settings::create(app, &by, id, of_form(form)).await?;
    match kubeconfig {
        Some(text) => cluster_settings::set_kubeconfig(app, &by, row, ("kubeconfig", text)).await,
        None => Ok(()),
    }
}

async fn load(app: &App, viewer: &Viewer, (id, row): (Uuid, Uuid)) -> Result<Model> {
    access::cluster(&app.db, &viewer.caller, Action::ManageCluster, OrganizationId(id), ClusterId(row)).await
}

#[handler]
pub(super) async fn edit(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path(path): Path<(Uuid, Uuid)>,
) -> poem::Result<Response> {
    let row = load(app, &viewer, path).await?;
    let (id, none) = (row.organization_id, Problems::default());
    Ok(page(&viewer, id, Some(&row), &of_row(&row), &none).reply(app, &viewer, id, None).await?)
}

#[handler]
pub(super) async fn save(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path(path): Path<(Uuid, Uuid)>,
    form: Form,
) -> poem::Result<Response> {
    let row = load(app, &viewer, path).await?;
    let done = cluster_settings::edit(app, &viewer.requester(), row.clone(), of_form(&form)).await.map(drop);
    Ok(saved(app, &viewer, (&row, &of_form(&form)), done).await?)
}

#[handler]
pub(super) async fn set_kubeconfig(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path(path): Path<(Uuid, Uuid)>,
    form: Form,
) -> poem::Result<Response> {
    let row = load(app, &viewer, path).await?;
    if row.kind == ClusterKind::Local {
        return Err(Error::Conflict("the local cluster has no kubeconfig".into()).into());
    }
    let given = ("kubeconfig", form.text("kubeconfig"));
    let done = cluster_settings::set_kubeconfig(app, &viewer.requester(), row.clone(), given).await;
    Ok(saved(app, &viewer, (&row, &of_row(&row)), done).await?)
}

async fn saved(
    app: &App,
    viewer: &Viewer,
    (row, typed): (&Model, &WantedCluster),
    done: Result<()>,
) -> Result<Response> {
    let id = row.organization_id;
    match done {
        Ok(()) => Ok(notice::lead(&format!("{}/clusters", settings(id)), "saved")),
        Err(error) => {
            let problems = Problems::of(error)?;
            page(viewer, id, Some(row), typed, &problems).reply(app, viewer, id, Some(&problems)).await
        }
    }
}

#[handler]
pub(super) async fn delete(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path(path): Path<(Uuid, Uuid)>,
    _form: Form,
) -> poem::Result<Response> {
    let row = load(app, &viewer, path).await?;
    let id = row.organization_id;
    cluster_settings::delete(app, &viewer.requester(), row).await?;
    Ok(notice::lead(&format!("{}/clusters", settings(id)), "deleted"))
}

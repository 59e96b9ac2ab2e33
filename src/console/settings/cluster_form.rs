//! Registers, changes and removes clusters. A kubeconfig is written, and never shown.

use std::sync::Arc;

use entity::cluster::{ClusterKind, Model};
use entity::id::ClusterId;
use maud::{Markup, html};
use poem::web::{Data, Path};
use poem::{Response, handler};
use uuid::Uuid;

use super::setting_form::{Desk, SettingForm, changes, listed};
use super::tabs::{Tab, settings};
use crate::access::{self, Action};
use crate::app::App;
use crate::console::form::Form;
use crate::console::problems::Problems;
use crate::console::shell::token;
use crate::console::viewer::Viewer;
use crate::console::widgets::{Field, check};
use crate::engine::cluster::usable::check_kubeconfig;
use crate::engine::settings::cluster_settings::{self, WantedCluster};
use crate::error::{Error, Result};

changes!("clusters");

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

async fn form(desk: &Desk<'_>, row: Option<&Model>, sent: Option<&Form>, problems: &Problems) -> Result<SettingForm> {
    let (id, viewer) = (desk.id, desk.viewer);
    let typed = sent.map_or_else(|| row.map(of_row).unwrap_or_default(), of_form);
    let is_local = row.is_some_and(|row| row.kind == ClusterKind::Local);
    let fields = html! {
        (Field::text("name", "Name", &typed.name).required().show(problems))
        @if is_local { input type="hidden" name="region" value=(typed.region); }
        @else { (Field::text("region", "Region", &typed.region).required().hint("Any name of the place where it is").show(problems)) }
        (Field::text("description", "Description", typed.description.as_deref().unwrap_or_default()).show(problems))
        p { (check("production", "For production", typed.production == Some(true))) }
        @if row.is_none() { (Field::text("kubeconfig", "Kubeconfig", "").secret().hint(KUBECONFIG).area(problems)) }
    };
    let path = row.map(|row| format!("{}/cluster/{}", settings(id), row.id));
    let own = row.map(|row| row.id);
    Ok(SettingForm {
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
            @if let (Some(row), Some(path)) = (row.filter(|row| row.kind == ClusterKind::Kubernetes), &path) { (kubeconfig_form(viewer, row, path, problems)) }
        },
    })
}

fn kubeconfig_form(viewer: &Viewer, row: &Model, path: &str, problems: &Problems) -> Markup {
    html! {
        section.card aria-labelledby="credentials" {
            h2 #credentials { "Credentials" }
            p { @if row.kubeconfig.is_some() { "There is a kubeconfig. A new one replaces it." } @else { "There is no kubeconfig yet: nothing runs here." } }
            form method="post" action={ (path) "/kubeconfig" } autocomplete="off" {
                (token(viewer))
                (Field::text("kubeconfig", "Kubeconfig", "").secret().required().hint(KUBECONFIG).area(problems))
                p { button type="submit" { "Replace" } }
            }
        }
    }
}

async fn may(desk: &Desk<'_>) -> Result<()> {
    desk.require(Action::ManageCluster).await
}

async fn load(desk: &Desk<'_>, row: Uuid) -> Result<Model> {
    access::cluster(&desk.app.db, &desk.viewer.caller, Action::ManageCluster, desk.id, ClusterId(row)).await
}

async fn store(desk: &Desk<'_>, row: Option<Model>, sent: &Form) -> Result<()> {
    let (app, by) = (desk.app, desk.viewer.requester());
    if let Some(row) = row {
        return cluster_settings::edit(app, &by, row, of_form(sent)).await.map(drop);
    }
    let kubeconfig = sent.given("kubeconfig").map(|_| sent.text("kubeconfig"));
    if let Some(text) = kubeconfig {
        // Before the cluster is stored, which then has none.
        check_kubeconfig(app, text).map_err(|reason| Error::invalid("kubeconfig", reason))?;
    }
    let row = cluster_settings::create(app, &by, desk.id, of_form(sent)).await?;
    match kubeconfig {
        Some(text) => cluster_settings::set_kubeconfig(app, &by, row, ("kubeconfig", text)).await,
        None => Ok(()),
    }
}

async fn remove(desk: &Desk<'_>, row: Model) -> Result<()> {
    cluster_settings::delete(desk.app, &desk.viewer.requester(), row).await
}

#[handler]
pub(super) async fn set_kubeconfig(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path((id, row)): Path<(Uuid, Uuid)>,
    sent: Form,
) -> poem::Result<Response> {
    let desk = Desk::new(app, &viewer, id);
    let row = load(&desk, row).await?;
    if row.kind == ClusterKind::Local {
        return Err(Error::Conflict("the local cluster has no kubeconfig".into()).into());
    }
    let given = ("kubeconfig", sent.text("kubeconfig"));
    match cluster_settings::set_kubeconfig(app, &viewer.requester(), row.clone(), given).await {
        Ok(()) => Ok(listed(desk.id, "clusters", "saved")),
        Err(error) => {
            let problems = Problems::of(error)?;
            Ok(form(&desk, Some(&row), None, &problems).await?.refuse(&desk, &problems).await?)
        }
    }
}

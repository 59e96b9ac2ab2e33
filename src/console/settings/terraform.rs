//! What the workspaces of an organization share: templates, variables, VCS connections and SSH keys. Secrets are never shown.

use std::sync::Arc;

use entity::id::OrganizationId;
use entity::{ssh_key, template, terraform_variable, vcs};
use maud::{Markup, html};
use poem::web::{Data, Path, Query};
use poem::{Response, handler};
use uuid::Uuid;

use super::tabs::{Tab, settings, show};
use crate::access;
use crate::access::reach::Rights;
use crate::app::App;
use crate::console::notice::Noticed;
use crate::console::viewer::Viewer;
use crate::console::when::distance;
use crate::error::{Error, Result};
use crate::store;

/// The address of the forms.
struct Forms(String);

impl Forms {
    /// The name of a row, which leads to its form if the viewer may change it.
    fn link(&self, may: bool, kind: &str, row: &str, name: &str) -> Markup {
        html! { @if may { a href={ (self.0) "/" (kind) "/" (row) "/edit" } { (name) } } @else { (name) } }
    }
}

fn yes(is_stored: bool) -> Markup {
    html! { @if is_stored { "stored" } @else { span.soft { "none" } } }
}

#[handler]
pub(super) async fn page(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path(id): Path<Uuid>,
    Query(noticed): Query<Noticed>,
) -> poem::Result<Response> {
    let id = OrganizationId(id);
    let rights = access::workspace_rights(&app.db, &viewer.caller, id).await?;
    let to = Forms(settings(id));
    let body = html! {
        (noticed.show())
        p.row {
            @if rights.templates { a.button href={ (to.0) "/templates/new" } { "New template" } }
            @if rights.workspaces { a.button href={ (to.0) "/global-variables/new" } { "New variable" } }
            @if rights.logins {
                a.button href={ (to.0) "/vcs-connections/new" } { "New VCS connection" }
                a.button href={ (to.0) "/ssh-keys/new" } { "New SSH key" }
            }
        }
        (templates(&store::workspace::list_templates(&app.db, id).await.map_err(Error::from)?, app, &to, rights))
        // Whoever sees a single workspace sees the templates that it can be run with, and no more.
        @if rights.view { (rest(app, id, &to, rights).await?) }
    };
    let api = format!("/api/v1/organization/{id}/template");
    Ok(show(app, &viewer, id, (Tab::Terraform, Some(api)), &body).await?)
}

fn templates(rows: &[template::Model], app: &App, to: &Forms, rights: Rights) -> Markup {
    let now = app.clock.now();
    html! {
        div.scroll { table.stacked {
            caption { "Templates" }
            thead { tr { th scope="col" { "Name" } th scope="col" { "Version" } th scope="col" { "Changed" } th scope="col" { "By" } } }
            tbody { @for row in rows { tr {
                td data-label="Name" { div {
                    (to.link(rights.templates, "template", &row.id.to_string(), &row.name))
                    @if let Some(text) = row.description.as_deref().filter(|text| !text.is_empty()) { div.soft { (text) } }
                } }
                td data-label="Version" { (row.version.as_deref().unwrap_or_default()) }
                td data-label="Changed" { (distance(row.updated_at, now)) }
                td data-label="By" { (row.updated_by) }
            } } }
        } }
        @if rows.is_empty() { p.card { "There are no templates yet. A template has the steps of a workspace job, such as a plan and an approval." } }
    }
}

async fn rest(app: &App, id: OrganizationId, to: &Forms, rights: Rights) -> Result<Markup> {
    let values = store::workspace::list_global_variables(&app.db, id).await?;
    let connections = store::workspace::list_vcs(&app.db, id).await?;
    let keys = store::workspace::list_ssh_keys(&app.db, id).await?;
    Ok(html! {
        (variables(&values, to, rights))
        (vcs_connections(&connections, to, rights))
        (ssh_keys(&keys, to, rights))
    })
}

fn variables(rows: &[terraform_variable::Model], to: &Forms, rights: Rights) -> Markup {
    html! {
        div.scroll { table.stacked {
            caption { "Variables of all workspaces" }
            thead { tr { th scope="col" { "Name" } th scope="col" { "Kind" } th scope="col" { "Value" } } }
            tbody { @for row in rows { tr {
                td data-label="Name" { div {
                    (to.link(rights.workspaces, "global-variable", &row.id.to_string(), &row.key))
                    @if let Some(text) = row.description.as_deref().filter(|text| !text.is_empty()) { div.soft { (text) } }
                } }
                td data-label="Kind" { @if row.category == "ENV" { "environment" } @else { "Terraform" } @if row.hcl { ", HCL" } }
                td data-label="Value" {
                    @if row.sensitive { span.soft { "sensitive" } } @else { code { (row.value.as_deref().unwrap_or_default()) } }
                }
            } } }
        } }
        @if rows.is_empty() { p.card { "There are no variables of all workspaces. A variable of a workspace takes precedence over one of them." } }
    }
}

fn vcs_connections(rows: &[vcs::Model], to: &Forms, rights: Rights) -> Markup {
    html! {
        div.scroll { table.stacked {
            caption { "VCS connections" }
            thead { tr { th scope="col" { "Name" } th scope="col" { "Type" } th scope="col" { "Endpoint" } th scope="col" { "Access token" } } }
            tbody { @for row in rows { tr {
                td data-label="Name" { (to.link(rights.logins, "vcs-connection", &row.id.to_string(), &row.name)) }
                td data-label="Type" { (row.vcs_type) }
                td data-label="Endpoint" { (row.endpoint.as_deref().unwrap_or_default()) }
                td data-label="Access token" { (yes(row.access_token.is_some())) }
            } } }
        } }
        @if rows.is_empty() { p.card { "There are no VCS connections yet. Workspaces with private repositories need one, or an SSH key." } }
    }
}

fn ssh_keys(rows: &[ssh_key::Model], to: &Forms, rights: Rights) -> Markup {
    html! {
        div.scroll { table.stacked {
            caption { "SSH keys" }
            thead { tr { th scope="col" { "Name" } th scope="col" { "Type" } th scope="col" { "Known hosts" } th scope="col" { "Private key" } } }
            tbody { @for row in rows { tr {
                td data-label="Name" { (to.link(rights.logins, "ssh-key", &row.id.to_string(), &row.name)) }
                td data-label="Type" { (row.ssh_type) }
                td data-label="Known hosts" { (yes(row.known_hosts.as_deref().is_some_and(|hosts| !hosts.trim().is_empty()))) }
                td data-label="Private key" { (yes(row.private_key.is_some())) }
            } } }
        } }
        @if rows.is_empty() { p.card { "There are no SSH keys yet." } }
    }
}

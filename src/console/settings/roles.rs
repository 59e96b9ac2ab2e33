//! The roles of an organization, and what each may do.

use std::sync::Arc;

use entity::custom_role::{self, ClusterPermission, ProjectPermission};
use entity::id::OrganizationId;
use entity::member::Role;
use maud::{Markup, html};
use poem::web::{Data, Path, Query};
use poem::{Response, handler};
use uuid::Uuid;

use super::tabs::{Tab, may, settings, show};
use crate::access::role::allows;
use crate::access::{self, Action, Grant, Location};
use crate::app::App;
use crate::console::notice::Noticed;
use crate::console::viewer::Viewer;
use crate::engine::assigned_role::BUILT_IN;
use crate::error::Error;
use crate::store;

/// The actions, in words.
const ACTIONS: [(Action, &str); 14] = [
    (Action::ViewOrganization, "see the organization"),
    (Action::View, "see projects, jobs, runs and logs"),
    (Action::Deploy, "deploy, run, cancel and stop"),
    (Action::Manage, "change jobs, variables and environments"),
    (Action::CreateEnvironment, "create environments"),
    (Action::CreateProject, "create projects"),
    (Action::ViewSettings, "see registries, logins and webhooks"),
    (Action::ManageSettings, "change registries, logins and webhooks"),
    (Action::ViewCluster, "see clusters"),
    (Action::ManageCluster, "change clusters"),
    (Action::ViewEvents, "see who changed what"),
    (Action::ManageTokens, "create and revoke tokens"),
    (Action::ManageMembers, "invite, change and remove members"),
    (Action::EditOrganization, "change and delete the organization"),
];

#[handler]
pub(super) async fn page(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path(id): Path<Uuid>,
    Query(noticed): Query<Noticed>,
) -> poem::Result<Response> {
    let id = OrganizationId(id);
    access::organization(&app.db, &viewer.caller, Action::ViewOrganization, id).await?;
    let custom = store::custom_role::list(&app.db, id).await.map_err(Error::from)?;
    let manages = may(&viewer, id, Action::ManageMembers);
    let body = html! {
        (noticed.show())
        div.scroll { table {
            caption { "Built-in roles" }
            thead { tr { th scope="col" { "May" } @for (_, name, _) in BUILT_IN { th scope="col" { (name) } } } }
            tbody { @for (action, words) in ACTIONS { tr {
                th scope="row" { (words) }
                @for (role, ..) in BUILT_IN { td { (mark(role, action)) } }
            } } }
        } }
        h2 { "Custom roles" }
        @if manages { p { a.button href={ (settings(id)) "/roles/new" } { "New role" } } }
        @if custom.is_empty() { p.card { "There are none. A custom role gives other rights in each project and on each cluster." } }
        @for row in &custom {
            (custom_role_card(row, manages.then(|| format!("{}/role/{}/edit", settings(id), row.id))))
        }
    };
    Ok(show(app, &viewer, id, (Tab::Roles, Some(format!("/organization/{id}/availableRole"))), &body).await?)
}

fn mark(role: Role, action: Action) -> &'static str {
    if allows(&Grant::Fixed(role), action, &Location::default()) { "yes" } else { "–" }
}

fn custom_role_card(row: &custom_role::Model, edit: Option<String>) -> Markup {
    let admins = row.projects.0.values().filter(|of| of.is_admin).count();
    let with = |wanted| row.projects.0.values().filter(|of| of.modes.values().any(|given| *given == wanted)).count();
    let clusters = |wanted| row.clusters.0.values().filter(|given| **given == wanted).count();
    html! {
        section.card {
            div.row.between {
                h3 { (row.name) }
                @if let Some(edit) = &edit { a.button.quiet href=(edit) { "Edit" span.hidden { " " (row.name) } } }
            }
            @if !row.description.is_empty() { p { (row.description) } }
            dl.facts {
                dt { "Everything in" } dd { (admins) " projects" }
                dt { "Manages environments in" } dd { (with(ProjectPermission::Manager)) " projects" }
                dt { "Deploys in" } dd { (with(ProjectPermission::Deployer)) " projects" }
                dt { "Sees" } dd { (with(ProjectPermission::Viewer)) " projects" }
                dt { "Creates environments on" } dd { (clusters(ClusterPermission::EnvCreator)) " clusters" }
                dt { "Administers" } dd { (clusters(ClusterPermission::Admin)) " clusters" }
            }
        }
    }
}

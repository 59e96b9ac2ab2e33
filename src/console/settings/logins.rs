//! Image registries and git logins, and how many jobs use them. Secrets are never shown.

use std::sync::Arc;

use entity::id::OrganizationId;
use maud::{Markup, html};
use poem::web::{Data, Path, Query};
use poem::{Response, handler};
use sea_orm::ActiveEnum as _;
use uuid::Uuid;

use super::tabs::{Tab, may, settings, show};
use crate::access::{self, Action};
use crate::app::App;
use crate::console::notice::Noticed;
use crate::console::viewer::Viewer;
use crate::error::Error;
use crate::store;

#[handler]
pub(super) async fn page(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path(id): Path<Uuid>,
    Query(noticed): Query<Noticed>,
) -> poem::Result<Response> {
    let id = OrganizationId(id);
    access::organization(&app.db, &viewer.caller, Action::ViewSettings, id).await?;
    let registries = store::registry::list_by_organization(&app.db, id).await.map_err(Error::from)?;
    let of_registries = store::registry::count_jobs(&app.db, id).await.map_err(Error::from)?;
    let logins = store::git_token::list(&app.db, id).await.map_err(Error::from)?;
    let of_logins = store::git_token::count_jobs(&app.db, id).await.map_err(Error::from)?;
    let manages = may(&viewer, id, Action::ManageSettings);
    let link = |kind: &str, row: String, name: &str| -> Markup {
        html! { @if manages { a href={ (settings(id)) "/" (kind) "/" (row) "/edit" } { (name) } } @else { (name) } }
    };
    let body = html! {
        (noticed.show())
        @if manages {
            p.row {
                a.button href={ (settings(id)) "/registries/new" } { "New registry" }
                a.button href={ (settings(id)) "/git-logins/new" } { "New git login" }
            }
        }
        div.scroll { table.stacked {
            caption { "Image registries" }
            thead { tr { th scope="col" { "Name" } th scope="col" { "Kind" } th scope="col" { "Address" } th scope="col" { "Login" } th.number scope="col" { "Jobs" } } }
            tbody { @for row in &registries { tr {
                td data-label="Name" { (link("registry", row.id.to_string(), &row.name)) }
                td data-label="Kind" { (row.kind.to_value()) }
                td data-label="Address" { (row.url) }
                td data-label="Login" { @if row.credentials.is_some() { (row.config.username.as_deref().unwrap_or("stored")) } @else { span.soft { "none" } } }
                td.number data-label="Jobs" { (of_registries.get(&row.id).copied().unwrap_or(0)) }
            } } }
        } }
        @if registries.is_empty() { p.card { "There are no registries yet. Jobs with an image need one." } }
        div.scroll { table.stacked {
            caption { "Git logins" }
            thead { tr { th scope="col" { "Name" } th scope="col" { "Provider" } th scope="col" { "Address" } th.number scope="col" { "Jobs" } } }
            tbody { @for row in &logins { tr {
                td data-label="Name" { (link("git-login", row.id.to_string(), &row.name)) }
                td data-label="Provider" { (row.provider.to_value()) }
                td data-label="Address" { (row.api_url) }
                td.number data-label="Jobs" { (of_logins.get(&row.id).copied().unwrap_or(0)) }
            } } }
        } }
        @if logins.is_empty() { p.card { "There are no git logins yet. Jobs that are built from private repositories need one." } }
    };
    Ok(show(app, &viewer, id, (Tab::Logins, Some(format!("/organization/{id}/containerRegistry"))), &body).await?)
}

//! The first page: the organizations of the viewer.

use std::sync::Arc;

use maud::html;
use poem::web::Data;
use poem::{Response, handler};

use super::paths;
use super::reply;
use super::shell::Page;
use super::viewer::Viewer;
use crate::access::{self, Action};
use crate::app::App;

/// Leads to the overview if there is only one organization.
#[handler]
pub(super) async fn home(Data(app): Data<&Arc<App>>, viewer: Viewer) -> poem::Result<Response> {
    let mut organizations = Vec::new();
    for id in viewer.caller.organizations() {
        organizations.push(access::organization(&app.db, &viewer.caller, Action::ViewOrganization, id).await?);
    }
    if let [only] = organizations.as_slice() {
        return Ok(reply::redirect(&paths::organization(only.id)));
    }
    let body = html! {
        h1 { "Organizations" }
        @if organizations.is_empty() {
            p { "You are a member of no organization yet. An administrator can invite you." }
        }
        ul { @for row in &organizations { li { a href=(paths::organization(row.id)) { (row.name) } } } }
    };
    let api = Some("/organization".into());
    let page = Page { title: "Organizations".into(), place: None, trail: Vec::new(), body, api, live: None };
    Ok(reply::page(app, &viewer, &page))
}

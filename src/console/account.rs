//! Who the viewer is, and the sessions with the same rights, which they can end.

use std::sync::Arc;

use entity::id::SessionId;
use entity::session;
use maud::html;
use poem::web::{Data, Path};
use poem::{Response, handler};
use uuid::Uuid;

use super::form::Form;
use super::new_organization::{ADDRESS, may_create};
use super::paths::{self, ROOT};
use super::reply;
use super::shell::{Page, token};
use super::viewer::Viewer;
use super::when::distance;
use crate::access::{self, Action, principal};
use crate::app::App;
use crate::error::{Error, Result};
use crate::store;

#[handler]
pub(super) async fn page(Data(app): Data<&Arc<App>>, viewer: Viewer) -> poem::Result<Response> {
    let sessions = own_sessions(app, &viewer).await?;
    let now = app.clock.now();
    let mut organizations = Vec::new();
    for id in viewer.caller.organizations() {
        organizations.push(access::organization(&app.db, &viewer.caller, Action::ViewOrganization, id).await?);
    }
    let may_create = may_create(app, &viewer).await?;
    let body = html! {
        h1 { "Your account" }
        dl.facts {
            dt { "Name" } dd { (viewer.caller.name()) }
            @if let Some(email) = viewer.caller.email() { dt { "Email address" } dd { (email) } }
            dt { "Organizations" }
            dd { @for row in &organizations { a href=(paths::organization(row.id)) { (row.name) } " " } @if may_create { a href=(ADDRESS) { "New organization" } } }
            @if viewer.caller.person().is_some() { dt { "Tokens" } dd { a href={ (ROOT) "/account/tokens" } { "Your tokens" } } }
        }
        div.scroll { table.stacked {
            caption { "Sessions" }
            thead { tr { th scope="col" { "Browser" } th scope="col" { "Begun" } th scope="col" { "Last used" } th scope="col" { "Ends" } th scope="col" { span.hidden { "Actions" } } } }
            tbody { @for row in &sessions { tr {
                td data-label="Browser" { div { (row.user_agent.as_deref().unwrap_or("unknown")) @if row.hash == viewer.session { div { strong { "this one" } } } } }
                td data-label="Begun" { (distance(row.created_at, now)) }
                td data-label="Last used" { (distance(row.used_at, now)) }
                td data-label="Ends" { (distance(row.expires_at, now)) }
                td data-label="Actions" {
                    form.inline method="post" action={ (ROOT) "/account/session/" (row.id) } {
                        (token(&viewer))
                        button.quiet type="submit" { "End" }
                    }
                }
            } } }
        } }
    };
    let title = "Your account".into();
    let page = Page { title, place: None, trail: Vec::new(), body, api: Some("/account".into()), live: None };
    Ok(reply::page(app, &viewer, &page))
}

/// The sessions with the rights of the viewer.
async fn own_sessions(app: &App, viewer: &Viewer) -> Result<Vec<session::Model>> {
    let principal = principal::stored(&viewer.caller);
    Ok(store::console_session::list_by_principals(&app.db, vec![principal]).await?)
}

#[handler]
pub(super) async fn end_session(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path(id): Path<Uuid>,
    _form: Form,
) -> poem::Result<Response> {
    let own = own_sessions(app, &viewer).await?;
    let row = own.into_iter().find(|row| row.id == SessionId(id)).ok_or(Error::NotFound("session"))?;
    store::write(&app.db, async |tx| store::row::delete::<session::Model>(tx, row.id).await.map_err(Error::from))
        .await?;
    app.rights_changed();
    Ok(reply::redirect(&format!("{ROOT}/account")))
}

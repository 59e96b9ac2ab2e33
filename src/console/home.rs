//! The first page: the organizations of the viewer, and those that have invited them.

use std::sync::Arc;

use entity::id::{InvitationId, OrganizationId};
use entity::invitation;
use maud::{Markup, html};
use poem::web::{Data, Path};
use poem::{Response, handler};
use uuid::Uuid;

use super::form::Form;
use super::new_organization::{ADDRESS, may_create};
use super::paths;
use super::reply;
use super::shell::Page;
use super::viewer::Viewer;
use super::widgets::button;
use crate::access::{self, Action};
use crate::app::App;
use crate::engine::member;
use crate::error::{Error, Result};
use crate::store;

/// Leads to the overview if there is only one organization.
#[handler]
pub(super) async fn home(Data(app): Data<&Arc<App>>, viewer: Viewer) -> poem::Result<Response> {
    let mut organizations = Vec::new();
    for id in viewer.caller.organizations() {
        organizations.push(access::organization(&app.db, &viewer.caller, Action::ViewOrganization, id).await?);
    }
    let invitations = invitations(app, &viewer).await?;
    if let ([only], true) = (organizations.as_slice(), invitations.is_empty()) {
        return Ok(reply::redirect(&paths::organization(only.id)));
    }
    let may_create = may_create(app, &viewer).await?;
    let body = html! {
        h1 { "Organizations" }
        @if organizations.is_empty() && invitations.is_empty() {
            p { "You are a member of no organization yet. An administrator can invite you" @if may_create { ", or you create one" } "." }
            @if viewer.caller.person().is_some() && viewer.caller.email().is_none() {
                p.soft { "Invitations are for email addresses, and the OIDC issuer confirms none of yours." }
            }
        }
        @for (row, name) in &invitations { (invited(&viewer, row, name)) }
        @if may_create { p { a.button href=(ADDRESS) { "New organization" } } }
        ul { @for row in &organizations { li { a href=(paths::organization(row.id)) { (row.name) } } } }
    };
    let api = Some("/organization".into());
    let page = Page { title: "Organizations".into(), place: None, trail: Vec::new(), body, api, live: None };
    Ok(reply::page(app, &viewer, &page))
}

/// The invitations for the address of the viewer, with the names of their organizations.
async fn invitations(app: &App, viewer: &Viewer) -> Result<Vec<(invitation::Model, String)>> {
    let Some(email) = viewer.caller.email() else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for row in store::invitation::list_by_email(&app.db, email).await? {
        if let Some(organization) = store::organization::by_id(&app.db, row.organization_id).await? {
            found.push((row, organization.name));
        }
    }
    Ok(found)
}

fn invited(viewer: &Viewer, row: &invitation::Model, name: &str) -> Markup {
    let to = format!("{}/invitation/{}/accept", paths::organization(row.organization_id), row.id);
    html! {
        section.card {
            p { bdi { (row.inviter) } " has invited you to " strong { (name) } "." }
            (button(viewer, &to, "Accept", "", None))
        }
    }
}

#[handler]
pub(super) async fn accept(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path((id, invitation)): Path<(Uuid, Uuid)>,
    _form: Form,
) -> poem::Result<Response> {
    let (id, invitation) = (OrganizationId(id), InvitationId(invitation));
    let row = access::invitation(&app.db, &viewer.caller, Action::ViewOrganization, id, invitation).await?;
    let is_mine = viewer.caller.email().is_some_and(|email| email.eq_ignore_ascii_case(&row.email));
    let person = viewer.caller.person().filter(|_| is_mine);
    let person = person.ok_or(Error::Forbidden("only the invited person can accept"))?;
    member::accept(app, &viewer.requester(), &row, person).await?;
    Ok(reply::redirect(&paths::organization(id)))
}

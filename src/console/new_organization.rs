//! Creates an organization. The settings of the server say who may.

use std::sync::Arc;

use entity::id::PersonId;
use entity::organization;
use maud::html;
use poem::web::Data;
use poem::{Response, handler};

use super::form::Form;
use super::paths::{self, ROOT};
use super::problems::Problems;
use super::reply;
use super::shell::{Page, token};
use super::viewer::Viewer;
use super::widgets::Field;
use crate::app::App;
use crate::bootstrap::{found_organization, may_create_organization};
use crate::engine::limits;
use crate::error::{Error, Result};

/// The address of the form.
pub(super) const ADDRESS: &str = "/console/organizations/new";

async fn creator(app: &App, viewer: &Viewer) -> Result<PersonId> {
    let person = viewer.caller.person();
    let person = person.ok_or(Error::Forbidden("only a person can create an organization: sign in with an account"))?;
    may_create_organization(app, person, viewer.caller.email()).await?;
    Ok(person)
}

/// Whether the viewer may create organizations.
pub(super) async fn may_create(app: &App, viewer: &Viewer) -> Result<bool> {
    match creator(app, viewer).await {
        Ok(_) => Ok(true),
        Err(Error::Forbidden(_)) => Ok(false),
        Err(error) => Err(error),
    }
}

fn page_of(viewer: &Viewer, (name, description): (&str, &str), problems: &Problems) -> Page {
    let body = html! {
        h1 { "New organization" }
        form.card method="post" autocomplete="off" {
            (token(viewer))
            (problems.others(&["name", "description"]))
            p { "You will be its owner. Others see nothing of it until you invite them." }
            (Field::text("name", "Name", name).required().show(problems))
            (Field::text("description", "Description", description).show(problems))
            p { button type="submit" { "Create" } }
        }
    };
    let trail = vec![("Organizations".to_owned(), ROOT.to_owned())];
    Page { title: "New organization".into(), place: None, trail, body, api: Some("/organization".into()), live: None }
}

#[handler]
pub(super) async fn form(Data(app): Data<&Arc<App>>, viewer: Viewer) -> poem::Result<Response> {
    creator(app, &viewer).await?;
    Ok(reply::page(app, &viewer, &page_of(&viewer, ("", ""), &Problems::default())))
}

#[handler]
pub(super) async fn create(Data(app): Data<&Arc<App>>, viewer: Viewer, sent: Form) -> poem::Result<Response> {
    let owner = creator(app, &viewer).await?;
    match created(app, owner, &sent).await {
        Ok(row) => Ok(reply::redirect(&paths::organization(row.id))),
        Err(error) => {
            let typed = (sent.text("name"), sent.text("description"));
            Ok(reply::refused(app, &viewer, &page_of(&viewer, typed, &Problems::of(error)?)))
        }
    }
}

async fn created(app: &App, owner: PersonId, sent: &Form) -> Result<organization::Model> {
    let now = app.clock.now();
    let name = limits::name("name", sent.text("name"))?;
    let description = sent.given("description").map(|text| limits::text("description", text.to_owned())).transpose()?;
    let plan = app.config.organization_plan.clone();
    let row = organization::Model { description, plan, ..organization::Model::new(&name, now) };
    found_organization(app, row, owner, now).await
}

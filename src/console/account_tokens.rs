//! The tokens of the viewer: each has all of their rights. Only people have some.

use std::sync::Arc;

use entity::access_token;
use entity::id::{AccessTokenId, PersonId};
use maud::{Markup, html};
use poem::http::StatusCode;
use poem::web::{Data, Path};
use poem::{Response, handler};
use uuid::Uuid;

use super::form::Form;
use super::paths::ROOT;
use super::problems::Problems;
use super::reply;
use super::shell::{Page, token};
use super::token_parts::{chosen_end, created_token, end_field, revoke_button, time};
use super::viewer::Viewer;
use super::when::distance;
use super::widgets::Field;
use crate::app::App;
use crate::engine::own_token::{self, NewOwnToken, OwnerOfToken};
use crate::error::{Error, Result};
use crate::secret::Secret;
use crate::store;
use crate::store::team::TokensOf;

/// The person who is signed in. Somebody who signed in with an API token is none.
fn person(viewer: &Viewer) -> Result<PersonId> {
    viewer
        .caller
        .person()
        .ok_or(Error::Forbidden("you signed in with an API token; only people have tokens of their own"))
}

async fn listed(
    app: &App,
    viewer: &Viewer,
    created: Option<&Secret<String>>,
    refused: Option<(&Form, &Problems)>,
) -> Result<Response> {
    let rows = store::team::list_tokens(&app.db, TokensOf::Person(person(viewer)?), None).await?;
    let none = Problems::default();
    let problems = refused.map_or(&none, |(_, problems)| problems);
    let typed = |name: &str| refused.map_or("", |(form, _)| form.text(name));
    let body = html! {
        h1 { "Your tokens" }
        (created_token(created, &format!("{ROOT}/account/tokens")))
        @if rows.is_empty() {
            p.card { "You have no tokens yet. A token lets a program act as you, such as the command line of Terraform." }
        } @else { (table(app, viewer, &rows)) }
        section.card {
            h2 { "Create a token" }
            form method="post" action={ (ROOT) "/account/tokens" } autocomplete="off" {
                (token(viewer))
                (problems.others(&["description", "expires_at"]))
                p { "It has your rights, and loses those that you lose." }
                (Field::text("description", "What for", typed("description")).required().show(problems))
                (end_field(typed("expires_at"), problems))
                p { button type="submit" { "Create" } }
            }
        }
    };
    let trail = vec![("Your account".to_owned(), format!("{ROOT}/account"))];
    let page = Page { title: "Your tokens".into(), place: None, trail, body, api: Some("/pat/v1".into()), live: None };
    let mut response = reply::page(app, viewer, &page);
    if refused.is_some() {
        response.set_status(StatusCode::BAD_REQUEST);
    }
    Ok(response)
}

fn table(app: &App, viewer: &Viewer, rows: &[access_token::Model]) -> Markup {
    let now = app.clock.now();
    html! {
        div.scroll { table.stacked {
            caption.hidden { "Your tokens" }
            thead { tr {
                th scope="col" { "What for" } th scope="col" { "Created" } th scope="col" { "Last used" } th scope="col" { "Ends" }
                th scope="col" { span.hidden { "Actions" } }
            } }
            tbody { @for row in rows { @let called = row.description.as_deref().filter(|text| !text.is_empty()).unwrap_or(&row.name); tr {
                td data-label="What for" { (called) }
                td data-label="Created" { (distance(row.created_at, now)) }
                td data-label="Last used" { (time(row.last_used_at, "never", now)) }
                td data-label="Ends" { (time(row.expires_at, "never", now)) }
                td data-label="Actions" { (revoke_button(viewer, &format!("{ROOT}/account/token/{}", row.id), called)) }
            } } }
        } }
    }
}

#[handler]
pub(super) async fn list(Data(app): Data<&Arc<App>>, viewer: Viewer) -> poem::Result<Response> {
    Ok(listed(app, &viewer, None, None).await?)
}

#[handler]
pub(super) async fn create(Data(app): Data<&Arc<App>>, viewer: Viewer, form: Form) -> poem::Result<Response> {
    match created(app, &viewer, &form).await {
        Ok(token) => Ok(listed(app, &viewer, Some(&token), None).await?),
        Err(error) => Ok(listed(app, &viewer, None, Some((&form, &Problems::of(error)?))).await?),
    }
}

async fn created(app: &App, viewer: &Viewer, form: &Form) -> Result<Secret<String>> {
    let person = person(viewer)?;
    let description = form.given("description").ok_or_else(|| Error::invalid("description", "must not be empty"))?;
    let wanted = NewOwnToken {
        owner: OwnerOfToken::Person(person, &viewer.caller.identity.groups),
        by: viewer.caller.name(),
        description: Some(description.to_owned()),
        expires_at: chosen_end(form)?,
        lifetime: None,
    };
    own_token::create(app, wanted, app.clock.now()).await
}

#[handler]
pub(super) async fn revoke(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path(id): Path<Uuid>,
    _form: Form,
) -> poem::Result<Response> {
    let of = TokensOf::Person(person(&viewer)?);
    let rows = store::team::list_tokens(&app.db, of, Some(AccessTokenId(id))).await.map_err(Error::from)?;
    let row = rows.first().ok_or(Error::NotFound("token"))?;
    own_token::revoke(app, row.id).await?;
    Ok(reply::redirect(&format!("{ROOT}/account/tokens")))
}

//! API tokens of an organization, and the personal and team tokens within reach of its administrators.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use entity::id::{AccessTokenId, OrganizationId, TokenId};
use entity::member::Role;
use entity::{access_token, api_token, custom_role};
use maud::{Markup, html};
use poem::http::StatusCode;
use poem::web::{Data, Path};
use poem::{Response, handler};
use uuid::Uuid;

use super::member_list::uuid;
use super::tabs::{Tab, settings, show};
use crate::access::{self, Action};
use crate::app::App;
use crate::console::form::Form;
use crate::console::problems::Problems;
use crate::console::reply;
use crate::console::shell::token;
use crate::console::token_parts::{chosen_end, created_token, end_field, revoke_button, time};
use crate::console::viewer::Viewer;
use crate::console::when::distance;
use crate::console::widgets::Field;
use crate::engine::assigned_role::{BUILT_IN, assignable, name_and_id};
use crate::engine::organization_token::{self, NewToken};
use crate::error::Result;
use crate::secret::Secret;
use crate::store;

#[handler]
pub(super) async fn page(Data(app): Data<&Arc<App>>, viewer: Viewer, Path(id): Path<Uuid>) -> poem::Result<Response> {
    Ok(listed(app, &viewer, OrganizationId(id), None, None).await?)
}

/// The tokens. `created` is shown once.
async fn listed(
    app: &App,
    viewer: &Viewer,
    id: OrganizationId,
    created: Option<&Secret<String>>,
    refused: Option<(&Form, &Problems)>,
) -> Result<Response> {
    access::organization(&app.db, &viewer.caller, Action::ManageTokens, id).await?;
    let rows = store::token::list_by_organization(&app.db, id).await?;
    let others = access::access_tokens(&app.db, &viewer.caller, Action::ManageTokens, id).await?;
    let custom = store::custom_role::list(&app.db, id).await?;
    let now = app.clock.now();
    let body = html! {
        (created_token(created, &format!("{}/tokens", settings(id))))
        (api_tokens(viewer, id, &rows, &custom, now))
        (create_form(viewer, id, &custom, refused))
        @if !others.is_empty() { (access_tokens(viewer, id, &others, now)) }
    };
    let mut response =
        show(app, viewer, id, (Tab::Tokens, Some(format!("/organization/{id}/apiToken"))), &body).await?;
    if refused.is_some() {
        response.set_status(StatusCode::BAD_REQUEST);
    }
    Ok(response)
}

fn api_tokens(
    viewer: &Viewer,
    id: OrganizationId,
    rows: &[api_token::Model],
    custom: &[custom_role::Model],
    now: DateTime<Utc>,
) -> Markup {
    html! {
        div.scroll { table.stacked {
            caption { "API tokens" }
            thead { tr {
                th scope="col" { "Name" } th scope="col" { "Role" } th scope="col" { "Created" } th scope="col" { "Last used" }
                th scope="col" { "Ends" } th scope="col" { span.hidden { "Actions" } }
            } }
            tbody { @for row in rows { tr {
                td data-label="Name" { (row.name) }
                td data-label="Role" { (name_and_id((row.role, row.custom_role_id), custom).0) }
                td data-label="Created" { (distance(row.created_at, now)) }
                td data-label="Last used" { (time(row.last_used_at, "never", now)) }
                td data-label="Ends" { (time(row.expires_at, "never", now)) }
                td data-label="Actions" { (revoke_button(viewer, &format!("{}/token/{}", settings(id), row.id), &row.name)) }
            } } }
        } }
    }
}

fn access_tokens(viewer: &Viewer, id: OrganizationId, rows: &[access_token::Model], now: DateTime<Utc>) -> Markup {
    html! {
        div.scroll { table.stacked {
            caption { "Personal and team tokens of its members" }
            thead { tr {
                th scope="col" { "Name" } th scope="col" { "Kind" } th scope="col" { "Created by" } th scope="col" { "Last used" }
                th scope="col" { "Ends" } th scope="col" { span.hidden { "Actions" } }
            } }
            tbody { @for row in rows { tr {
                td data-label="Name" { (row.name) }
                td data-label="Kind" { @if row.person_id.is_some() { "personal" } @else { "team" } }
                td data-label="Created by" { (row.created_by) }
                td data-label="Last used" { (time(row.last_used_at, "never", now)) }
                td data-label="Ends" { (time(row.expires_at, "never", now)) }
                td data-label="Actions" { (revoke_button(viewer, &format!("{}/access-token/{}", settings(id), row.id), &row.name)) }
            } } }
        } }
    }
}

fn create_form(
    viewer: &Viewer,
    id: OrganizationId,
    custom: &[custom_role::Model],
    refused: Option<(&Form, &Problems)>,
) -> Markup {
    let none = Problems::default();
    let problems = refused.map_or(&none, |(_, problems)| problems);
    let typed = |name: &str| refused.map_or("", |(form, _)| form.text(name));
    let is_chosen = |role: Option<Role>, id: String| match typed("role") {
        "" => role == Some(Role::Viewer),
        chosen => chosen == id,
    };
    let built_in = BUILT_IN.iter().filter(|(role, ..)| *role != Role::Owner);
    html! {
        section.card {
            h2 { "Create an API token" }
            form method="post" action={ (settings(id)) "/tokens" } {
                (token(viewer))
                (problems.others(&["name", "expires_at"]))
                (Field::text("name", "Name", typed("name")).required().show(problems))
                label for="field-role" { "Role" }
                select #field-role name="role" {
                    @for (role, name, id) in built_in { option value=(id) selected[is_chosen(Some(*role), id.to_string())] { (name) } }
                    @for row in custom { option value=(row.id) selected[is_chosen(None, row.id.to_string())] { (row.name) } }
                }
                (end_field(typed("expires_at"), problems))
                p { button type="submit" { "Create" } }
            }
        }
    }
}

#[handler]
pub(super) async fn create(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path(id): Path<Uuid>,
    form: Form,
) -> poem::Result<Response> {
    let id = OrganizationId(id);
    access::organization(&app.db, &viewer.caller, Action::ManageTokens, id).await?;
    match created(app, &viewer, id, &form).await {
        Ok(token) => Ok(listed(app, &viewer, id, Some(&token), None).await?),
        Err(error) => Ok(listed(app, &viewer, id, None, Some((&form, &Problems::of(error)?))).await?),
    }
}

async fn created(app: &App, viewer: &Viewer, id: OrganizationId, form: &Form) -> Result<Secret<String>> {
    let expires_at = chosen_end(form)?;
    let role = assignable(&app.db, "role", id, uuid(form, "role")?).await?;
    let asked = NewToken { name: form.text("name").trim().to_owned(), description: None, role, expires_at };
    let shown = |row: api_token::Model, custom: &[custom_role::Model]| {
        let (role, _) = name_and_id((row.role, row.custom_role_id), custom);
        serde_json::json!({ "id": row.id, "name": row.name, "role_name": role, "expires_at": row.expires_at })
    };
    Ok(organization_token::create(app, &viewer.requester(), id, asked, shown).await?.1)
}

#[handler]
pub(super) async fn revoke(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path((id, row)): Path<(Uuid, Uuid)>,
    _form: Form,
) -> poem::Result<Response> {
    let id = OrganizationId(id);
    let row = access::token(&app.db, &viewer.caller, Action::ManageTokens, id, TokenId(row)).await?;
    organization_token::revoke(app, &viewer.requester(), &row).await?;
    Ok(reply::redirect(&format!("{}/tokens", settings(id))))
}

#[handler]
pub(super) async fn revoke_access_token(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path((id, row)): Path<(Uuid, Uuid)>,
    _form: Form,
) -> poem::Result<Response> {
    let id = OrganizationId(id);
    let row = access::access_token(&app.db, &viewer.caller, Action::ManageTokens, id, AccessTokenId(row)).await?;
    organization_token::revoke_access_token(app, &viewer.requester(), id, &row).await?;
    Ok(reply::redirect(&format!("{}/tokens", settings(id))))
}

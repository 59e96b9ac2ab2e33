//! Push hooks with their last deliveries. Their secrets are shown once.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use entity::id::{OrganizationId, PushHookId};
use entity::push_hook::Model;
use entity::push_hook_delivery;
use maud::{Markup, html};
use poem::http::StatusCode;
use poem::web::{Data, Path, Query};
use poem::{Response, handler};
use uuid::Uuid;

use super::tabs::{Tab, may, settings, show};
use crate::access::{self, Action};
use crate::app::App;
use crate::console::form::Form;
use crate::console::notice::{self, Noticed};
use crate::console::problems::Problems;
use crate::console::shell::token;
use crate::console::token_parts::shown_once;
use crate::console::viewer::Viewer;
use crate::console::when::distance;
use crate::console::widgets::{Field, button, state};
use crate::engine::push::accept_push::name as provider;
use crate::engine::settings::push_hook_settings::{self, address};
use crate::error::Result;
use crate::secret::Secret;
use crate::store;

/// How many deliveries of each push hook are shown.
const DELIVERIES: u64 = 10;
/// How many digits of a commit are shown.
const SHORT: usize = 8;

/// A push hook with a new secret.
type Created = (Model, Secret<String>);

#[handler]
pub(super) async fn page(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path(id): Path<Uuid>,
    Query(noticed): Query<Noticed>,
) -> poem::Result<Response> {
    let id = OrganizationId(id);
    access::organization(&app.db, &viewer.caller, Action::ViewSettings, id).await?;
    Ok(listed(app, &viewer, id, (None, &noticed), None).await?)
}

/// The push hooks. The secret of `created` is shown once.
async fn listed(
    app: &App,
    viewer: &Viewer,
    id: OrganizationId,
    (created, noticed): (Option<&Created>, &Noticed),
    refused: Option<(&str, &Problems)>,
) -> Result<Response> {
    // What was delivered may be read by those who may change what is accepted.
    let manages = may(viewer, id, Action::ManageSettings);
    let mut rows = Vec::new();
    for row in store::push::list_hooks(&app.db, id).await? {
        let deliveries = match manages {
            true => store::push::list_hook_deliveries(&app.db, row.id, DELIVERIES).await?,
            false => Vec::new(),
        };
        rows.push((row, deliveries));
    }
    let now = app.clock.now();
    let body = html! {
        (noticed.show())
        @if let Some((row, secret)) = created { (new_secret(app, row, secret)) }
        @if rows.is_empty() {
            p.card { "There are no push hooks yet. A git provider delivers pushes to them, so that jobs with automatic deployment are deployed at once, and workspaces that poll start their jobs, and not only at the next poll." }
        }
        @for (row, deliveries) in &rows { (card(app, (viewer, manages), row, deliveries, now)) }
        @if manages { (create_form(viewer, id, refused)) }
    };
    show(app, viewer, id, (Tab::PushHooks, Some(format!("/organization/{id}/pushHook"))), &body).await
}

fn new_secret(app: &App, row: &Model, secret: &Secret<String>) -> Markup {
    let said = format!("This is the secret of {}. Copy it now: it is not shown again.", row.name);
    let advice = html! {
        p { "Give it to the provider, with this address, JSON as the type of content, and the events of pushes:" }
        pre { code { (address(app, row.id)) } }
    };
    shown_once(&format!("{}/push-hooks", settings(row.organization_id)), &said, secret.expose(), Some(advice))
}

fn card(
    app: &App,
    (viewer, manages): (&Viewer, bool),
    row: &Model,
    deliveries: &[push_hook_delivery::Model],
    now: DateTime<Utc>,
) -> Markup {
    let path = format!("{}/push-hook/{}", settings(row.organization_id), row.id);
    html! {
        section.card {
            h2 { (row.name) }
            pre { code { (address(app, row.id)) } }
            @if manages {
                div.row {
                    (button(viewer, &format!("{path}/secret"), "New secret", "quiet",
                        Some(&format!("Make a new secret for {}? Deliveries that are signed with the present one are refused.", row.name))))
                    (button(viewer, &format!("{path}/delete"), "Delete", "danger", Some(&format!("Delete the push hook {}?", row.name))))
                }
                @if deliveries.is_empty() { p.soft { "Nothing was delivered yet." } } @else { (table(deliveries, now)) }
            }
        }
    }
}

fn table(deliveries: &[push_hook_delivery::Model], now: DateTime<Utc>) -> Markup {
    html! {
        div.scroll { table.stacked {
            caption { "Last deliveries" }
            thead { tr {
                th scope="col" { "When" } th scope="col" { "From" } th scope="col" { "Repository" } th scope="col" { "Branch" }
                th scope="col" { "Commit" } th scope="col" { "Outcome" }
            } }
            tbody { @for row in deliveries { tr {
                td data-label="When" { (distance(row.created_at, now)) }
                td data-label="From" { (provider(row.provider)) }
                td data-label="Repository" { @if let Some(repository) = &row.repository { code { (repository) } } }
                td data-label="Branch" { @if let Some(branch) = &row.branch { code { (branch) } } }
                td data-label="Commit" { @if let Some(commit) = &row.commit_id { code { (commit.get(..SHORT).unwrap_or(commit)) } } }
                td data-label="Outcome" {
                    @match &row.reason {
                        Some(reason) => { (state(("cancelled", "ignored"))) div.soft { (reason) } }
                        None => (state(("ok", "polled"))),
                    }
                }
            } } }
        } }
    }
}

fn create_form(viewer: &Viewer, id: OrganizationId, refused: Option<(&str, &Problems)>) -> Markup {
    let none = Problems::default();
    let (name, problems) = refused.unwrap_or(("", &none));
    html! {
        section.card {
            h2 { "Create a push hook" }
            form method="post" action={ (settings(id)) "/push-hooks" } {
                (token(viewer))
                (problems.others(&["name"]))
                (Field::text("name", "Name", name).required().hint("Such as the name of the provider").show(problems))
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
    access::organization(&app.db, &viewer.caller, Action::ManageSettings, id).await?;
    let nothing = Noticed::default();
    let name = form.text("name").trim();
    match push_hook_settings::create(app, &viewer.requester(), id, name).await {
        Ok(created) => Ok(listed(app, &viewer, id, (Some(&created), &nothing), None).await?),
        Err(error) => {
            let problems = Problems::of(error)?;
            let mut response = listed(app, &viewer, id, (None, &nothing), Some((name, &problems))).await?;
            response.set_status(StatusCode::BAD_REQUEST);
            Ok(response)
        }
    }
}

#[handler]
pub(super) async fn replace_secret(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path((id, row)): Path<(Uuid, Uuid)>,
    _form: Form,
) -> poem::Result<Response> {
    let id = OrganizationId(id);
    let row = access::push_hook(&app.db, &viewer.caller, Action::ManageSettings, id, PushHookId(row)).await?;
    let created = push_hook_settings::replace_secret(app, &viewer.requester(), row).await?;
    Ok(listed(app, &viewer, id, (Some(&created), &Noticed::default()), None).await?)
}

#[handler]
pub(super) async fn delete(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path((id, row)): Path<(Uuid, Uuid)>,
    _form: Form,
) -> poem::Result<Response> {
    let id = OrganizationId(id);
    let row = access::push_hook(&app.db, &viewer.caller, Action::ManageSettings, id, PushHookId(row)).await?;
    push_hook_settings::delete(app, &viewer.requester(), row).await?;
    Ok(notice::lead(&format!("{}/push-hooks", settings(id)), "push-hook-deleted"))
}

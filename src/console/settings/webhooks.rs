//! Webhooks with their last deliveries.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use entity::id::OrganizationId;
use entity::webhook_delivery::{DeliveryState, Model};
use entity::{webhook, webhook_delivery};
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
use crate::console::when::distance;
use crate::console::widgets::state;
use crate::error::Error;
use crate::store;

/// How many deliveries of each webhook are shown.
const DELIVERIES: u64 = 10;

#[handler]
pub(super) async fn page(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path(id): Path<Uuid>,
    Query(noticed): Query<Noticed>,
) -> poem::Result<Response> {
    let id = OrganizationId(id);
    access::organization(&app.db, &viewer.caller, Action::ViewSettings, id).await?;
    // What was sent may be read by those who may change where it is sent.
    let manages = may(&viewer, id, Action::ManageSettings);
    let mut rows = Vec::new();
    for row in store::webhook::list(&app.db, id).await.map_err(Error::from)? {
        let deliveries = match manages {
            true => store::webhook::list_deliveries(&app.db, row.id, DELIVERIES).await.map_err(Error::from)?,
            false => Vec::new(),
        };
        rows.push((row, deliveries));
    }
    let now = app.clock.now();
    let body = html! {
        (noticed.show())
        @if manages { p { a.button href={ (settings(id)) "/webhooks/new" } { "New webhook" } } }
        @if rows.is_empty() { p.card { "There are no webhooks yet. They tell other programs about deployments, runs and approvals." } }
        @for (row, deliveries) in &rows {
            (card(row, manages.then(|| format!("{}/webhook/{}/edit", settings(id), row.id)), deliveries, now))
        }
    };
    Ok(show(app, &viewer, id, (Tab::Webhooks, Some(format!("/organization/{id}/webhook"))), &body).await?)
}

fn card(row: &webhook::Model, edit: Option<String>, deliveries: &[Model], now: DateTime<Utc>) -> Markup {
    let official = row.events.0.iter().map(|event| event.to_value());
    let own = row.own_events.iter().flat_map(|own| &own.0).map(|event| event.to_value());
    let events: Vec<String> = official.chain(own).collect();
    html! {
        section.card {
            div.row.between {
                h2 { (row.target_url) }
                @if let Some(edit) = &edit { a.button.quiet href=(edit) { "Edit" span.hidden { " the webhook of " (row.target_url) } } }
            }
            p {
                (state(if row.enabled { ("ok", "enabled") } else { ("cancelled", "disabled") }))
                " " (row.kind.to_value()) ", for " (events.join(", "))
            }
            @if let Some(text) = row.description.as_deref().filter(|text| !text.is_empty()) { p { (text) } }
            @if !deliveries.is_empty() {
                div.scroll { table.stacked {
                    caption { "Last deliveries" }
                    thead { tr { th scope="col" { "When" } th scope="col" { "Event" } th scope="col" { "State" } th.number scope="col" { "Attempts" } th scope="col" { "Answer" } } }
                    tbody { @for row in deliveries { (delivery(row, now)) } }
                } }
            }
        }
    }
}

fn delivery(row: &webhook_delivery::Model, now: DateTime<Utc>) -> Markup {
    let shown = match row.state {
        DeliveryState::Pending => ("queued", "waiting"),
        DeliveryState::Delivered => ("ok", "delivered"),
        DeliveryState::Failed => ("failed", "failed"),
    };
    let answer: String = row.response.as_deref().unwrap_or_default().chars().take(200).collect();
    let event = row.own_event.map_or_else(|| row.event.to_value(), |event| event.to_value());
    html! {
        tr {
            td data-label="When" { (distance(row.created_at, now)) }
            td data-label="Event" { (event) }
            td data-label="State" { (state(shown)) }
            td.number data-label="Attempts" { (row.attempts) }
            td data-label="Answer" { @if let Some(code) = row.status_code { (code) " " } (answer) }
        }
    }
}

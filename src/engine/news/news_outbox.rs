//! Stores the deliveries of news.

use chrono::{DateTime, Utc};
use entity::id::DeliveryId;
use entity::webhook;
use entity::webhook_delivery::{DeliveryState, Model};
use sea_orm::DatabaseTransaction;

use super::news_payload::{News, payload, wants};
use crate::app::App;
use crate::error::Result;
use crate::store;
use crate::store::webhook_news::NewsPlace;

/// Stores a delivery for each webhook that wants to know, and does not know it yet.
pub(super) async fn publish(
    app: &App,
    tx: &DatabaseTransaction,
    hooks: &[webhook::Model],
    (place, news): (&NewsPlace, &News),
    now: DateTime<Utc>,
) -> Result<()> {
    for hook in hooks.iter().filter(|hook| wants(hook, place, news.event)) {
        let row = Model {
            id: DeliveryId::create(),
            webhook_id: hook.id,
            created_at: now,
            updated_at: now,
            kind: hook.kind,
            event: news.event.nearest(),
            target_url: hook.target_url.clone(),
            payload: payload(hook.kind, place, news, (&app.public_url(), now)),
            state: DeliveryState::Pending,
            attempts: 0,
            next_attempt_at: now,
            status_code: None,
            response: None,
            own_event: Some(news.event),
            cause: Some(news.cause.clone()),
        };
        store::webhook_news::create_once(tx, row).await?;
    }
    Ok(())
}

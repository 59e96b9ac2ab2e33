//! The loop that sends webhook deliveries and retries failed ones with backoff. A webhook gets one delivery at a time.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use entity::webhook;
use entity::webhook_delivery::{DeliveryState, Model};
use reqwest::Client;
use sea_orm::{DatabaseTransaction, DbErr};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::call::{call, request};
use super::destination::PATIENCE;
use super::outbox_loop::{Outbox, send_all, send_until};
use crate::app::App;
use crate::error::Result;
use crate::liveness::passes::Pass;
use crate::store;
use crate::store::outbox::Room;
use crate::store::row_changes::Watched;

/// The pauses before each retry. A delivery fails after the last one.
const PAUSES: [TimeDelta; 7] = [
    TimeDelta::seconds(5),
    TimeDelta::seconds(30),
    TimeDelta::minutes(5),
    TimeDelta::minutes(30),
    TimeDelta::hours(2),
    TimeDelta::hours(8),
    TimeDelta::hours(24),
];

/// The deliveries of webhooks.
struct Deliveries;

impl Outbox for Deliveries {
    type Row = Model;
    const PASS: Pass = Pass::Webhooks;
    const TABLE: Watched = Watched::WebhookDelivery;
    const PAUSE: Duration = Duration::from_secs(2);
    const LEASE: TimeDelta = TimeDelta::seconds(60);

    async fn next(app: &App, room: &Room) -> Result<Option<DateTime<Utc>>, DbErr> {
        store::webhook::next_delivery(&app.db, room).await
    }

    async fn claim(
        tx: &DatabaseTransaction,
        room: &Room,
        lease: (DateTime<Utc>, DateTime<Utc>),
    ) -> Result<Vec<Model>, DbErr> {
        store::webhook::claim_deliveries(tx, room, lease).await
    }

    fn destination(row: &Model) -> (Uuid, i32) {
        (row.webhook_id.0, row.attempts)
    }

    async fn send(app: &App, client: Client, row: Model, lease_ends_at: DateTime<Utc>) {
        deliver(app, client, row, lease_ends_at).await;
    }
}

/// Sends deliveries until `shutdown`.
pub async fn run(app: &App, shutdown: CancellationToken) {
    send_until::<Deliveries>(app, &Notify::new(), shutdown).await;
}

/// Sends what is due until nothing is, and returns the number of deliveries.
///
/// # Errors
/// Database errors.
pub async fn send(app: &App) -> Result<usize> {
    send_all::<Deliveries>(app).await
}

async fn deliver(app: &App, client: Client, row: Model, lease_ends_at: DateTime<Utc>) {
    let (id, webhook) = (row.id, row.webhook_id);
    // The delivery is due again when its lease ends.
    if let Err(error) = one(app, &client, row, lease_ends_at).await {
        tracing::error!(delivery = %id, %webhook, ?error, "webhook delivery failed; will retry");
        app.metrics.row_failed(Pass::Webhooks.name());
    }
}

async fn one(app: &App, client: &Client, row: Model, lease_ends_at: DateTime<Utc>) -> Result<()> {
    let Some(hook) = store::row::by_id::<webhook::Model>(&app.db, row.webhook_id).await? else { return Ok(()) };
    let left = (lease_ends_at - app.clock.now()).to_std().unwrap_or_default();
    let answer = match request(app, client, &hook, &row) {
        // Before it ends, another server may send it.
        Ok(Ok(_)) if left < PATIENCE => return Ok(()),
        Ok(Ok(request)) => call(request).await,
        Ok(Err(reason)) => Err(reason),
        // For example, the secret of the webhook cannot be decrypted. This counts as an attempt, so that the delivery ends.
        Err(error) => {
            tracing::error!(delivery = %row.id, webhook = %hook.id, ?error, "webhook delivery could not be signed");
            app.metrics.row_failed(Pass::Webhooks.name());
            Err(error.reason())
        }
    };
    let now = app.clock.now();
    let attempts = row.attempts + 1;
    let (status_code, response) = match &answer {
        Ok((status, text)) => (Some(i32::from(*status)), text.clone()),
        Err(reason) => (None, reason.clone()),
    };
    let taken = matches!(answer, Ok((status, _)) if (200..300).contains(&status));
    let pause = usize::try_from(row.attempts).ok().and_then(|place| PAUSES.get(place));
    let (state, next_attempt_at) = match pause {
        _ if taken => (DeliveryState::Delivered, now),
        Some(pause) => (DeliveryState::Pending, now + *pause),
        None => (DeliveryState::Failed, now),
    };
    let response = Some(response);
    let row = Model { state, attempts, next_attempt_at, status_code, response, updated_at: now, ..row };
    match store::write_one(&app.db, async |db| store::row::update(&db, row.clone()).await).await {
        // The webhook was deleted in the meantime, together with its deliveries.
        Ok(_) | Err(sea_orm::DbErr::RecordNotUpdated) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

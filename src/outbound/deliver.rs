//! The loop that sends webhook deliveries and retries failed ones with backoff.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use entity::webhook;
use entity::webhook_delivery::{DeliveryState, Model};
use futures_util::StreamExt as _;
use reqwest::Client;
use tokio_util::sync::CancellationToken;

use super::call::{call, request};
use super::destination::client;
use crate::app::App;
use crate::error::{Error, Result};
use crate::liveness::passes::Pass;
use crate::store;
use crate::store::kept_glance::KeptGlance;
use crate::store::row_changes::Watched;

/// Concurrent deliveries.
const AT_ONCE: usize = 8;
/// Deliveries claimed at once.
const BATCH: u64 = 32;
/// How long a claimed delivery is reserved for this server.
const LEASE: TimeDelta = TimeDelta::seconds(60);
/// The longest sleep between passes.
const CALM: Duration = Duration::from_secs(2);
/// The shortest sleep before a pass, as another server may be sending what is due.
const SHORTEST: Duration = Duration::from_millis(20);

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

/// Sends deliveries until `shutdown`.
pub async fn run(app: &App, shutdown: CancellationToken) {
    let mut glance = KeptGlance::of(&app.db, &[Watched::WebhookDelivery]);
    while !shutdown.is_cancelled() {
        let pause = tokio::select! {
            biased;
            () = shutdown.cancelled() => return,
            passed = pass(app, &mut glance, app.clock.now()) => match passed {
                Ok(pause) => {
                    app.setbacks.pass_succeeded(Pass::Webhooks);
                    pause
                }
                Err(error) => {
                    tracing::error!(?error, "due webhook deliveries could not be read; will retry");
                    app.setbacks.pass_failed(Pass::Webhooks, app.clock.now());
                    app.metrics.pass_failed(Pass::Webhooks.name());
                    Some(CALM)
                }
            }
        };
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = tokio::time::sleep(pause.unwrap_or_default()), if pause.is_some() => {}
            () = glance.rest(CALM), if pause.is_none() => {}
        }
    }
}

/// Sends what is due, and returns the time until the next pass; `None` if nothing waits. While nothing is due, a pass is one query, and
/// no transaction.
async fn pass(
    app: &App,
    glance: &mut KeptGlance<Option<DateTime<Utc>>>,
    now: DateTime<Utc>,
) -> Result<Option<Duration>> {
    Ok(match glance.get(async || store::webhook::next_delivery(&app.db).await).await? {
        None => None,
        Some(due) if due > now => Some((due - now).to_std().unwrap_or_default().clamp(SHORTEST, CALM)),
        Some(_) => Some(if send(app, now).await? > 0 { Duration::ZERO } else { SHORTEST }),
    })
}

/// Sends the due deliveries and returns their number.
///
/// # Errors
/// Database errors.
pub async fn send(app: &App, now: DateTime<Utc>) -> Result<usize> {
    let due = store::write(&app.db, async |tx| {
        store::webhook::claim_deliveries(tx, now, now + LEASE, BATCH).await.map_err(Error::from)
    })
    .await?;
    let count = due.len();
    if count == 0 {
        // A client reads the certificates of the machine.
        return Ok(0);
    }
    let client = client(app.config.webhook_private_addresses).map_err(Error::internal)?;
    let client = &client;
    futures_util::stream::iter(due)
        .for_each_concurrent(AT_ONCE, async |row| {
            let (id, webhook) = (row.id, row.webhook_id);
            // The delivery is due again when its lease ends.
            if let Err(error) = one(app, client, row).await {
                tracing::error!(delivery = %id, %webhook, ?error, "webhook delivery failed; will retry");
                app.metrics.row_failed(Pass::Webhooks.name());
            }
        })
        .await;
    Ok(count)
}

async fn one(app: &App, client: &Client, row: Model) -> Result<()> {
    let Some(hook) = store::row::by_id::<webhook::Model>(&app.db, row.webhook_id).await? else { return Ok(()) };
    let answer = match request(app, client, &hook, &row) {
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

//! The loop that sends webhook deliveries and retries failed ones with backoff. A webhook gets one delivery at a time.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use entity::webhook;
use entity::webhook_delivery::{DeliveryState, Model};
use reqwest::Client;
use tokio_util::sync::CancellationToken;

use super::call::{call, request};
use super::destination::{KeptClient, PATIENCE};
use super::places::Places;
use crate::app::App;
use crate::error::{Error, Result};
use crate::liveness::passes::Pass;
use crate::store;
use crate::store::kept_glance::KeptGlance;
use crate::store::row_changes::Watched;

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

/// The deliveries that are under way, and the client that sends them.
#[derive(Default)]
struct Sending<'a> {
    places: Places<'a>,
    client: KeptClient,
}

/// Sends deliveries until `shutdown`.
pub async fn run(app: &App, shutdown: CancellationToken) {
    let mut glance = KeptGlance::of(&app.db, &[Watched::WebhookDelivery]);
    let mut sending = Sending::default();
    while !shutdown.is_cancelled() {
        tokio::select! {
            biased;
            () = shutdown.cancelled() => return,
            () = pass_and_rest(app, &mut glance, &mut sending) => {}
        }
    }
}

async fn pass_and_rest<'a>(app: &'a App, glance: &mut KeptGlance<Option<DateTime<Utc>>>, sending: &mut Sending<'a>) {
    let pause = match pass(app, glance, sending).await {
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
    };
    tokio::select! {
        () = sending.places.one_ends() => {}
        () = tokio::time::sleep(pause.unwrap_or_default()), if pause.is_some() => {}
        () = glance.rest(CALM), if pause.is_none() => {}
    }
}

/// Begins to send what is due, and returns the time until the next pass; `None` if nothing waits. While nothing is due, a pass is one
/// query, and no transaction.
async fn pass<'a>(
    app: &'a App,
    glance: &mut KeptGlance<Option<DateTime<Utc>>>,
    sending: &mut Sending<'a>,
) -> Result<Option<Duration>> {
    loop {
        let room = sending.places.room();
        if room.places == 0 {
            return Ok(Some(CALM));
        }
        let rests = sending.places.is_empty();
        let next = match rests {
            true => glance.get(async || store::webhook::next_delivery(&app.db, &room).await).await?,
            // What is found depends on what is under way, and is not kept.
            false => sending.places.beside(store::webhook::next_delivery(&app.db, &room)).await?,
        };
        let now = app.clock.now();
        match next {
            None => return Ok((!rests).then_some(CALM)),
            Some(due) if due > now => {
                return Ok(Some((due - now).to_std().unwrap_or_default().clamp(SHORTEST, CALM)));
            }
            Some(_) if begin_due(app, sending).await? == 0 => return Ok(Some(SHORTEST)),
            Some(_) => {}
        }
    }
}

/// Sends what is due until nothing is, and returns the number of deliveries.
///
/// # Errors
/// Database errors.
pub async fn send(app: &App) -> Result<usize> {
    let (mut sending, mut count) = (Sending::default(), 0);
    loop {
        // What ends while others are claimed was in their way.
        let was_idle = sending.places.is_empty();
        match begin_due(app, &mut sending).await? {
            0 if was_idle => return Ok(count),
            0 if sending.places.is_empty() => {}
            0 => sending.places.one_ends().await,
            some => count += some,
        }
    }
}

/// Begins to send deliveries that are due, and returns their number.
async fn begin_due<'a>(app: &'a App, sending: &mut Sending<'a>) -> Result<usize> {
    let room = sending.places.room();
    if room.places == 0 {
        return Ok(0);
    }
    let claim = store::write(&app.db, async |tx| {
        // The transaction may have waited for its turn.
        let now = app.clock.now();
        let rows = store::webhook::claim_deliveries(tx, &room, (now, now + LEASE)).await?;
        Ok::<_, Error>((rows, now + LEASE))
    });
    let (due, lease_ends_at) = sending.places.beside(claim).await?;
    if due.is_empty() {
        return Ok(0);
    }
    let client = sending.client.get(app.config.webhook_private_addresses).map_err(Error::internal)?;
    let count = due.len();
    for row in due {
        let (to, attempts) = (row.webhook_id.0, row.attempts);
        sending.places.begin(to, attempts, deliver(app, client.clone(), row, lease_ends_at));
    }
    Ok(count)
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

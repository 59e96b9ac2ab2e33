//! Sends the messages that are due, apart from the decisions about alerts. A receiver gets one message at a time.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use entity::alert_delivery::Model;
use entity::id::{AlertId, RunId};
use entity::webhook_delivery::DeliveryState;
use entity::{alert_receiver, alert_rule};
use reqwest::Client;
use sea_orm::{DatabaseTransaction, DbErr};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::compose::{Message, Tail, compose, explained, quoted};
use super::hand_over::{Answer, hand_over};
use super::refused::Refused;
use super::sealed_address::Address;
use super::silenced_items::without_silenced;
use crate::app::App;
use crate::engine::alert::quiet_until;
use crate::engine::explanation::{Explanation, explain};
use crate::error::{Error, Result};
use crate::liveness::passes::Pass;
use crate::outbound::{self, Outbox};
use crate::store;
use crate::store::outbox::Room;
use crate::store::row_changes::Watched;

/// How many lines of a log a message quotes.
const LINES: usize = 20;
const TIME: &str = "%Y-%m-%d %H:%M:%S UTC";

/// A message is given up when it is older.
const GIVEN_UP: TimeDelta = TimeDelta::days(3);

/// The messages about alerts.
struct Messages;

impl Outbox for Messages {
    type Row = Model;
    const PASS: Pass = Pass::Messages;
    const TABLE: Watched = Watched::AlertDelivery;
    const PAUSE: Duration = Duration::from_millis(500);
    /// Longer than a message of many requests takes.
    const LEASE: TimeDelta = TimeDelta::minutes(10);

    async fn next(app: &App, room: &Room) -> Result<Option<DateTime<Utc>>, DbErr> {
        store::alert::next_message(&app.db, room).await
    }

    async fn claim(
        tx: &DatabaseTransaction,
        room: &Room,
        lease: (DateTime<Utc>, DateTime<Utc>),
    ) -> Result<Vec<Model>, DbErr> {
        store::alert::claim_messages(tx, room, lease).await
    }

    fn destination(row: &Model) -> (Uuid, i32) {
        (row.receiver_id.0, row.attempts)
    }

    async fn send(app: &App, client: Client, row: Model, lease_ends_at: DateTime<Utc>) {
        send_message(app, client, row, lease_ends_at).await;
    }
}

/// Sends messages until `shutdown`. `told` says that there may be a new one.
pub(super) async fn send_until(app: &App, told: &Notify, shutdown: CancellationToken) {
    outbound::send_until::<Messages>(app, told, shutdown).await;
}

/// Sends what is due until nothing is, and returns the number of messages.
///
/// # Errors
/// Database errors.
pub async fn send(app: &App) -> Result<usize> {
    outbound::send_all::<Messages>(app).await
}

async fn send_message(app: &App, client: Client, row: Model, lease_ends_at: DateTime<Utc>) {
    let id = row.id;
    // The message is due again when its lease ends.
    if let Err(error) = one(app, &client, row, lease_ends_at).await {
        tracing::error!(message = %id, ?error, "alert message failed; will retry");
        app.metrics.row_failed(Pass::Messages.name());
    }
}

async fn one(app: &App, client: &Client, row: Model, lease_ends_at: DateTime<Utc>) -> Result<()> {
    let receiver = store::row::by_id::<alert_receiver::Model>(&app.db, row.receiver_id).await?;
    let rule = store::row::by_id::<alert_rule::Model>(&app.db, row.rule_id).await?;
    let Some((receiver, rule)) = receiver.zip(rule) else { return Ok(()) };
    let quiet = |at| receiver.quiet_hours.as_ref().and_then(|hours| quiet_until(hours, rule.severity, at));
    if let Some(until) = quiet(app.clock.now()) {
        return store::write(&app.db, async |tx| {
            store::alert::put_off_message(tx, (row.id, row.attempts), until).await.map_err(Error::from)
        })
        .await;
    }
    let Some(row) = without_silenced(app, &rule, row).await? else { return Ok(()) };
    // The time in which it had to wait does not count.
    let first_at = quiet(row.created_at).unwrap_or(row.created_at);
    let answer = match Address::open(app, &receiver) {
        Ok(address) => {
            let message = message(app, &rule, &row).await?;
            // After that, another server may send it.
            let left = (lease_ends_at - app.clock.now()).to_std().unwrap_or_default();
            if left.is_zero() {
                return Ok(());
            }
            hand_over(app, client, (&receiver, &address), &message, left).await
        }
        // This counts as an attempt, so that the message ends.
        Err(error) => {
            tracing::error!(receiver = %receiver.id, ?error, "the address of a receiver cannot be read");
            app.metrics.row_failed(Pass::Messages.name());
            Refused::Now(error.reason()).into()
        }
    };
    settle(app, row, answer, (first_at, app.clock.now())).await
}

/// Stores what became of a message.
async fn settle(
    app: &App,
    mut row: Model,
    Answer { whole, told }: Answer,
    (first_at, now): (DateTime<Utc>, DateTime<Utc>),
) -> Result<()> {
    for (place, item) in row.items.0.iter_mut().enumerate() {
        item.told |= whole.is_ok() || told.contains(&place);
    }
    let heard: Vec<AlertId> = row.items.0.iter().filter(|item| item.told).map(|item| item.alert).collect();
    let pause = whole.as_ref().err().and_then(|refused| refused.pause(row.attempts, row.error.as_deref()));
    let next = pause.map(|pause| now + pause).filter(|next| *next < first_at + GIVEN_UP);
    store::write(&app.db, async |tx| {
        let error = whole.as_ref().err().map(|refused| refused.reason().to_owned());
        if !told.is_empty() {
            // The next attempt begins with those that were not accepted.
            store::alert::change_claimed_message(tx, row.id, row.items.clone()).await?;
        }
        match (error.clone(), next) {
            (None, _) => store::alert::end_message(tx, row.id, (DeliveryState::Delivered, None), now).await?,
            (Some(reason), Some(next)) => store::alert::release_message(tx, row.id, (next, reason), now).await?,
            (error, None) => store::alert::end_message(tx, row.id, (DeliveryState::Failed, error), now).await?,
        }
        store::alert::mark_notified(tx, heard.clone(), now).await?;
        store::alert::note_error(tx, row.receiver_id, error).await.map_err(Error::from)
    })
    .await
}

async fn message(app: &App, rule: &alert_rule::Model, row: &Model) -> Result<Message> {
    let mut tails = Vec::new();
    for (of, run) in quoted(row.kind, &row.items.0) {
        tails.push(Tail { of, lines: last_lines(app, run).await? });
    }
    let items = (row.items.0.as_slice(), row.more);
    let explanations = explanations(app, rule, row).await?;
    Ok(compose(rule, (row.id, row.kind), items, (&app.public_url(), explanations, tails), app.clock.now()))
}

/// What `explain` answers about the first missed times.
async fn explanations(app: &App, rule: &alert_rule::Model, row: &Model) -> Result<Vec<String>> {
    let mut texts = Vec::new();
    for (name, job, at) in explained(rule, row.kind, &row.items.0) {
        let Some(job) = store::job::by_id(&app.db, job).await? else { continue };
        // A job whose schedule was removed has none. The message matters more than its explanation.
        let Ok(Explanation { reason, next, .. }) = explain(app, &job, Some(at)).await else { continue };
        let next = next.map(|next| format!(" The next time is {}.", next.format(TIME))).unwrap_or_default();
        texts.push(format!("{name} at {}: {reason}.{next}", at.format(TIME)));
    }
    Ok(texts)
}

/// The last lines of a log, as they are stored: with secrets masked.
async fn last_lines(app: &App, run: RunId) -> Result<Vec<String>> {
    let lines = store::log_chunk::list_before(&app.db, run, i64::MAX).await?;
    let skipped = lines.len().saturating_sub(LINES);
    Ok(lines.into_iter().skip(skipped).map(|line| line.text).collect())
}

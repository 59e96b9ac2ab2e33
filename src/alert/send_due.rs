//! Sends the messages that are due.

use chrono::{DateTime, TimeDelta, Utc};
use entity::alert_delivery::Model;
use entity::id::RunId;
use entity::webhook_delivery::DeliveryState;
use entity::{alert_receiver, alert_rule};
use futures_util::StreamExt as _;
use reqwest::Client;

use super::compose::{Message, Tail, compose, explained, quoted};
use super::hand_over::hand_over;
use super::refused::Refused;
use super::sealed_address::Address;
use crate::app::App;
use crate::engine::alert::quiet_until;
use crate::engine::explanation::{Explanation, explain};
use crate::error::{Error, Result};
use crate::liveness::passes::Pass;
use crate::outbound;
use crate::store;

/// Concurrent messages.
const AT_ONCE: usize = 8;
/// Messages claimed at once.
const BATCH: u64 = 32;
/// How often in a row messages are claimed.
const ROUNDS: usize = 20;
/// How long a claimed message is reserved for this server: longer than a message of many requests takes.
const LEASE: TimeDelta = TimeDelta::minutes(10);
/// How many lines of a log a message quotes.
const LINES: usize = 20;
const TIME: &str = "%Y-%m-%d %H:%M:%S UTC";

/// The pauses before the first retries; the last one repeats.
const PAUSES: [TimeDelta; 5] = [
    TimeDelta::seconds(5),
    TimeDelta::seconds(30),
    TimeDelta::minutes(2),
    TimeDelta::minutes(5),
    TimeDelta::minutes(10),
];
const LAST_PAUSE: TimeDelta = TimeDelta::minutes(10);
/// A message is given up when it is older.
const GIVEN_UP: TimeDelta = TimeDelta::days(3);

/// Sends the due messages and returns their number.
///
/// # Errors
/// Database errors.
pub async fn send(app: &App, now: DateTime<Utc>) -> Result<usize> {
    let mut sent = 0;
    // A receiver gets one message at a time.
    for _ in 0..ROUNDS {
        match send_some(app, now).await? {
            0 => break,
            some => sent += some,
        }
    }
    Ok(sent)
}

async fn send_some(app: &App, now: DateTime<Utc>) -> Result<usize> {
    let due = store::write(&app.db, async |tx| {
        store::alert::claim_messages(tx, now, now + LEASE, BATCH).await.map_err(Error::from)
    })
    .await?;
    let count = due.len();
    if count == 0 {
        return Ok(0);
    }
    let client = outbound::client(app.config.webhook_private_addresses).map_err(Error::internal)?;
    let client = &client;
    futures_util::stream::iter(due)
        .for_each_concurrent(AT_ONCE, async |row| {
            let id = row.id;
            // The message is due again when its lease ends.
            if let Err(error) = one(app, client, row).await {
                tracing::error!(message = %id, ?error, "alert message failed; will retry");
                app.metrics.row_failed(Pass::Alerts.name());
            }
        })
        .await;
    Ok(count)
}

async fn one(app: &App, client: &Client, row: Model) -> Result<()> {
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
    // The time in which it had to wait does not count.
    let first_at = quiet(row.created_at).unwrap_or(row.created_at);
    let answer = match Address::open(app, &receiver) {
        Ok(address) => {
            let message = message(app, &rule, &row).await?;
            hand_over(app, client, (&receiver, &address), &message).await
        }
        // This counts as an attempt, so that the message ends.
        Err(error) => {
            tracing::error!(receiver = %receiver.id, ?error, "the address of a receiver cannot be read");
            app.metrics.row_failed(Pass::Alerts.name());
            Err(Refused::Now(error.reason()))
        }
    };
    settle(app, row, answer, (first_at, app.clock.now())).await
}

/// Stores what became of a message.
async fn settle(
    app: &App,
    row: Model,
    answer: Result<(), Refused>,
    (first_at, now): (DateTime<Utc>, DateTime<Utc>),
) -> Result<()> {
    let pause = usize::try_from(row.attempts).ok().and_then(|place| PAUSES.get(place)).copied().unwrap_or(LAST_PAUSE);
    let may_retry = now + pause < first_at + GIVEN_UP;
    store::write(&app.db, async |tx| {
        let error = answer.as_ref().err().map(|refused| refused.reason().to_owned());
        match &answer {
            Ok(()) => {
                store::alert::end_message(tx, row.id, (DeliveryState::Delivered, None), now).await?;
                let alerts = row.items.0.iter().map(|item| item.alert).collect();
                store::alert::mark_notified(tx, alerts).await?;
            }
            Err(Refused::Now(reason)) if may_retry => {
                store::alert::release_message(tx, row.id, (now + pause, reason.clone()), now).await?;
            }
            Err(Refused::Now(_) | Refused::Always(_)) => {
                store::alert::end_message(tx, row.id, (DeliveryState::Failed, error.clone()), now).await?;
            }
        }
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

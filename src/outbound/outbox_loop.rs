//! The loop of an outbox: claims the rows that are due, and sends them side by side, to each destination one at a time.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use reqwest::Client;
use sea_orm::{DatabaseTransaction, DbErr};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::destination::KeptClient;
use super::places::Places;
use crate::app::App;
use crate::error::{Error, Result};
use crate::liveness::passes::Pass;
use crate::store;
use crate::store::kept_glance::KeptGlance;
use crate::store::outbox::Room;
use crate::store::row_changes::Watched;

/// The longest sleep while nothing waits.
const CALM: Duration = Duration::from_secs(2);
/// The shortest sleep before a pass, as another server may be sending what is due.
const SHORTEST: Duration = Duration::from_millis(20);

/// A table of what is to be sent.
pub trait Outbox: 'static {
    type Row: Send;
    const PASS: Pass;
    const TABLE: Watched;
    /// The longest sleep between passes while a row waits.
    const PAUSE: Duration;
    /// How long a claimed row is reserved for this server.
    const LEASE: TimeDelta;

    /// When the next row is due that can begin.
    fn next(app: &App, room: &Room) -> impl Future<Output = Result<Option<DateTime<Utc>>, DbErr>> + Send;

    /// Claims rows that are due now, until a time.
    fn claim(
        tx: &DatabaseTransaction,
        room: &Room,
        lease: (DateTime<Utc>, DateTime<Utc>),
    ) -> impl Future<Output = Result<Vec<Self::Row>, DbErr>> + Send;

    /// The destination of a row, and how often it was tried before.
    fn destination(row: &Self::Row) -> (Uuid, i32);

    /// Sends a row, which is due again when its lease ends.
    fn send(app: &App, client: Client, row: Self::Row, lease_ends_at: DateTime<Utc>)
    -> impl Future<Output = ()> + Send;
}

/// What is under way, and the client that sends it.
#[derive(Default)]
struct Sending<'a> {
    places: Places<'a>,
    client: KeptClient,
}

/// Sends what is due until `shutdown`. `told` says that there may be something new.
pub async fn send_until<O: Outbox>(app: &App, told: &Notify, shutdown: CancellationToken) {
    let mut glance = KeptGlance::of(&app.db, &[O::TABLE]);
    let mut sending = Sending::default();
    while !shutdown.is_cancelled() {
        tokio::select! {
            biased;
            () = shutdown.cancelled() => return,
            () = pass_and_rest::<O>(app, told, &mut glance, &mut sending) => {}
        }
    }
}

async fn pass_and_rest<'a, O: Outbox>(
    app: &'a App,
    told: &Notify,
    glance: &mut KeptGlance<Option<DateTime<Utc>>>,
    sending: &mut Sending<'a>,
) {
    let pause = match pass::<O>(app, glance, sending).await {
        Ok(pause) => {
            app.setbacks.pass_succeeded(O::PASS);
            pause
        }
        Err(error) => {
            tracing::error!(outbox = O::PASS.name(), ?error, "what is due could not be read; will retry");
            app.setbacks.pass_failed(O::PASS, app.clock.now());
            app.metrics.pass_failed(O::PASS.name());
            Some(O::PAUSE)
        }
    };
    tokio::select! {
        () = sending.places.one_ends() => {}
        () = told.notified() => {}
        () = tokio::time::sleep(pause.unwrap_or_default()), if pause.is_some() => {}
        () = glance.rest(CALM), if pause.is_none() => {}
    }
}

/// Begins to send what is due, and returns the time until the next pass; `None` if nothing waits. While nothing is due, a pass is one
/// query, and no transaction; on SQLite it is not even that.
async fn pass<'a, O: Outbox>(
    app: &'a App,
    glance: &mut KeptGlance<Option<DateTime<Utc>>>,
    sending: &mut Sending<'a>,
) -> Result<Option<Duration>> {
    loop {
        let room = sending.places.room();
        if room.places == 0 {
            return Ok(Some(O::PAUSE));
        }
        let rests = sending.places.is_empty();
        let next = match rests {
            true => glance.get(async || O::next(app, &room).await).await?,
            // What is found depends on what is under way, and is not kept.
            false => sending.places.beside(O::next(app, &room)).await?,
        };
        let now = app.clock.now();
        match next {
            None => return Ok((!rests).then_some(CALM)),
            // A row leaves when it is due, and not at the pass after that.
            Some(due) if due > now => {
                return Ok(Some((due - now).to_std().unwrap_or_default().clamp(SHORTEST, O::PAUSE)));
            }
            Some(_) if begin_due::<O>(app, sending).await? == 0 => return Ok(Some(SHORTEST)),
            Some(_) => {}
        }
    }
}

/// Sends what is due until nothing is, and returns how much that was.
///
/// # Errors
/// Database errors.
pub async fn send_all<O: Outbox>(app: &App) -> Result<usize> {
    let (mut sending, mut count) = (Sending::default(), 0);
    loop {
        // What ends while others are claimed was in their way.
        let was_idle = sending.places.is_empty();
        match begin_due::<O>(app, &mut sending).await? {
            0 if was_idle => return Ok(count),
            0 if sending.places.is_empty() => {}
            0 => sending.places.one_ends().await,
            some => count += some,
        }
    }
}

/// Begins to send rows that are due, and returns their number.
async fn begin_due<'a, O: Outbox>(app: &'a App, sending: &mut Sending<'a>) -> Result<usize> {
    let room = sending.places.room();
    if room.places == 0 {
        return Ok(0);
    }
    let claim = store::write(&app.db, async |tx| {
        // The transaction may have waited for its turn.
        let now = app.clock.now();
        let lease_ends_at = now + O::LEASE;
        let rows = O::claim(tx, &room, (now, lease_ends_at)).await?;
        Ok::<_, Error>((rows, lease_ends_at))
    });
    let (due, lease_ends_at) = sending.places.beside(claim).await?;
    if due.is_empty() {
        return Ok(0);
    }
    let client = sending.client.get(app.config.webhook_private_addresses).map_err(Error::internal)?;
    let count = due.len();
    for row in due {
        let (to, attempts) = O::destination(&row);
        sending.places.begin(to, attempts, O::send(app, client.clone(), row, lease_ends_at));
    }
    Ok(count)
}

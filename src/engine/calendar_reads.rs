//! Reads the iCalendar files and addresses of calendars: when they are saved, and again later.

use std::ops::Range;

use chrono::{DateTime, TimeDelta, Utc};
use entity::calendar::{Model, Occurrences};
use entity::id::CalendarId;

use super::calendar::read_ical;
use super::cron::parse_timezone;
use crate::app::App;
use crate::error::{Error, Result};
use crate::{outbound, store};

/// The most bytes of a file, which is stored.
pub const MOST_OF_FILE: usize = 256 * 1024;
/// The most bytes of an address.
const MOST_OF_ADDRESS: usize = 1024 * 1024;
/// How far back and ahead occurrences are stored.
const BEHIND: TimeDelta = TimeDelta::days(31);
const AHEAD: TimeDelta = TimeDelta::days(3 * 366);
/// When a file and an address are read again, and an address that could not be read.
const FILE_AGAIN: TimeDelta = TimeDelta::days(30);
const ADDRESS_AGAIN: TimeDelta = TimeDelta::hours(6);
const FAULT_AGAIN: TimeDelta = TimeDelta::minutes(15);
/// How many calendars are read in a pass.
const IN_A_PASS: u64 = 100;

/// What is stored of a calendar that is read at `now`.
fn window(now: DateTime<Utc>) -> Range<DateTime<Utc>> {
    now - BEHIND..now + AHEAD
}

/// Reads the file or the address of a calendar that is about to be stored. An address that has been read is left to [`read_due`].
///
/// # Errors
/// `Invalid` if it cannot be read.
pub async fn read_new(app: &App, row: Model, stored: Option<&Model>) -> Result<Model> {
    let now = app.clock.now();
    if stored.is_some_and(|old| is_same_address(old, &row)) {
        return Ok(row);
    }
    let field = if row.ics_url.is_some() { "ics_url" } else { "ics" };
    match read(app, &row, now).await {
        Ok(occurrences) => Ok(was_read(row, occurrences, now)),
        Err(reason) => Err(Error::invalid(field, reason)),
    }
}

/// Whether both have the same address, read in the same time zone.
fn is_same_address(one: &Model, other: &Model) -> bool {
    one.ics_url.is_some() && (&one.ics_url, &one.timezone) == (&other.ics_url, &other.timezone)
}

/// A calendar as somebody wants it, with what was read of its address by now: what is stored is at least as new as what came with the wish.
#[must_use]
pub fn newest_reading(wanted: Model, stored: Model) -> Model {
    if !is_same_address(&wanted, &stored) {
        return wanted;
    }
    let Model { occurrences, ics_read_at, ics_error, read_next_at, .. } = stored;
    Model { occurrences, ics_read_at, ics_error, read_next_at, ..wanted }
}

/// A calendar whose file or address was read.
fn was_read(row: Model, occurrences: Occurrences, now: DateTime<Utc>) -> Model {
    let again = match (&row.ics_url, &row.ics) {
        (Some(_), _) => Some(ADDRESS_AGAIN),
        (None, Some(_)) => Some(FILE_AGAIN),
        (None, None) => None,
    };
    let (ics_read_at, read_next_at) = (again.map(|_| now), again.map(|span| now + span));
    Model { occurrences, ics_read_at, ics_error: None, read_next_at, ..row }
}

/// Reads the file or the address of a calendar.
async fn read(app: &App, row: &Model, now: DateTime<Utc>) -> Result<Occurrences, String> {
    let zone = parse_timezone(&row.timezone).map_err(|error| error.0)?;
    let fetched;
    let text = match (&row.ics_url, &row.ics) {
        (Some(address), _) => {
            let private = app.config.webhook_private_addresses;
            let client = outbound::client(private).map_err(|_| "the certificates of the machine cannot be read")?;
            fetched = outbound::read(&client, address, MOST_OF_ADDRESS, private).await?;
            &fetched
        }
        (None, Some(text)) => text,
        (None, None) => return Ok(Occurrences::default()),
    };
    read_ical(text, zone, &window(now))
}

/// Reads again what is due. What an address contained stays until it can be read again.
///
/// # Errors
/// Database errors.
pub async fn read_due(app: &App) -> Result<()> {
    let due = store::calendar::list_to_read(&app.db, app.clock.now(), IN_A_PASS).await?;
    for id in due {
        if let Some(row) = take(app, id).await? {
            let now = app.clock.now();
            let found = read(app, &row, now).await;
            if let Err(reason) = &found {
                tracing::warn!(calendar = %id, reason, "the file of a calendar could not be read");
            }
            settle(app, row, found, now).await?;
        }
    }
    Ok(())
}

/// Takes a calendar that is due, so that no other server reads it at the same time.
async fn take(app: &App, id: CalendarId) -> Result<Option<Model>> {
    let now = app.clock.now();
    store::write(&app.db, async |tx| {
        let row = store::calendar::lock(tx, id).await?.filter(|row| row.read_next_at.is_some_and(|at| at <= now));
        let Some(row) = row else { return Ok(None) };
        let row = store::row::update(tx, Model { read_next_at: Some(now + FAULT_AGAIN), ..row }).await?;
        Ok(Some(row))
    })
    .await
}

/// Stores what was read, unless the calendar was changed in the meantime.
async fn settle(app: &App, read: Model, found: Result<Occurrences, String>, now: DateTime<Utc>) -> Result<()> {
    store::write(&app.db, async |tx| {
        let row = store::calendar::lock(tx, read.id).await?.filter(|row| row.updated_at == read.updated_at);
        let Some(row) = row else { return Ok(()) };
        let row = match &found {
            Ok(occurrences) => was_read(row, occurrences.clone(), now),
            Err(reason) => Model { ics_error: Some(reason.clone()), ..row },
        };
        store::row::update(tx, row).await?;
        Ok(())
    })
    .await
}

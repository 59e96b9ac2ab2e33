//! Creates, changes and deletes calendars.

use entity::calendar::{Entries, Model, Occurrences};
use entity::id::{CalendarId, OrganizationId};
use sea_orm::DatabaseTransaction;
use serde_json::{Value, json};

use super::at;
use crate::app::App;
use crate::engine::audit::{self, Change};
use crate::engine::calendar::{Calendar, names};
use crate::engine::calendar_reads::{MOST_OF_FILE, newest_reading, read_new};
use crate::engine::definition::DEFAULT_TIMEZONE;
use crate::engine::faults::Faults;
use crate::engine::limits;
use crate::engine::requester::Requester;
use crate::error::{Error, Result};
use crate::{outbound, store};

const TARGET: &str = "ORGANIZATION";
const PART: &str = "CALENDAR";

/// The maximum number of calendars in an organization.
const MAX_CALENDARS: usize = 100;

/// The most jobs that a refusal names.
const NAMED: usize = 10;

/// A calendar as somebody wants it.
pub struct WantedCalendar {
    pub name: String,
    pub description: Option<String>,
    pub timezone: Option<String>,
    pub entries: Entries,
    pub ics: Option<String>,
    pub ics_url: Option<String>,
}

/// A calendar as events record it.
fn recorded(row: &Model) -> Value {
    json!({
        "calendar": {
            "id": row.id, "created_at": at(row.created_at), "updated_at": at(row.updated_at), "name": row.name,
            "description": row.description, "timezone": row.timezone, "days": row.entries.days,
            "spans": row.entries.spans, "weekly": row.entries.weekly, "ics_size": row.ics.as_ref().map(String::len),
            "ics_url": row.ics_url,
        }
    })
}

/// Creates a calendar.
///
/// # Errors
/// `Invalid` with all faults, also if the file or the address cannot be read; `Conflict` if there is one of this name, or too many;
/// database errors.
pub async fn create(app: &App, by: &Requester, id: OrganizationId, wanted: WantedCalendar) -> Result<Model> {
    let now = app.clock.now();
    let row = Model {
        id: CalendarId::create(),
        organization_id: id,
        created_at: now,
        updated_at: now,
        name: String::new(),
        description: String::new(),
        timezone: String::new(),
        entries: Entries::default(),
        ics: None,
        ics_url: None,
        occurrences: Occurrences::default(),
        ics_read_at: None,
        ics_error: None,
        read_next_at: None,
    };
    let row = read_new(app, apply(app, wanted, row)?, None).await?;
    audit::write(app, by, id, async |tx| {
        let others = store::calendar::list_names(tx, id).await?;
        if others.len() >= MAX_CALENDARS {
            return Err(Error::Conflict(format!("an organization can have at most {MAX_CALENDARS} calendars")));
        }
        refuse_same_name(&others, &row)?;
        let row = store::row::create(tx, row).await?;
        let change = Change::create(TARGET, row.id.0, &row.name).part(PART).after(&recorded(&row));
        Ok((row, change))
    })
    .await
}

/// Changes a calendar. Schedules follow it from now on.
///
/// # Errors
/// `Invalid` with all faults; `Conflict` if there is another one of this name, or jobs use its present name; database errors.
pub async fn edit(app: &App, by: &Requester, row: Model, wanted: WantedCalendar) -> Result<Model> {
    let stored = row.clone();
    let row = Model { updated_at: app.clock.now(), ..apply(app, wanted, row)? };
    let row = read_new(app, row, Some(&stored)).await?;
    audit::write(app, by, row.organization_id, async |tx| {
        let (id, organization) = (row.id, row.organization_id);
        let others = store::calendar::list_names(tx, organization).await?;
        // Its address may have been read in the meantime.
        let edit = |stored: Model| {
            refuse_same_name(&others, &row)?;
            Ok(newest_reading(row, stored))
        };
        let changed = store::row::change(tx, id, edit, Error::from).await?;
        let (before, row) = changed.ok_or(Error::NotFound("calendar"))?;
        if row.name != before.name {
            refuse_in_use(tx, organization, &before.name, "renamed").await?;
        }
        let change = Change::update(TARGET, row.id.0, &row.name).part(PART);
        let change = change.before(&recorded(&before)).after(&recorded(&row));
        Ok((row, change))
    })
    .await
}

/// Deletes a calendar.
///
/// # Errors
/// `Conflict` while jobs use it; database errors.
pub async fn delete(app: &App, by: &Requester, row: Model) -> Result<()> {
    audit::write(app, by, row.organization_id, async |tx| {
        let row = store::calendar::lock(tx, row.id).await?.ok_or(Error::NotFound("calendar"))?;
        refuse_in_use(tx, row.organization_id, &row.name, "deleted").await?;
        store::row::delete::<Model>(tx, row.id).await?;
        Ok(((), Change::delete(TARGET, row.id.0, &row.name).part(PART).before(&recorded(&row))))
    })
    .await
}

fn apply(app: &App, wanted: WantedCalendar, mut row: Model) -> Result<Model> {
    let WantedCalendar { name, description, timezone, entries, ics, ics_url } = wanted;
    let timezone = timezone.unwrap_or_else(|| DEFAULT_TIMEZONE.into());
    let mut faults = Faults::default();
    row.name = faults.note(limits::name("name", &name));
    row.description = faults.note(limits::text("description", description.unwrap_or_default()));
    faults.note(Calendar::parse(&row.name, &timezone, &entries).map(drop).map_err(Error::all));
    row.ics = ics.filter(|text| !text.is_empty());
    if row.ics.as_ref().is_some_and(|text| text.len() > MOST_OF_FILE || text.contains('\0')) {
        faults.refuse("ics", format!("must have at most {MOST_OF_FILE} bytes, without NUL"));
    }
    // Programs that subscribe to calendars write the scheme that way.
    let address = ics_url.filter(|address| !address.is_empty()).map(|address| match address.split_once("://") {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("webcal") => format!("https://{rest}"),
        _ => address,
    });
    row.ics_url = address.map(|address| faults.note(usable(app, &address)));
    if row.ics.is_some() && row.ics_url.is_some() {
        faults.refuse("ics_url", "cannot be given together with ics");
    }
    faults.result()?;
    Ok(Model { timezone, entries, ..row })
}

/// An address that this server may read.
fn usable(app: &App, address: &str) -> Result<String> {
    let address = limits::web_address("ics_url", address)?;
    outbound::check_literal(&address, app.config.webhook_private_addresses)
        .map_err(|reason| Error::invalid("ics_url", reason))?;
    Ok(address)
}

fn refuse_same_name(others: &[(CalendarId, String)], row: &Model) -> Result<()> {
    if others.iter().any(|(id, name)| *name == row.name && *id != row.id) {
        return Err(Error::Conflict(format!("there is already a calendar {}", row.name)));
    }
    Ok(())
}

/// Jobs name their calendars, so one in use keeps its name.
async fn refuse_in_use(tx: &DatabaseTransaction, id: OrganizationId, name: &str, change: &str) -> Result<()> {
    let jobs = store::calendar::jobs_with_calendars(tx, id).await?;
    let uses = |job: &&entity::job::Model| {
        let specs = [Some(&job.spec), job.deployed.as_ref()];
        specs.into_iter().flatten().any(|spec| names(spec).iter().any(|used| used == name))
    };
    let users: Vec<String> = jobs.iter().filter(uses).map(|job| job.name.clone()).collect();
    if users.is_empty() {
        return Ok(());
    }
    let named = users.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
    let more = if users.len() > NAMED { format!(" and {} more", users.len() - NAMED) } else { String::new() };
    Err(Error::Conflict(format!("the calendar cannot be {change}, because jobs use it: {named}{more}")))
}

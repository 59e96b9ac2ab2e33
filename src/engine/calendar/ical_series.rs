//! Pure: recurrence rules of iCalendar (RFC 5545, 3.3.10), expanded on the wall clock.
//!
//! The library that finds the starts is given local times only: of a rule in a time zone it would lose the last start east of Greenwich,
//! and refuse one that begins while the clocks change.

use calcard::common::PartialDateTime;
use calcard::common::timezone::Tz;
use calcard::icalendar::{
    ICalendar, ICalendarComponent, ICalendarComponentType, ICalendarEntry, ICalendarProperty, ICalendarRecurrenceRule,
    ICalendarValue,
};
use chrono::{
    DateTime, Datelike as _, FixedOffset, MappedLocalTime, NaiveDateTime, TimeDelta, TimeZone as _, Timelike as _, Utc,
};
use windlass_schedule::time_zone::Zone;

use crate::engine::cron::gap_end;

/// The most starts of one rule, from its first one on.
const MOST: usize = 100_000;

/// Where a wall clock hangs.
#[derive(Clone, Copy)]
pub(super) enum Place {
    Zone(Zone),
    Offset(FixedOffset),
}

/// A time of a wall clock.
#[derive(Clone, Copy)]
pub(super) struct Moment {
    pub(super) wall: NaiveDateTime,
    pub(super) place: Place,
    /// It is a day without a time.
    pub(super) day: bool,
}

impl Moment {
    pub(super) fn instant(self) -> DateTime<Utc> {
        match self.place {
            Place::Offset(offset) => (self.wall - offset).and_utc(),
            Place::Zone(zone) => match zone.from_local_datetime(&self.wall) {
                MappedLocalTime::Single(time) | MappedLocalTime::Ambiguous(time, _) => time.to_utc(),
                MappedLocalTime::None => before_gap(self.wall, zone),
            },
        }
    }

    /// Another time, as the clock of this one shows it.
    pub(super) fn wall_of(self, other: Self) -> NaiveDateTime {
        if self.day || other.day {
            return other.wall;
        }
        match self.place {
            Place::Offset(offset) => other.instant().with_timezone(&offset).naive_local(),
            Place::Zone(zone) => other.instant().with_timezone(&zone).naive_local(),
        }
    }
}

/// A time that the clocks skip, with the offset before they do.
fn before_gap(wall: NaiveDateTime, zone: Zone) -> DateTime<Utc> {
    let Some(end) = gap_end(wall, &zone) else { return wall.and_utc() };
    let before = (end - TimeDelta::seconds(1)).with_timezone(&zone);
    let offset = before.naive_local() - before.naive_utc();
    (wall - offset).and_utc()
}

/// The starts of a rule that begins at `first`, up to an instant.
///
/// # Errors
/// Why the rule cannot be used.
pub(super) fn starts(
    first: Moment,
    rule: &ICalendarRecurrenceRule,
    until: DateTime<Utc>,
) -> Result<Vec<NaiveDateTime>, String> {
    let mut rule = rule.clone();
    if let Some(last) = &rule.until {
        let read = last.to_date_time().ok_or("UNTIL is no date or time")?;
        rule.until = Some(match read.offset {
            Some(offset) => {
                let last = Moment { wall: read.date_time, place: Place::Offset(offset), day: false };
                partial(first.wall_of(last))
            }
            // A day as the end of a rule with times contains all of its times.
            None if !last.has_time() && !first.day => partial(read.date_time + TimeDelta::seconds(24 * 60 * 60 - 1)),
            None => partial(read.date_time),
        });
    }
    // The end of the time that is looked at, for rules without one. A day more than any offset.
    let end = until.naive_utc() + TimeDelta::days(2);
    if rule.count.is_none()
        && rule.until.as_ref().and_then(PartialDateTime::to_date_time).is_none_or(|last| last.date_time > end)
    {
        rule.until = Some(partial(end));
    }
    let entry = |name, value| ICalendarEntry { name, params: Vec::new(), values: vec![value] };
    let component =
        |component_type, entries, component_ids| ICalendarComponent { component_type, entries, component_ids };
    let entries = vec![
        entry(ICalendarProperty::Dtstart, ICalendarValue::PartialDateTime(Box::new(partial(first.wall)))),
        entry(ICalendarProperty::Rrule, ICalendarValue::RecurrenceRule(Box::new(rule))),
    ];
    let alone = ICalendar {
        components: vec![
            component(ICalendarComponentType::VCalendar, Vec::new(), vec![1]),
            component(ICalendarComponentType::VEvent, entries, Vec::new()),
        ],
    };
    let found = alone.expand_dates(Tz::UTC, MOST);
    if !found.errors.is_empty() {
        return Err("RRULE is not a valid recurrence rule".into());
    }
    if found.events.len() >= MOST {
        return Err(format!("RRULE has more than {MOST} starts"));
    }
    Ok(found.events.into_iter().map(|event| event.start.naive_local()).collect())
}

fn partial(wall: NaiveDateTime) -> PartialDateTime {
    let small = |number: u32| u8::try_from(number).ok();
    PartialDateTime {
        year: u16::try_from(wall.year()).ok(),
        month: small(wall.month()),
        day: small(wall.day()),
        hour: small(wall.hour()),
        minute: small(wall.minute()),
        second: small(wall.second()),
        tz_hour: None,
        tz_minute: None,
        tz_minus: false,
    }
}

//! Pure: the events of an iCalendar file (RFC 5545), as days and spans of time.
//!
//! An event counts whether it is marked as busy or as free, because holidays are usually free; a cancelled one does not. Local times
//! without a zone are those of the calendar. A start that the clocks skip is read with the offset before the gap, and of one that comes
//! twice the first counts (3.3.5). `DTEND` and hours of a `DURATION` last as long as a clock counts them; days of a `DURATION` end at
//! the same time of day (3.3.6, 3.8.5.3).

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use calcard::common::PartialDateTime;
use calcard::common::timezone::Tz;
use calcard::icalendar::timezone::TzResolver;
use calcard::icalendar::{
    ICalendar, ICalendarComponent, ICalendarComponentType, ICalendarDuration, ICalendarEntry, ICalendarParameterName,
    ICalendarProperty, ICalendarStatus, ICalendarValue,
};
use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use entity::calendar::{NamedDay, NamedSpan, Occurrences};
use windlass_schedule::time_zone::Zone;

use super::ical_series::{self, Moment, Place};
use crate::engine::cron::parse_timezone;

/// The most days and spans of a file, within the time that is looked at.
const MOST: usize = 2000;

/// The most bytes of a name that are kept.
const NAME: usize = 200;

/// How long an event lasts.
#[derive(Clone, Copy)]
enum Length {
    /// An event of whole days.
    Days(u64),
    /// Days of the wall clock, and then seconds.
    Time(i64, TimeDelta),
}

/// An event of a file.
struct Event<'a> {
    start: Moment,
    length: Length,
    name: String,
    cancelled: bool,
    /// The start of the occurrence that it replaces.
    replaces: Option<Moment>,
    source: &'a ICalendarComponent,
}

/// Reads the days and spans of a file that touch a time.
///
/// # Errors
/// Why the file cannot be used, to follow the name of its field.
pub fn read_ical(text: &str, zone: Zone, within: &Range<DateTime<Utc>>) -> Result<Occurrences, String> {
    let unusable =
        || "must be an iCalendar file, which begins with BEGIN:VCALENDAR and ends with END:VCALENDAR".to_owned();
    // The library reads what is there of a file that broke off.
    if !text.trim_end().to_ascii_uppercase().ends_with("END:VCALENDAR") {
        return Err(unusable());
    }
    let file = ICalendar::parse(text).map_err(|_| unusable())?;
    let reader = Reader { zones: file.build_tz_resolver(), zone };
    // Occurrences are replaced by events of the same UID.
    let mut groups: BTreeMap<String, Vec<Event<'_>>> = BTreeMap::new();
    for (place, source) in file.components.iter().enumerate() {
        if source.component_type == ICalendarComponentType::VEvent {
            let uid = texts(source, &ICalendarProperty::Uid).next().map_or_else(|| format!(" {place}"), str::to_owned);
            groups.entry(uid).or_default().push(reader.event(source)?);
        }
    }
    let mut found = Occurrences::default();
    for events in groups.values() {
        let replaced: BTreeSet<DateTime<Utc>> =
            events.iter().filter_map(|event| Some(event.replaces?.instant())).collect();
        for event in events.iter().filter(|event| !event.cancelled) {
            if event.replaces.is_some() {
                add(&mut found, event, event.start, within)?;
                continue;
            }
            for start in reader.starts(event, within.end)? {
                if !replaced.contains(&start.instant()) {
                    add(&mut found, event, start, within)?;
                }
            }
        }
    }
    found.days.sort_by(|a, b| (a.day, &a.name).cmp(&(b.day, &b.name)));
    found.spans.sort_by(|a, b| (a.from, a.to, &a.name).cmp(&(b.from, b.to, &b.name)));
    Ok(found)
}

/// Adds one occurrence, if it touches the time.
fn add(found: &mut Occurrences, event: &Event<'_>, start: Moment, within: &Range<DateTime<Utc>>) -> Result<(), String> {
    match event.length {
        Length::Days(count) => {
            let first = start.wall.date();
            let (from, until) = (within.start.date_naive(), within.end.date_naive());
            let days = (0..count).filter_map(|after| first.checked_add_days(Days::new(after)));
            for day in days.skip_while(|day| *day < from).take_while(|day| *day <= until) {
                found.days.push(NamedDay { day, name: event.name.clone() });
                enough(found)?;
            }
        }
        Length::Time(days, rest) => {
            let from = start.instant();
            let to = Moment { wall: start.wall + TimeDelta::days(days), ..start }.instant() + rest;
            if from < to && from < within.end && within.start < to {
                found.spans.push(NamedSpan { from, to, name: event.name.clone() });
                enough(found)?;
            }
        }
    }
    Ok(())
}

fn enough(found: &Occurrences) -> Result<(), String> {
    if found.days.len() + found.spans.len() > MOST {
        return Err(format!("must have at most {MOST} days and spans in the coming years"));
    }
    Ok(())
}

/// The texts of a property.
fn texts<'a>(source: &'a ICalendarComponent, name: &ICalendarProperty) -> impl Iterator<Item = &'a str> {
    let name = name.clone();
    source.entries.iter().filter(move |entry| entry.name == name).filter_map(|entry| match entry.values.first() {
        Some(ICalendarValue::Text(text)) => Some(text.as_str()),
        _ => None,
    })
}

/// What the times of a file mean.
struct Reader<'a> {
    zones: TzResolver<&'a str>,
    /// The zone of times without one.
    zone: Zone,
}

impl Reader<'_> {
    fn event<'a>(&self, source: &'a ICalendarComponent) -> Result<Event<'a>, String> {
        let name = texts(source, &ICalendarProperty::Summary).next().unwrap_or_default().trim();
        let kept = name.char_indices().take_while(|(at, _)| *at < NAME).map(|(_, letter)| letter);
        let mut name: String = kept.filter(|letter| !letter.is_control()).collect();
        if name.is_empty() {
            "an event without a summary".clone_into(&mut name);
        }
        let first = |property| self.moments(source, &property).map(|found| found.into_iter().next());
        let of = |what: String| format!("the event {name:?}: {what}");
        let start = first(ICalendarProperty::Dtstart).map_err(of)?.ok_or_else(|| of("DTSTART is missing".into()))?;
        let end = first(ICalendarProperty::Dtend).map_err(of)?;
        let length = length(start, end, duration(source)).map_err(of)?;
        let replaces = first(ICalendarProperty::RecurrenceId).map_err(of)?;
        let range = source.entries.iter().filter(|entry| entry.name == ICalendarProperty::RecurrenceId);
        if range.flat_map(|entry| &entry.params).any(|param| param.name == ICalendarParameterName::Range) {
            return Err(of("RANGE=THISANDFUTURE cannot be read".into()));
        }
        let cancelled = source.entries.iter().any(|entry| {
            entry.name == ICalendarProperty::Status
                && entry.values.contains(&ICalendarValue::Status(ICalendarStatus::Cancelled))
        });
        Ok(Event { start, length, name, cancelled, replaces, source })
    }

    /// The times of a property.
    fn moments(&self, source: &ICalendarComponent, name: &ICalendarProperty) -> Result<Vec<Moment>, String> {
        let mut found = Vec::new();
        for entry in source.entries.iter().filter(|entry| entry.name == *name) {
            for value in &entry.values {
                match value {
                    ICalendarValue::PartialDateTime(time) => found.push(self.moment(entry, time)?),
                    _ => return Err(format!("{} must be a date or a time", name.as_str())),
                }
            }
        }
        Ok(found)
    }

    fn moment(&self, entry: &ICalendarEntry, time: &PartialDateTime) -> Result<Moment, String> {
        let read = time.to_date_time().ok_or_else(|| format!("{} is no date or time", entry.name.as_str()))?;
        let place = match (read.offset, entry.tz_id()) {
            (Some(offset), _) => Place::Offset(offset),
            (None, Some(id)) if time.has_time() => self.place(id)?,
            (None, _) => Place::Zone(self.zone),
        };
        Ok(Moment { wall: read.date_time, place, day: !time.has_time() })
    }

    fn place(&self, id: &str) -> Result<Place, String> {
        let unknown = || format!("the time zone {id:?} is unknown");
        match self.zones.resolve(id) {
            Some(Tz::Fixed(offset)) => Ok(Place::Offset(offset)),
            Some(Tz::Floating) => Ok(Place::Zone(self.zone)),
            found => {
                let name = found.and_then(|zone| zone.name()).ok_or_else(unknown)?;
                parse_timezone(&name).map(Place::Zone).map_err(|_| unknown())
            }
        }
    }

    /// The starts of the occurrences of an event, up to an instant.
    fn starts(&self, event: &Event<'_>, until: DateTime<Utc>) -> Result<Vec<Moment>, String> {
        let of = |what: String| format!("the event {:?}: {what}", event.name);
        let mut walls = BTreeSet::new();
        let mut repeats = false;
        for entry in event.source.entries.iter().filter(|entry| entry.name == ICalendarProperty::Rrule) {
            repeats = true;
            match entry.values.first() {
                Some(ICalendarValue::RecurrenceRule(rule)) => {
                    walls.extend(ical_series::starts(event.start, rule, until).map_err(of)?);
                }
                _ => return Err(of("RRULE cannot be read".into())),
            }
        }
        if !repeats {
            walls.insert(event.start.wall);
        }
        let more = self.moments(event.source, &ICalendarProperty::Rdate).map_err(of)?;
        walls.extend(more.into_iter().map(|time| event.start.wall_of(time)));
        let removed = self.moments(event.source, &ICalendarProperty::Exdate).map_err(of)?;
        let (days, times): (Vec<Moment>, Vec<Moment>) = removed.into_iter().partition(|time| time.day);
        let days: BTreeSet<NaiveDate> = days.into_iter().map(|time| time.wall.date()).collect();
        let times: BTreeSet<DateTime<Utc>> = times.into_iter().map(Moment::instant).collect();
        let starts = walls.into_iter().map(|wall| Moment { wall, ..event.start });
        Ok(starts.filter(|start| !days.contains(&start.wall.date()) && !times.contains(&start.instant())).collect())
    }
}

fn duration(source: &ICalendarComponent) -> Option<&ICalendarDuration> {
    source.entries.iter().filter(|entry| entry.name == ICalendarProperty::Duration).find_map(|entry| {
        match entry.values.first() {
            Some(ICalendarValue::Duration(duration)) => Some(duration),
            _ => None,
        }
    })
}

fn length(start: Moment, end: Option<Moment>, duration: Option<&ICalendarDuration>) -> Result<Length, String> {
    let whole = duration.map_or(0, |duration| i64::from(duration.weeks) * 7 + i64::from(duration.days));
    if start.day {
        let days = end.map_or(whole, |end| (end.wall.date() - start.wall.date()).num_days());
        // Without an end, it is one day (3.6.1).
        return Ok(Length::Days(u64::try_from(days).unwrap_or_default().max(1)));
    }
    let length = match (end, duration) {
        (Some(end), _) => Length::Time(0, end.instant() - start.instant()),
        (None, Some(duration)) => {
            let seconds =
                i64::from(duration.hours) * 3600 + i64::from(duration.minutes) * 60 + i64::from(duration.seconds);
            Length::Time(whole, TimeDelta::seconds(seconds))
        }
        (None, None) => Length::Time(0, TimeDelta::zero()),
    };
    match length {
        Length::Time(_, rest) if rest < TimeDelta::zero() => Err("DTEND is earlier than DTSTART".into()),
        Length::Time(days, _) if days > 3660 => Err("DURATION is longer than ten years".into()),
        length => Ok(length),
    }
}

#[cfg(test)]
#[path = "ical_tests.rs"]
mod tests;

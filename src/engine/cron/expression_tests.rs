//! Tests of the schedule: tables, croner as an oracle in UTC, and a walker over every minute across DST changes.

use std::str::FromStr as _;

use chrono::{DateTime, Datelike as _, MappedLocalTime, TimeDelta, TimeZone as _, Timelike as _, Utc};
use chrono_tz::Tz;

use super::{Schedule, parse_timezone};

fn schedule(text: &str) -> Schedule {
    Schedule::from_str(text).unwrap_or_else(|e| panic!("{text}: {}", e.0))
}

fn at(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(text).unwrap().to_utc()
}

/// The local times after `after`, with offsets.
fn times(text: &str, zone: &str, after: &str, count: usize) -> Vec<String> {
    let (schedule, zone) = (schedule(text), parse_timezone(zone).unwrap());
    let mut time = at(after);
    let mut found = Vec::new();
    for _ in 0..count {
        time = schedule.next(time, zone).unwrap();
        found.push(time.with_timezone(&zone).format("%m-%d %H:%M%:z").to_string());
    }
    found
}

/// A small generator, so that a failure can be repeated from its seed.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        let place = usize::try_from(self.below(from.len() as u64)).unwrap();
        from[place]
    }

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
fn dialect() {
    let sunday = ["0 0 * * 0", "0 0 * * 7", "0 0 * * SUN", "@weekly", "0 0 ? * sun"];
    for text in sunday {
        assert_eq!(
            schedule(text).next(at("2026-11-18T00:00:00Z"), Tz::UTC),
            Some(at("2026-11-22T00:00:00Z")),
            "{text}"
        );
    }
    let next = |text: &str, after: &str| schedule(text).next(at(after), Tz::UTC).unwrap();
    assert_eq!(next("0 0 * * 1", "2026-11-18T00:00:00Z"), at("2026-11-23T00:00:00Z"));
    // Both days restricted: either one. A step restricts as well.
    assert_eq!(next("0 0 13 * 5", "2026-11-18T00:00:00Z"), at("2026-11-20T00:00:00Z"));
    assert_eq!(next("0 0 */2 * 5", "2026-11-19T00:00:00Z"), at("2026-11-20T00:00:00Z"));
    assert_eq!(next("0 0 * * 5", "2026-11-20T00:00:00Z"), at("2026-11-27T00:00:00Z"));
    assert_eq!(next("5-7 0 * * *", "2026-11-18T00:05:30Z"), at("2026-11-18T00:06:00Z"));
    assert_eq!(next("0/20 0 * * *", "2026-11-18T00:00:00Z"), at("2026-11-18T00:20:00Z"));
    assert_eq!(next("*/90 * * * *", "2026-11-18T00:00:00Z"), at("2026-11-18T01:00:00Z"));
    assert_eq!(next("0 0 29 2 *", "2096-03-01T00:00:00Z"), at("2104-02-29T00:00:00Z"));
    assert_eq!(next("0 0 1 JAN *", "2026-11-18T00:00:00Z"), at("2027-01-01T00:00:00Z"));
    assert_eq!(next("0 0 * * 5-7", "2026-11-21T00:00:00Z"), at("2026-11-22T00:00:00Z"));
    assert_eq!(next("@hourly", "2026-11-18T00:00:00Z"), at("2026-11-18T01:00:00Z"));
}

#[test]
fn refusals_say_why() {
    let cases = [
        ("", "five fields"),
        ("* * * *", "found 4"),
        ("* * * * * *", "found 6"),
        ("60 * * * *", "not between 0 and 59"),
        ("* 24 * * *", "hour"),
        ("* * 0 * *", "between 1 and 31"),
        ("* * * 13 *", "month"),
        ("* * * * 8", "between 0 and 7"),
        ("5-1 * * * *", "ends before"),
        ("*/0 * * * *", "above 0"),
        ("* * * foo *", "neither"),
        ("1,,2 * * * *", "neither"),
        ("@every 5m", "step"),
        ("@reboot", "not one of"),
        ("0 0 31 2 *", "never fires"),
        ("0 0 30 2 *", "never fires"),
        ("0 0 31 4,6,9,11 *", "never fires"),
        ("+1 * * * *", "neither"),
        ("TZ=UTC * * * * *", "found 6"),
        ("-1 * * * *", "neither"),
        ("* * * * L", "neither"),
    ];
    for (text, why) in cases {
        let refused = Schedule::from_str(text).unwrap_err();
        assert!(refused.0.contains(why), "{text}: {}", refused.0);
    }
    // With a weekday either one is enough, so that this does fire.
    assert!(Schedule::from_str("0 0 31 2 1").is_ok());
    assert!(parse_timezone("Mars/Olympus").is_err());
}

#[test]
fn a_time_in_the_gap_runs_right_after_it() {
    let paris = |text, after| times(text, "Europe/Paris", after, 2);
    assert_eq!(paris("30 2 * * *", "2026-03-28T02:00:00Z"), ["03-29 03:00+02:00", "03-30 02:30+02:00"]);
    assert_eq!(paris("0,30 2 * * *", "2026-03-28T02:00:00Z"), ["03-29 03:00+02:00", "03-30 02:00+02:00"]);
    assert_eq!(paris("*/15 2 * * *", "2026-03-28T02:00:00Z"), ["03-29 03:00+02:00", "03-30 02:00+02:00"]);
    assert_eq!(paris("0 2,3 * * *", "2026-03-28T12:00:00Z"), ["03-29 03:00+02:00", "03-30 02:00+02:00"]);
    // Steps follow elapsed time: the hour that is left out is not made up for.
    assert_eq!(paris("30 * * * *", "2026-03-29T00:00:00Z"), ["03-29 01:30+01:00", "03-29 03:30+02:00"]);
    assert_eq!(paris("0 */2 * * *", "2026-03-28T23:00:00Z"), ["03-29 04:00+02:00", "03-29 06:00+02:00"]);
    // Midnight does not come in Beirut that day; a whole day is left out at the date line.
    assert_eq!(times("0 0 * * *", "Asia/Beirut", "2026-03-28T12:00:00Z", 1), ["03-29 01:00+03:00"]);
    assert_eq!(
        times("0 9 * * *", "Pacific/Apia", "2011-12-29T20:00:00Z", 2),
        ["12-31 00:00+14:00", "12-31 09:00+14:00"]
    );
    assert_eq!(times("15 2 * * *", "Australia/Lord_Howe", "2026-10-03T12:00:00Z", 1), ["10-04 02:30+11:00"]);
}

#[test]
fn a_repeated_time_runs_once_and_steps_run_on() {
    let paris = |text, count| times(text, "Europe/Paris", "2026-10-24T23:30:00Z", count);
    assert_eq!(paris("30 2 * * *", 2), ["10-25 02:30+02:00", "10-26 02:30+01:00"]);
    assert_eq!(paris("0,30 2 * * *", 3), ["10-25 02:00+02:00", "10-25 02:30+02:00", "10-26 02:00+01:00"]);
    assert_eq!(
        paris("*/30 * * * *", 6),
        [
            "10-25 02:00+02:00",
            "10-25 02:30+02:00",
            "10-25 02:00+01:00",
            "10-25 02:30+01:00",
            "10-25 03:00+01:00",
            "10-25 03:30+01:00"
        ]
    );
    assert_eq!(paris("15 * * * *", 3), ["10-25 02:15+02:00", "10-25 02:15+01:00", "10-25 03:15+01:00"]);
}

#[test]
fn agrees_with_croner_in_utc() {
    let mut random = Random(0x5eed_0001);
    let mut compared = 0;
    while compared < 20_000 {
        let text = random.expression();
        let Ok(ours) = Schedule::from_str(&text) else { continue };
        let parser = croner::parser::CronParser::builder().seconds(croner::parser::Seconds::Disallowed).build();
        let Ok(theirs) = parser.parse(&text) else { continue };
        let mut time = at("2026-01-01T00:00:00Z") + TimeDelta::minutes(i64::try_from(random.below(2_000_000)).unwrap());
        for _ in 0..3 {
            let Ok(expected) = theirs.find_next_occurrence(&time, false) else { break };
            assert_eq!(ours.next(time, Tz::UTC), Some(expected), "{text} after {time}");
            time = expected;
        }
        compared += 1;
    }
}

/// What the rules say about the instant `time`, decided without any of the code under test.
fn walker_fires(schedule: &Schedule, fields: &[String], time: DateTime<Utc>, zone: Tz) -> bool {
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
    // The wall-clock minutes that were left out just before this instant.
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
fn changes(zone: Tz, year: i32) -> Vec<DateTime<Utc>> {
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
    let mut walked: Vec<(Tz, DateTime<Utc>)> = chrono_tz::TZ_VARIANTS
        .iter()
        .flat_map(|zone| changes(*zone, 2026).into_iter().map(|change| (*zone, change)))
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
            while let Some(next) = schedule.next(time, zone).filter(|next| *next <= end) {
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

#[test]
fn expressions_of_quartz() {
    for (quartz, usual) in [
        ("0 0 * * * ?", "0 * * * *"),
        ("0 30 2 ? * 2-6", "30 2 * * 1-5"),
        ("0 0 12 ? * MON,FRI *", "0 12 * * MON,FRI"),
        ("00 */5 * * * ? *", "*/5 * * * *"),
        ("0 0 0 ? * 1", "0 0 * * 0"),
        ("15 3 * * 1", "15 3 * * 1"),
    ] {
        assert_eq!(super::from_quartz(quartz).unwrap(), usual.parse().unwrap(), "{quartz}");
    }
    for refused in ["30 0 * * * ?", "0 0 * * * ? 2027", "0 0 0 ? * 8", "0 0 0 ? * 0", "0 0 0 L * ?", "0 0", ""] {
        assert!(super::from_quartz(refused).is_err(), "{refused}");
    }
}

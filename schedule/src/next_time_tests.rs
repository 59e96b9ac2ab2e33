//! Tables of times around clock changes.

use super::super::clock_change::{ClockChangeRules, GapRule, OverlapRule};
use super::super::fixtures::{at, schedule};
use super::super::gap::parse_timezone;

/// The local times after `after`, with offsets.
fn times(text: &str, zone: &str, after: &str, count: usize) -> Vec<String> {
    let (schedule, zone) = (schedule(text), parse_timezone(zone).unwrap());
    let mut time = at(after);
    let mut found = Vec::new();
    for _ in 0..count {
        time = schedule.next(time, &zone).unwrap();
        found.push(time.with_timezone(&zone).format("%m-%d %H:%M%:z").to_string());
    }
    found
}

#[test]
fn a_time_in_the_gap_runs_right_after_it() {
    let paris = |text, after| times(text, "Europe/Paris", after, 2);
    assert_eq!(paris("30 2 * * *", "2026-03-28T02:00:00Z"), ["03-29 03:00+02:00", "03-30 02:30+02:00"]);
    assert_eq!(paris("0,30 2 * * *", "2026-03-28T02:00:00Z"), ["03-29 03:00+02:00", "03-30 02:00+02:00"]);
    assert_eq!(paris("*/15 2 * * *", "2026-03-28T02:00:00Z"), ["03-29 03:00+02:00", "03-30 02:00+02:00"]);
    assert_eq!(paris("0 2,3 * * *", "2026-03-28T12:00:00Z"), ["03-29 03:00+02:00", "03-30 02:00+02:00"]);
    // Steps follow elapsed time: the skipped hour is not caught up.
    assert_eq!(paris("30 * * * *", "2026-03-29T00:00:00Z"), ["03-29 01:30+01:00", "03-29 03:30+02:00"]);
    assert_eq!(paris("0 */2 * * *", "2026-03-28T23:00:00Z"), ["03-29 04:00+02:00", "03-29 06:00+02:00"]);
    // Beirut skips midnight that day; Apia skips a whole day at the date line.
    assert_eq!(times("0 0 * * *", "Asia/Beirut", "2026-03-28T12:00:00Z", 1), ["03-29 01:00+03:00"]);
    assert_eq!(
        times("0 9 * * *", "Pacific/Apia", "2011-12-29T20:00:00Z", 2),
        ["12-31 00:00+14:00", "12-31 09:00+14:00"]
    );
    assert_eq!(times("15 2 * * *", "Australia/Lord_Howe", "2026-10-03T12:00:00Z", 1), ["10-04 02:30+11:00"]);
}

/// These zones changed their rules in 2026.
#[test]
fn the_rules_of_zones_are_recent() {
    for (zone, hour) in
        [("America/Vancouver", 16), ("America/Edmonton", 15), ("America/Winnipeg", 14), ("Africa/Casablanca", 9)]
    {
        let next = schedule("0 9 * * *").next(at("2026-12-10T00:00:00Z"), &parse_timezone(zone).unwrap());
        assert_eq!(next, Some(at(&format!("2026-12-10T{hour:02}:00:00Z"))), "{zone}");
    }
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
fn a_time_in_the_gap_may_be_shifted() {
    let shifted = |text: &str, zone: &str, after: &str, count: usize| {
        let (schedule, zone) = (schedule(text), parse_timezone(zone).unwrap());
        let rules = ClockChangeRules { gap: Some(GapRule::Shift), overlap: Some(OverlapRule::Both) };
        let next = |time| schedule.next_by(time, &zone, rules);
        let times = std::iter::successors(next(at(after)), |time| next(*time)).take(count);
        times.map(|time| time.with_timezone(&zone).format("%m-%d %H:%M%:z").to_string()).collect::<Vec<_>>()
    };
    let paris = |text, count| shifted(text, "Europe/Paris", "2026-03-28T12:00:00Z", count);
    assert_eq!(paris("30 2 * * *", 2), ["03-29 03:30+02:00", "03-30 02:30+02:00"]);
    assert_eq!(paris("*/30 2 * * *", 3), ["03-29 03:00+02:00", "03-29 03:30+02:00", "03-30 02:00+02:00"]);
    // Times that coincide run once, and those that change places come in order.
    assert_eq!(paris("30 2,3 * * *", 2), ["03-29 03:30+02:00", "03-30 02:30+02:00"]);
    assert_eq!(
        shifted("15,40 2 * * *", "Australia/Lord_Howe", "2026-10-03T12:00:00Z", 3),
        ["10-04 02:40+11:00", "10-04 02:45+11:00", "10-05 02:15+11:00"]
    );
    // The gap is two hours long.
    assert_eq!(
        shifted("30 1 * * *", "Antarctica/Troll", "2027-03-27T12:00:00Z", 2),
        ["03-28 03:30+02:00", "03-29 01:30+02:00"]
    );
    assert_eq!(
        shifted("30 2 * * *", "Europe/Paris", "2026-10-24T12:00:00Z", 2),
        ["10-25 02:30+02:00", "10-25 02:30+01:00"]
    );
}

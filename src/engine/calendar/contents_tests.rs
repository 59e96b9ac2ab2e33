//! Tests of the contents of calendars.

use chrono::TimeDelta;
use serde_json::json;

use super::*;
use crate::engine::cron::fixtures::at;

fn calendar(zone: &str, entries: serde_json::Value) -> Result<Calendar, Vec<Refusal>> {
    let mut whole = json!({"days": [], "spans": [], "weekly": []});
    for (key, value) in entries.as_object().unwrap() {
        whole[key] = value.clone();
    }
    Calendar::parse("closed", zone, &serde_json::from_value(whole).unwrap())
}

/// The first and the last minute of each stretch that a calendar contains: found minute by minute, not by its rules.
fn stretches(calendar: &Calendar, from: &str, until: &str) -> Vec<(String, i64)> {
    let (mut time, until) = (at(from), at(until));
    let mut found: Vec<(DateTime<Utc>, i64)> = Vec::new();
    while time < until {
        if calendar.entry_at(time).is_some() {
            match found.last_mut() {
                Some((start, minutes)) if *start + TimeDelta::minutes(*minutes) == time => *minutes += 1,
                _ => found.push((time, 1)),
            }
        }
        time += TimeDelta::minutes(1);
    }
    found.into_iter().map(|(start, minutes)| (start.format("%m-%dT%H:%M").to_string(), minutes)).collect()
}

#[test]
fn days_are_those_of_the_zone() {
    let days = json!({"days": ["2026-12-26", "2026-12-25"]});
    let berlin = calendar("Europe/Berlin", days.clone()).unwrap();
    assert_eq!(stretches(&berlin, "2026-12-23T00:00:00Z", "2026-12-29T00:00:00Z"), [("12-24T23:00".into(), 2880)]);
    let new_york = calendar("America/New_York", days).unwrap();
    assert_eq!(stretches(&new_york, "2026-12-23T00:00:00Z", "2026-12-29T00:00:00Z"), [("12-25T05:00".into(), 2880)]);
    assert_eq!(berlin.entry_at(at("2026-12-25T22:59:59Z")).unwrap(), "2026-12-25");
    assert_eq!(berlin.entry_at(at("2026-12-25T23:00:00Z")).unwrap(), "2026-12-26");
}

#[test]
fn days_last_as_long_as_the_clocks_say() {
    // The clocks go forward on the first and back on the second.
    let days = calendar("Europe/Berlin", json!({"days": ["2026-03-29", "2026-10-25"]})).unwrap();
    assert_eq!(stretches(&days, "2026-03-28T00:00:00Z", "2026-03-31T00:00:00Z"), [("03-28T23:00".into(), 23 * 60)]);
    assert_eq!(stretches(&days, "2026-10-24T00:00:00Z", "2026-10-27T00:00:00Z"), [("10-24T22:00".into(), 25 * 60)]);
    // The island whose clocks change by half an hour.
    let howe = calendar("Australia/Lord_Howe", json!({"days": ["2026-04-05", "2026-10-04"]})).unwrap();
    assert_eq!(stretches(&howe, "2026-04-04T00:00:00Z", "2026-04-07T00:00:00Z"), [("04-04T13:00".into(), 1470)]);
    assert_eq!(stretches(&howe, "2026-10-03T00:00:00Z", "2026-10-06T00:00:00Z"), [("10-03T13:30".into(), 1410)]);
}

#[test]
fn weekly_spans_follow_the_wall_clock() {
    let nights = json!({"weekly": [{"weekday": "SUNDAY", "from": "01:30", "to": "03:30"}]});
    let nights = calendar("Europe/Berlin", nights).unwrap();
    let found = stretches(&nights, "2026-10-17T00:00:00Z", "2026-11-03T00:00:00Z");
    assert_eq!(found, [("10-17T23:30".into(), 120), ("10-24T23:30".into(), 180), ("11-01T00:30".into(), 120)]);
    assert_eq!(stretches(&nights, "2026-03-28T00:00:00Z", "2026-03-30T00:00:00Z"), [("03-29T00:30".into(), 60)]);
    let weekend = json!({"weekly": [
        {"weekday": "SATURDAY", "from": "00:00", "to": "24:00"}, {"weekday": "SUNDAY", "from": "00:00", "to": "24:00"},
    ]});
    let weekend = calendar("UTC", weekend).unwrap();
    assert_eq!(stretches(&weekend, "2026-11-23T00:00:00Z", "2026-12-02T00:00:00Z"), [("11-28T00:00".into(), 2880)]);
    assert_eq!(weekend.entry_at(at("2026-11-28T10:00:00Z")).unwrap(), "SATURDAY 00:00 to 24:00");
}

#[test]
fn spans_are_instants_or_local_times() {
    let of = |from: &str, to: &str| calendar("Europe/Berlin", json!({"spans": [{"from": from, "to": to}]}));
    let walked = |from, to, (start, end)| stretches(&of(from, to).unwrap(), start, end);
    let december = ("2026-12-24T00:00:00Z", "2026-12-26T00:00:00Z");
    assert_eq!(walked("2026-12-24T18:00", "2026-12-25T06:00:00Z", december), [("12-24T17:00".into(), 780)]);
    // Both ends come twice.
    let october = ("2026-10-24T00:00:00Z", "2026-10-26T00:00:00Z");
    assert_eq!(walked("2026-10-25T02:15", "2026-10-25T02:45", october), [("10-25T00:15".into(), 90)]);
    // The beginning never comes.
    let march = ("2026-03-28T00:00:00Z", "2026-03-30T00:00:00Z");
    assert_eq!(walked("2026-03-29T02:30", "2026-03-29T04:00", march), [("03-29T01:00".into(), 60)]);
    // No part of it ever comes.
    assert!(of("2026-03-29T02:10", "2026-03-29T02:50").is_err());
    let one = of("2026-12-24T18:00", "2026-12-24T18:01").unwrap();
    assert!(one.entry_at(at("2026-12-24T17:00:59Z")).is_some() && one.entry_at(at("2026-12-24T17:01:00Z")).is_none());
}

fn first(refused: Result<Calendar, Vec<Refusal>>) -> String {
    let faults = refused.unwrap_err();
    format!("{}: {}", faults[0].field, faults[0].message)
}

#[test]
fn faults_name_their_field() {
    for (entries, faults) in [
        (json!({"days": ["2026-02-30"]}), "days[0]: must be a date"),
        (json!({"days": ["2026-12-25", "25.12.2026"]}), "days[1]: must be a date"),
        (json!({"spans": [{"from": "2026-12-24", "to": "2026-12-25T00:00"}]}), "spans[0].from: must be an instant"),
        (json!({"spans": [{"from": "2026-12-24T00:00", "to": "2026-12-24T00:00"}]}), "spans[0].to: must be later"),
        (json!({"weekly": [{"weekday": "Sunday", "from": "00:00", "to": "24:00"}]}), "weekly[0].weekday: must be one"),
        (json!({"weekly": [{"weekday": "SUNDAY", "from": "24:00", "to": "24:00"}]}), "weekly[0].from: must be a time"),
        (json!({"weekly": [{"weekday": "SUNDAY", "from": "00:00", "to": "24:01"}]}), "weekly[0].to: must be a time"),
        (json!({"weekly": [{"weekday": "SUNDAY", "from": "0:00", "to": "24:00"}]}), "weekly[0].from: must be a time"),
        (json!({"weekly": [{"weekday": "SUNDAY", "from": "22:00", "to": "06:00"}]}), "weekly[0].to: must be later"),
        (json!({"days": vec!["2026-12-25"; 1001]}), "days: must have at most 1000 items"),
    ] {
        let refused = first(calendar("UTC", entries));
        assert!(refused.starts_with(faults), "{refused}");
    }
    assert!(first(calendar("Moon/Base", json!({}))).starts_with("timezone: "));
}

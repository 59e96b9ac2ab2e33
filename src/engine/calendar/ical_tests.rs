//! Tests of iCalendar files. The expected times were worked out from RFC 5545 and the rules of the zones.

use super::*;
use crate::engine::cron::fixtures::at;

/// Reads events, of a calendar in Berlin, from 2026 to 2028.
fn read(events: &str) -> Result<Occurrences, String> {
    let text =
        format!("BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//test//EN\n{events}END:VCALENDAR\n").replace('\n', "\r\n");
    read_ical(
        &text,
        parse_timezone("Europe/Berlin").unwrap(),
        &(at("2026-01-01T00:00:00Z")..at("2029-01-01T00:00:00Z")),
    )
}

fn event(lines: &str) -> String {
    format!("BEGIN:VEVENT\nUID:one\nDTSTAMP:20260101T000000Z\nSUMMARY:closed\n{lines}\nEND:VEVENT\n")
}

fn spans(events: &str) -> Vec<String> {
    let time = |at: DateTime<Utc>| at.format("%Y-%m-%dT%H:%M").to_string();
    let found = read(events).unwrap();
    assert!(found.days.is_empty());
    found.spans.into_iter().map(|span| format!("{}/{}", time(span.from), time(span.to))).collect()
}

fn days(events: &str) -> Vec<String> {
    let found = read(events).unwrap();
    assert!(found.spans.is_empty());
    found.days.into_iter().map(|day| day.day.to_string()).collect()
}

#[test]
fn whole_days() {
    assert_eq!(days(&event("DTSTART;VALUE=DATE:20261225")), ["2026-12-25"]);
    // The end of an event is not a part of it.
    let new_year = "DTSTART;VALUE=DATE:20261231\nDTEND;VALUE=DATE:20270102";
    assert_eq!(days(&event(new_year)), ["2026-12-31", "2027-01-01"]);
    assert_eq!(days(&event("DTSTART;VALUE=DATE:20261231\nDURATION:P3D")).len(), 3);
    let yearly = "DTSTART;VALUE=DATE:19991225\nRRULE:FREQ=YEARLY";
    assert_eq!(days(&event(yearly)), ["2026-12-25", "2027-12-25", "2028-12-25"]);
    let thursday = "DTSTART;VALUE=DATE:20251127\nRRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=4TH";
    assert_eq!(days(&event(thursday)), ["2026-11-26", "2027-11-25", "2028-11-23"]);
    let leap = "DTSTART;VALUE=DATE:20240229\nRRULE:FREQ=YEARLY";
    assert_eq!(days(&event(leap)), ["2028-02-29"]);
    let names = read(&event("DTSTART;VALUE=DATE:20261225")).unwrap();
    assert_eq!(names.days[0].name, "closed");
}

#[test]
fn the_last_start_of_a_rule_counts_in_every_zone() {
    for (zone, until, first, last) in [
        ("Europe/Berlin", "20261104T080000Z", "2026-11-02T08:00/2026-11-02T09:00", "2026-11-04T08:00/2026-11-04T09:00"),
        ("Asia/Tokyo", "20261104T000000Z", "2026-11-02T00:00/2026-11-02T01:00", "2026-11-04T00:00/2026-11-04T01:00"),
        (
            "America/New_York",
            "20261104T140000Z",
            "2026-11-02T14:00/2026-11-02T15:00",
            "2026-11-04T14:00/2026-11-04T15:00",
        ),
    ] {
        let daily = format!("DTSTART;TZID={zone}:20261102T090000\nDURATION:PT1H\nRRULE:FREQ=DAILY;UNTIL={until}");
        let found = spans(&event(&daily));
        assert_eq!((found.len(), found[0].as_str(), found[2].as_str()), (3, first, last), "{zone}");
    }
    let of_days = "DTSTART:20261102T090000\nDURATION:PT1H\nRRULE:FREQ=DAILY;UNTIL=20261104";
    assert_eq!(spans(&event(of_days)).len(), 3);
}

#[test]
fn a_rule_in_universal_time_stays_there() {
    let daily = "DTSTART:20261024T100000Z\nDTEND:20261024T103000Z\nRRULE:FREQ=DAILY;COUNT=3";
    let expected =
        ["2026-10-24T10:00/2026-10-24T10:30", "2026-10-25T10:00/2026-10-25T10:30", "2026-10-26T10:00/2026-10-26T10:30"];
    assert_eq!(spans(&event(daily)), expected);
}

#[test]
fn rules_follow_the_wall_clock() {
    // The clocks go back in between.
    let weekly = "DTSTART;TZID=Europe/Berlin:20261018T013000\nDURATION:PT30M\nRRULE:FREQ=WEEKLY;BYDAY=SU;COUNT=3";
    let expected =
        ["2026-10-17T23:30/2026-10-18T00:00", "2026-10-24T23:30/2026-10-25T00:00", "2026-11-01T00:30/2026-11-01T01:00"];
    assert_eq!(spans(&event(weekly)), expected);
    // The first start comes twice: its first time counts.
    let twice = "DTSTART;TZID=America/New_York:20261101T013000\nDURATION:PT2H\nRRULE:FREQ=WEEKLY;COUNT=2";
    assert_eq!(spans(&event(twice)), ["2026-11-01T05:30/2026-11-01T07:30", "2026-11-08T06:30/2026-11-08T08:30"]);
    // It never comes: the offset before the gap counts, and the end is as far away as in the file.
    let gap = "DTSTART;TZID=Europe/Berlin:20260329T023000\nDTEND;TZID=Europe/Berlin:20260329T043000\nRRULE:FREQ=DAILY;COUNT=2";
    assert_eq!(spans(&event(gap)), ["2026-03-29T01:30/2026-03-29T02:30", "2026-03-30T00:30/2026-03-30T01:30"]);
    // A day of a duration ends at the same time of day, 24 hours of it do not.
    let day = "DTSTART;TZID=Europe/Berlin:20261024T120000\nDURATION:P1D";
    assert_eq!(spans(&event(day)), ["2026-10-24T10:00/2026-10-25T11:00"]);
    let hours = "DTSTART;TZID=Europe/Berlin:20261024T120000\nDURATION:PT24H";
    assert_eq!(spans(&event(hours)), ["2026-10-24T10:00/2026-10-25T10:00"]);
}

#[test]
fn zones_of_other_programs() {
    let windows = "DTSTART;TZID=W. Europe Standard Time:20260701T080000\nDURATION:PT1H";
    assert_eq!(spans(&event(windows)), ["2026-07-01T06:00/2026-07-01T07:00"]);
    let own = "BEGIN:VTIMEZONE\nTZID:Office\nX-LIC-LOCATION:America/New_York\nBEGIN:STANDARD\nDTSTART:19701101T020000\n\
        TZOFFSETFROM:-0400\nTZOFFSETTO:-0500\nEND:STANDARD\nEND:VTIMEZONE\n";
    let office = format!("{own}{}", event("DTSTART;TZID=Office:20260701T080000\nDURATION:PT1H"));
    assert_eq!(spans(&office), ["2026-07-01T12:00/2026-07-01T13:00"]);
    let floating = "DTSTART:20260701T080000\nDURATION:PT1H";
    assert_eq!(spans(&event(floating)), ["2026-07-01T06:00/2026-07-01T07:00"]);
    let unknown = read(&event("DTSTART;TZID=Moon/Base:20260701T080000\nDURATION:PT1H")).unwrap_err();
    assert_eq!(unknown, "the event \"closed\": the time zone \"Moon/Base\" is unknown");
}

#[test]
fn occurrences_are_removed_added_and_replaced() {
    let weekly = "DTSTART;TZID=Europe/Berlin:20260706T090000\nDURATION:PT1H\nRRULE:FREQ=WEEKLY;COUNT=4\n\
        EXDATE;TZID=Europe/Berlin:20260713T090000\nRDATE;TZID=Europe/Berlin:20260714T090000";
    let moved = "RECURRENCE-ID:20260720T070000Z\nDTSTART;TZID=Europe/Berlin:20260721T090000\nDURATION:PT2H";
    let cancelled = "RECURRENCE-ID;TZID=Europe/Berlin:20260727T090000\nDTSTART;TZID=Europe/Berlin:20260727T090000\n\
        DURATION:PT1H\nSTATUS:CANCELLED";
    // Another event at the same times is not touched.
    let other = event("DTSTART:20260720T070000Z\nDURATION:PT1H").replace("UID:one", "UID:two");
    let all = [weekly, moved, cancelled].map(event).concat() + &other;
    let expected = [
        "2026-07-06T07:00/2026-07-06T08:00",
        "2026-07-14T07:00/2026-07-14T08:00",
        "2026-07-20T07:00/2026-07-20T08:00",
        "2026-07-21T07:00/2026-07-21T09:00",
    ];
    assert_eq!(spans(&all), expected);
    assert!(spans(&event("DTSTART:20260720T070000Z\nDURATION:PT1H\nSTATUS:CANCELLED")).is_empty());
    // A day without a time removes what begins on it.
    let by_day = "DTSTART:20260706T090000\nDURATION:PT1H\nRRULE:FREQ=DAILY;COUNT=2\nEXDATE;VALUE=DATE:20260707";
    assert_eq!(spans(&event(by_day)).len(), 1);
    // An event without a length contains nothing.
    assert!(spans(&event("DTSTART:20260706T090000")).is_empty());
}

#[test]
fn what_cannot_be_used_is_refused() {
    for (file, why) in [
        ("BEGIN:VCARD\r\nVERSION:4.0\r\nEND:VCARD\r\n", "must be an iCalendar file"),
        ("a list of holidays", "must be an iCalendar file"),
        ("", "must be an iCalendar file"),
        (
            "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTART;VALUE=DATE:2026",
            "must be an iCalendar file",
        ),
    ] {
        let zone = parse_timezone("UTC").unwrap();
        let refused = read_ical(file, zone, &(at("2026-01-01T00:00:00Z")..at("2029-01-01T00:00:00Z"))).unwrap_err();
        assert!(refused.starts_with(why), "{refused}");
    }
    for (lines, why) in [
        ("SEQUENCE:1", "DTSTART is missing"),
        ("DTSTART:20260706T090000Z\nDTEND:20260706T080000Z", "DTEND is earlier than DTSTART"),
        ("DTSTART:20260706T090000Z\nDURATION:PT1S\nRRULE:FREQ=SECONDLY", "starts"),
        ("DTSTART:20260706T090000Z\nDURATION:PT1M\nRRULE:FREQ=HOURLY", "at most 2000 days and spans"),
        ("RECURRENCE-ID;RANGE=THISANDFUTURE:20260706T090000Z\nDTSTART:20260706T090000Z", "THISANDFUTURE"),
    ] {
        let refused = read(&event(lines)).unwrap_err();
        assert!(refused.contains(why), "{refused}");
    }
}

//! Pure: tests of quiet hours, also where clocks are changed.

use chrono::{DateTime, Datelike as _, TimeDelta, Timelike as _, Utc};
use entity::alert_receiver::{QuietHours, QuietSpan};
use entity::alert_rule::Severity;
use windlass_schedule::time_zone;

use super::{leaves_time, minute_text, parse_minute, quiet_until};

fn at(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(text).unwrap().to_utc()
}

fn hours(zone: &str, spans: &[(&[u8], &str, &str)]) -> QuietHours {
    let span = |(weekdays, from, to): &(&[u8], &str, &str)| QuietSpan {
        weekdays: weekdays.to_vec(),
        from_minute: parse_minute(from).unwrap(),
        to_minute: parse_minute(to).unwrap(),
    };
    QuietHours {
        time_zone: zone.into(),
        spans: spans.iter().map(span).collect(),
        except_severities: vec![Severity::Critical],
    }
}

const ALL: &[u8] = &[0, 1, 2, 3, 4, 5, 6];

fn end(hours: &QuietHours, now: &str) -> Option<DateTime<Utc>> {
    quiet_until(hours, Severity::High, at(now))
}

#[test]
fn nights_end_in_the_morning() {
    let nights = hours("Europe/Berlin", &[(ALL, "22:00", "07:00")]);
    for (now, until) in [
        ("2026-01-14T20:59:59Z", None),
        ("2026-01-14T21:00:00Z", Some("2026-01-15T06:00:00Z")),
        ("2026-01-15T05:59:59.999Z", Some("2026-01-15T06:00:00Z")),
        // The end is not quiet.
        ("2026-01-15T06:00:00Z", None),
    ] {
        assert_eq!(end(&nights, now), until.map(at), "{now}");
    }
    assert_eq!(quiet_until(&nights, Severity::Critical, at("2026-01-14T23:00:00Z")), None);
}

#[test]
fn spans_that_touch_are_one() {
    let weekend = hours("Etc/UTC", &[(&[4], "18:00", "24:00"), (&[5, 6], "00:00", "24:00"), (&[0], "00:00", "08:00")]);
    // A Friday.
    assert_eq!(end(&weekend, "2026-01-16T18:00:00Z"), Some(at("2026-01-19T08:00:00Z")));
    assert_eq!(end(&weekend, "2026-01-16T17:59:00Z"), None);
    assert_eq!(end(&weekend, "2026-01-20T01:00:00Z"), None);
}

#[test]
fn clock_changes_shorten_and_lengthen_nights() {
    let nights = hours("Europe/Berlin", &[(ALL, "22:00", "07:00")]);
    // From 02:00 to 03:00 on 29 March, back from 03:00 to 02:00 on 25 October.
    assert_eq!(end(&nights, "2026-03-28T21:00:00Z"), Some(at("2026-03-29T05:00:00Z")));
    assert_eq!(end(&nights, "2026-10-24T20:00:00Z"), Some(at("2026-10-25T06:00:00Z")));
    // An end in the hour that is left out is over when the clock has passed it.
    let short = hours("Europe/Berlin", &[(ALL, "22:00", "02:30")]);
    assert_eq!(end(&short, "2026-03-28T22:00:00Z"), Some(at("2026-03-29T01:00:00Z")));
    // One in the hour that happens twice is over, and begins again.
    assert_eq!(end(&short, "2026-10-24T22:00:00Z"), Some(at("2026-10-25T00:30:00Z")));
    assert_eq!(end(&short, "2026-10-25T00:45:00Z"), None);
    assert_eq!(end(&short, "2026-10-25T01:00:00Z"), Some(at("2026-10-25T01:30:00Z")));
}

/// The end is the first instant after a walk over the minutes at which the clock is outside of all spans.
#[test]
fn ends_agree_with_a_walk() {
    for zone in ["Europe/Berlin", "America/Sao_Paulo", "Australia/Lord_Howe", "Asia/Kolkata"] {
        let quiet = hours(zone, &[(&[4, 5, 6], "21:15", "09:45"), (&[1], "02:10", "02:40"), (&[2], "00:00", "24:00")]);
        let found = time_zone::find(zone).unwrap();
        let is_quiet = |time: DateTime<Utc>| {
            let local = time.with_timezone(&found);
            let minute = local.hour() * 60 + local.minute();
            let day = local.weekday().num_days_from_monday();
            (minute >= 1275 && (4..=6).contains(&day))
                || (minute < 585 && matches!(day, 5 | 6 | 0))
                || (day == 1 && (130..160).contains(&minute))
                || day == 2
        };
        for start in ["2026-03-27T00:00:00Z", "2026-04-03T00:00:00Z", "2026-10-02T00:00:00Z", "2026-10-23T00:00:00Z"] {
            let mut time = at(start);
            for _ in 0..200 {
                let mut walked = time;
                while is_quiet(walked) {
                    walked += TimeDelta::minutes(1);
                }
                let expected = (walked > time).then_some(walked);
                assert_eq!(quiet_until(&quiet, Severity::Low, time), expected, "{zone} {time}");
                time += TimeDelta::minutes(37);
            }
        }
    }
}

#[test]
fn a_week_cannot_be_quiet_as_a_whole() {
    assert!(!leaves_time(&hours("Etc/UTC", &[(ALL, "00:00", "24:00")]).spans));
    assert!(
        !leaves_time(&hours("Etc/UTC", &[(ALL, "08:00", "08:00")]).spans),
        "a span that ends where it begins is a day"
    );
    assert!(leaves_time(&hours("Etc/UTC", &[(ALL, "08:00", "07:50")]).spans));
}

#[test]
fn times_are_read_and_written() {
    for text in ["00:00", "07:30", "23:59", "24:00"] {
        assert_eq!(minute_text(parse_minute(text).unwrap()), text);
    }
    for wrong in ["", "7:30", "24:01", "12:60", "25:00", "12", "+1:00", "12:3x"] {
        assert!(parse_minute(wrong).is_err(), "{wrong}");
    }
}

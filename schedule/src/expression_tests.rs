//! Tests of parsing expressions.

use std::str::FromStr as _;

use chrono::Utc;

use super::super::fixtures::{at, schedule};
use super::CronExpression;

#[test]
fn dialect() {
    let sunday = ["0 0 * * 0", "0 0 * * 7", "0 0 * * SUN", "@weekly", "0 0 ? * sun"];
    for text in sunday {
        assert_eq!(schedule(text).next(at("2026-11-18T00:00:00Z"), &Utc), Some(at("2026-11-22T00:00:00Z")), "{text}");
    }
    let next = |text: &str, after: &str| schedule(text).next(at(after), &Utc).unwrap();
    assert_eq!(next("0 0 * * 1", "2026-11-18T00:00:00Z"), at("2026-11-23T00:00:00Z"));
    // Both day fields are restricted: either may match. A step is a restriction too.
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
fn errors_say_why() {
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
        ("@reboot", "unknown macro"),
        ("+1 * * * *", "neither"),
        ("TZ=UTC * * * * *", "found 6"),
        ("-1 * * * *", "neither"),
        ("* * * * L", "neither"),
    ];
    for (text, why) in cases {
        let refused = CronExpression::from_str(text).unwrap_err();
        assert!(refused.0.contains(why), "{text}: {}", refused.0);
    }
}

#[test]
fn an_expression_without_any_day_is_taken_and_never_fires() {
    for text in ["0 0 31 2 *", "0 0 30 2 *", "*/5 * 31 4,6,9,11 *"] {
        let never = schedule(text);
        assert!(!never.can_fire(), "{text}");
        assert_eq!(never.next(at("2026-11-18T00:00:00Z"), &Utc), None, "{text}");
    }
    // With a weekday either field may match, so this one does fire.
    assert!(schedule("0 0 31 2 1").can_fire());
    assert!(schedule("0 0 29 2 *").can_fire());
}

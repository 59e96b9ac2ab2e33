//! Expressions of Quartz: what Quartz 2.5.2 itself answered, and a walk over every day.

use chrono::{DateTime, Datelike as _, Days, NaiveDate, TimeDelta, Utc, Weekday};

use super::super::fixtures::{Random, at};
use super::super::gap::parse_timezone;
use super::{WorkspaceCron, from_quartz};

fn parse(text: &str) -> WorkspaceCron {
    from_quartz(text).unwrap_or_else(|refused| panic!("{text}: {}", refused.0))
}

/// An expression, a time, and up to three times after it; a shorter list ends there.
const ANSWERS: &[(&str, &str, &str)] = &[
    ("0 0 3 L * ?", "2026-11-27T00:00:00Z", "2026-11-30T03:00:00Z 2026-12-31T03:00:00Z 2027-01-31T03:00:00Z"),
    ("0 0 12 ? * 6L", "2026-11-27T00:00:00Z", "2026-11-27T12:00:00Z 2026-12-25T12:00:00Z 2027-01-29T12:00:00Z"),
    ("0 0 12 ? * FRIL", "2026-11-27T00:00:00Z", "2026-11-27T12:00:00Z 2026-12-25T12:00:00Z 2027-01-29T12:00:00Z"),
    ("0 0 12 ? * 2#1", "2026-11-27T00:00:00Z", "2026-12-07T12:00:00Z 2027-01-04T12:00:00Z 2027-02-01T12:00:00Z"),
    ("0 0 12 ? * MON#1", "2026-11-27T00:00:00Z", "2026-12-07T12:00:00Z 2027-01-04T12:00:00Z 2027-02-01T12:00:00Z"),
    ("0 0 12 ? * 6#5", "2026-11-27T00:00:00Z", "2027-01-29T12:00:00Z 2027-04-30T12:00:00Z 2027-07-30T12:00:00Z"),
    ("0 0 0 15W * ?", "2026-11-27T00:00:00Z", "2026-12-15T00:00:00Z 2027-01-15T00:00:00Z 2027-02-15T00:00:00Z"),
    ("0 0 0 1W * ?", "2026-11-27T00:00:00Z", "2026-12-01T00:00:00Z 2027-01-01T00:00:00Z 2027-02-01T00:00:00Z"),
    ("0 0 0 31W * ?", "2026-11-27T00:00:00Z", "2026-12-31T00:00:00Z 2027-01-29T00:00:00Z 2027-03-31T00:00:00Z"),
    ("0 0 0 30W * ?", "2026-11-27T00:00:00Z", "2026-11-30T00:00:00Z 2026-12-30T00:00:00Z 2027-01-29T00:00:00Z"),
    ("0 0 0 LW * ?", "2026-11-27T00:00:00Z", "2026-11-30T00:00:00Z 2026-12-31T00:00:00Z 2027-01-29T00:00:00Z"),
    ("0 0 0 L-3 * ?", "2026-11-27T00:00:00Z", "2026-12-28T00:00:00Z 2027-01-28T00:00:00Z 2027-02-25T00:00:00Z"),
    ("0 0 0 L-3W * ?", "2026-11-27T00:00:00Z", "2026-12-28T00:00:00Z 2027-01-28T00:00:00Z 2027-02-25T00:00:00Z"),
    ("0 0 0 L-30 * ?", "2026-11-27T00:00:00Z", "2026-12-01T00:00:00Z 2027-01-01T00:00:00Z 2027-03-01T00:00:00Z"),
    ("0 0 0 ? * L", "2026-11-27T00:00:00Z", "2026-11-28T00:00:00Z 2026-12-05T00:00:00Z 2026-12-12T00:00:00Z"),
    ("0 0 0 ? * 7L", "2026-11-27T00:00:00Z", "2026-11-28T00:00:00Z 2026-12-26T00:00:00Z 2027-01-30T00:00:00Z"),
    ("0 0 0 ? * SATL", "2026-11-27T00:00:00Z", "2026-11-28T00:00:00Z 2026-12-26T00:00:00Z 2027-01-30T00:00:00Z"),
    ("0 50-10 * * * ?", "2026-11-27T00:00:00Z", "2026-11-27T00:01:00Z 2026-11-27T00:02:00Z 2026-11-27T00:03:00Z"),
    ("0 0 22-2 * * ?", "2026-11-27T00:00:00Z", "2026-11-27T01:00:00Z 2026-11-27T02:00:00Z 2026-11-27T22:00:00Z"),
    ("0 0 22-2/2 * * ?", "2026-11-27T00:00:00Z", "2026-11-27T02:00:00Z 2026-11-27T22:00:00Z 2026-11-28T00:00:00Z"),
    ("0 0 0 28-3 * ?", "2026-11-27T00:00:00Z", "2026-11-28T00:00:00Z 2026-11-29T00:00:00Z 2026-11-30T00:00:00Z"),
    ("0 0 0 1 NOV-FEB ?", "2026-11-27T00:00:00Z", "2026-12-01T00:00:00Z 2027-01-01T00:00:00Z 2027-02-01T00:00:00Z"),
    ("0 0 0 1 11-2/2 ?", "2026-11-27T00:00:00Z", "2027-01-01T00:00:00Z 2027-11-01T00:00:00Z 2028-01-01T00:00:00Z"),
    ("0 0 0 ? * FRI-MON", "2026-11-27T00:00:00Z", "2026-11-28T00:00:00Z 2026-11-29T00:00:00Z 2026-11-30T00:00:00Z"),
    ("0 0 0 ? * 6-2/2", "2026-11-27T00:00:00Z", "2026-11-29T00:00:00Z 2026-12-04T00:00:00Z 2026-12-06T00:00:00Z"),
    ("0 /5 * * * ?", "2026-11-27T00:00:00Z", "2026-11-27T00:05:00Z 2026-11-27T00:10:00Z 2026-11-27T00:15:00Z"),
    ("0 /20 /6 * * ?", "2026-11-27T00:00:00Z", "2026-11-27T00:20:00Z 2026-11-27T00:40:00Z 2026-11-27T06:00:00Z"),
    ("0 0 0 /10 * ?", "2026-11-27T00:00:00Z", "2026-12-01T00:00:00Z 2026-12-11T00:00:00Z 2026-12-21T00:00:00Z"),
    ("0 0 0 ? * /2", "2026-11-27T00:00:00Z", "2026-11-28T00:00:00Z 2026-11-29T00:00:00Z 2026-12-01T00:00:00Z"),
    ("0 0 0 ? /3 1", "2026-11-27T00:00:00Z", "2027-01-03T00:00:00Z 2027-01-10T00:00:00Z 2027-01-17T00:00:00Z"),
    ("0 5/15 * * * ?", "2026-11-27T00:00:00Z", "2026-11-27T00:05:00Z 2026-11-27T00:20:00Z 2026-11-27T00:35:00Z"),
    ("0 */59 * * * ?", "2026-11-27T00:00:00Z", "2026-11-27T00:59:00Z 2026-11-27T01:00:00Z 2026-11-27T01:59:00Z"),
    ("0 0 0 1 1 ? 2027", "2026-11-27T00:00:00Z", "2027-01-01T00:00:00Z"),
    ("0 0 0 1 1 ? 2027-2029", "2026-11-27T00:00:00Z", "2027-01-01T00:00:00Z 2028-01-01T00:00:00Z 2029-01-01T00:00:00Z"),
    ("0 0 0 1 1 ? 2027/3", "2026-11-27T00:00:00Z", "2027-01-01T00:00:00Z 2030-01-01T00:00:00Z 2033-01-01T00:00:00Z"),
    ("0 0 0 1 1 ? 2027,2030", "2026-11-27T00:00:00Z", "2027-01-01T00:00:00Z 2030-01-01T00:00:00Z"),
    ("30 0 12 * * ?", "2026-11-27T00:00:00Z", "2026-11-27T12:00:30Z 2026-11-28T12:00:30Z 2026-11-29T12:00:30Z"),
    ("59 59 23 31 12 ?", "2026-11-27T00:00:00Z", "2026-12-31T23:59:59Z 2027-12-31T23:59:59Z 2028-12-31T23:59:59Z"),
    ("0 0 0 29 2 ?", "2026-11-27T00:00:00Z", "2028-02-29T00:00:00Z 2032-02-29T00:00:00Z 2036-02-29T00:00:00Z"),
    ("0 0 0 ? 2 1#5", "2026-11-27T00:00:00Z", "2032-02-29T00:00:00Z 2060-02-29T00:00:00Z 2088-02-29T00:00:00Z"),
    ("0 0 0 1,15W * ?", "2026-11-27T00:00:00Z", "2026-12-01T00:00:00Z 2026-12-15T00:00:00Z 2027-01-01T00:00:00Z"),
    ("0 0 0 1,L * ?", "2026-11-27T00:00:00Z", "2026-11-30T00:00:00Z 2026-12-01T00:00:00Z 2026-12-31T00:00:00Z"),
    ("0 0 0 1,LW * ?", "2026-11-27T00:00:00Z", "2026-11-30T00:00:00Z 2026-12-01T00:00:00Z 2026-12-31T00:00:00Z"),
    ("0 0 0 L,15W * ?", "2026-11-27T00:00:00Z", "2026-11-30T00:00:00Z 2026-12-15T00:00:00Z 2026-12-31T00:00:00Z"),
    ("0 0 0 10W,20W * ?", "2026-11-27T00:00:00Z", "2026-12-10T00:00:00Z 2026-12-21T00:00:00Z 2027-01-11T00:00:00Z"),
    ("0 0 0 ? * MON,WED,FRI", "2026-11-27T00:00:00Z", "2026-11-30T00:00:00Z 2026-12-02T00:00:00Z 2026-12-04T00:00:00Z"),
    ("0 0 0 ? * mon-fri", "2026-11-27T00:00:00Z", "2026-11-30T00:00:00Z 2026-12-01T00:00:00Z 2026-12-02T00:00:00Z"),
    ("0 0 0 1 jan,jul ?", "2026-11-27T00:00:00Z", "2027-01-01T00:00:00Z 2027-07-01T00:00:00Z 2028-01-01T00:00:00Z"),
    ("0 0 0 ? * 2/2", "2026-11-27T00:00:00Z", "2026-11-30T00:00:00Z 2026-12-02T00:00:00Z 2026-12-04T00:00:00Z"),
    ("0 0 0 1/10 * ?", "2026-11-27T00:00:00Z", "2026-12-01T00:00:00Z 2026-12-11T00:00:00Z 2026-12-21T00:00:00Z"),
    ("0 0 0 */10 * ?", "2026-11-27T00:00:00Z", "2026-12-01T00:00:00Z 2026-12-11T00:00:00Z 2026-12-21T00:00:00Z"),
    ("0 0 0 10-20/5 * ?", "2026-11-27T00:00:00Z", "2026-12-10T00:00:00Z 2026-12-15T00:00:00Z 2026-12-20T00:00:00Z"),
    ("0 0,30 8-18 ? * 2-6", "2026-11-27T00:00:00Z", "2026-11-27T08:00:00Z 2026-11-27T08:30:00Z 2026-11-27T09:00:00Z"),
    ("0 0 0 1 JANUARY ?", "2026-11-27T00:00:00Z", "2027-01-01T00:00:00Z 2028-01-01T00:00:00Z 2029-01-01T00:00:00Z"),
    ("0 0 0 ? * MONDAY", "2026-11-27T00:00:00Z", "2026-11-30T00:00:00Z 2026-12-07T00:00:00Z 2026-12-14T00:00:00Z"),
    ("0 0 0 ? * *", "2026-11-27T00:00:00Z", "2026-11-28T00:00:00Z 2026-11-29T00:00:00Z 2026-11-30T00:00:00Z"),
    ("0 0 0 ? * 6L 2027", "2026-11-27T00:00:00Z", "2027-01-29T00:00:00Z 2027-02-26T00:00:00Z 2027-03-26T00:00:00Z"),
    ("0 0 0 1,1,1 * ?", "2026-11-27T00:00:00Z", "2026-12-01T00:00:00Z 2027-01-01T00:00:00Z 2027-02-01T00:00:00Z"),
    ("0 5-5 0 * * ?", "2026-11-27T00:00:00Z", "2026-11-27T00:05:00Z 2026-11-28T00:05:00Z 2026-11-29T00:05:00Z"),
    ("0 0 0 LW 2 ?", "2027-01-31T00:00:00Z", "2027-02-26T00:00:00Z 2028-02-29T00:00:00Z 2029-02-28T00:00:00Z"),
    ("0 0 0 1W 5 ?", "2026-12-01T00:00:00Z", "2027-05-03T00:00:00Z 2028-05-01T00:00:00Z 2029-05-01T00:00:00Z"),
    ("0 0 0 L 2 ?", "2027-12-01T00:00:00Z", "2028-02-29T00:00:00Z 2029-02-28T00:00:00Z 2030-02-28T00:00:00Z"),
    ("0 0 0 15W 8 ?", "2026-12-01T00:00:00Z", "2027-08-16T00:00:00Z 2028-08-15T00:00:00Z 2029-08-15T00:00:00Z"),
    ("0 0 0 ? * 1#5", "2026-11-27T00:00:00Z", "2026-11-29T00:00:00Z 2027-01-31T00:00:00Z 2027-05-30T00:00:00Z"),
    ("0 0 0 L-0 * ?", "2026-11-27T00:00:00Z", "2026-11-30T00:00:00Z 2026-12-31T00:00:00Z 2027-01-31T00:00:00Z"),
];

#[test]
fn answers_of_quartz() {
    for (text, after, expected) in ANSWERS {
        let expression = parse(text);
        let found: Vec<_> =
            std::iter::successors(expression.next(at(after), &Utc), |time| expression.next(*time, &Utc))
                .take(3)
                .collect();
        assert_eq!(found, expected.split(' ').map(at).collect::<Vec<_>>(), "{text}");
    }
    // The last time of its years has passed.
    assert_eq!(parse("0 0 0 1 1 ? 2020").next(at("2026-11-27T00:00:00Z"), &Utc), None);
    assert_eq!(parse("15 3 * * 1"), WorkspaceCron::Ordinary("15 3 * * 1".parse().unwrap()));
}

#[test]
fn an_error_names_the_field_and_what_is_allowed() {
    for (text, why) in [
        ("0 0 24 * * ?", "hour \"24\": a value must be 0 to 23"),
        ("0 60 0 * * ?", "minute \"60\": a value must be 0 to 59"),
        ("60 0 0 * * ?", "second \"60\": must be one number from 0 to 59"),
        ("* 0 0 * * ?", "second \"*\": must be one number"),
        ("0/15 0 0 * * ?", "second \"0/15\": must be one number"),
        ("0 ? 0 * * ?", "minute \"?\": a value must be 0 to 59"),
        ("0 */60 * * * ?", "minute \"*/60\": a step must be 1 to 59"),
        ("0 0/0 0 * * ?", "minute \"0/0\": a step must be 1 to 59"),
        ("0 0 */24 * * ?", "hour \"*/24\": a step must be 1 to 23"),
        ("0 1-2-3 0 * * ?", "minute \"1-2-3\": a value must be 0 to 59"),
        ("0 0 0 */31 * ?", "day of month \"*/31\": a step must be 1 to 30"),
        ("0 0 0 0 * ?", "day of month \"0\": a value must be 1 to 31"),
        ("0 0 0 32W * ?", "day of month \"32W\": a day must be 1 to 31, L, LW"),
        ("0 0 0 L-31 * ?", "day of month \"L-31\": a day must be 1 to 31, L, LW"),
        ("0 0 0 1-5W * ?", "day of month \"1-5W\": a day must be"),
        ("0 0 0 W * ?", "day of month \"W\": a day must be"),
        ("0 0 0 L15 * ?", "day of month \"L15\": a day must be"),
        ("0 0 0 1 13 ?", "month \"13\": a value must be 1 to 12 or JAN to DEC"),
        ("0 0 0 1 */12 ?", "month \"*/12\": a step must be 1 to 11"),
        ("0 0 0 ? * 8", "day of week \"8\": a value must be 1 to 7 or SUN to SAT"),
        ("0 0 0 ? * 0", "day of week \"0\": a value must be 1 to 7 or SUN to SAT"),
        ("0 0 0 ? * 2#6", "day of week \"2#6\": a day must be 1 (SUN) to 7 (SAT), which L or #n"),
        ("0 0 0 ? * 8L", "day of week \"8L\": a day must be"),
        ("0 0 0 ? * L-3", "day of week \"L-3\": a value must be"),
        ("0 0 0 ? * 2#1,6", "day of week \"2#1,6\": L and # stand alone"),
        ("0 0 0 ? * 2,6L", "day of week \"2,6L\": L and # stand alone"),
        ("0 0 0 ? * 5-6#2", "day of week \"5-6#2\": L and # stand alone"),
        ("0 0 0 ? * MON-FRI/2", "day of week \"MON-FRI/2\": a step must follow numbers"),
        ("0 0 0 1 JAN/3 ?", "month \"JAN/3\": a step must follow numbers"),
        ("0 0 0 1 1 ? 1969", "year \"1969\": a year must be 1970 to 2199"),
        ("0 0 0 1 1 ? 2030-2028", "year \"2030-2028\": a range of years must not end before it begins"),
        ("0 0 0 1 1 ? 2030/0", "year \"2030/0\": a step must be"),
        ("0 0 0 ? * ?", "day of week \"?\": only one of the day fields may be ?"),
        ("0 0 0 1 * 2", "day of week: one of day of month and day of week must be ?"),
        ("0 0 0 31 2 ?", "never fires"),
        ("0 0 0 30W 2 ?", "never fires"),
        ("0 0 0 29 2 ? 2027", "never fires"),
        ("0 0", "expected six or seven fields"),
        ("", "expected six or seven fields"),
        ("1 2 3 4 5 6 7 8", "found 8"),
    ] {
        let refused = from_quartz(text).unwrap_err();
        assert!(refused.0.contains(why), "{text}: {}", refused.0);
    }
}

/// As for all schedules, a fixed time that the clocks leave out comes right after the gap, and one that comes twice is taken once.
#[test]
fn clock_changes() {
    let zone = parse_timezone("Europe/Berlin").unwrap();
    let times = |text: &str, after: &str| {
        let expression = parse(text);
        let all = std::iter::successors(expression.next(at(after), &zone), |time| expression.next(*time, &zone));
        all.take(2).map(|time| time.with_timezone(&zone).format("%m-%d %H:%M:%S%:z").to_string()).collect::<Vec<_>>()
    };
    assert_eq!(times("0 30 2 * * ?", "2027-03-27T12:00:00Z"), ["03-28 03:00:00+02:00", "03-29 02:30:00+02:00"]);
    assert_eq!(times("0 30 2 * * ?", "2027-10-30T12:00:00Z"), ["10-31 02:30:00+02:00", "11-01 02:30:00+01:00"]);
    assert_eq!(times("20 0/30 * * * ?", "2027-10-31T00:10:00Z"), ["10-31 02:30:20+02:00", "10-31 02:00:20+01:00"]);
    assert_eq!(times("20 0 1 L * ?", "2027-10-30T23:00:20Z"), ["11-30 01:00:20+01:00", "12-31 01:00:20+01:00"]);
}

type DayTest = Box<dyn Fn(NaiveDate) -> bool>;

/// Values of a plain field, counted one by one.
fn plain(random: &mut Random, low: u32, high: u32) -> (String, Vec<u32>) {
    let (a, b) = (random.between(low, high), random.between(low, high));
    let step = random.between(1, (high - low).min(9));
    let walk = |from: u32, to: u32, step: u32| {
        let (mut value, mut count, mut found) = (from, 0, Vec::new());
        loop {
            if count % step == 0 {
                found.push(value);
            }
            if value == to {
                return found;
            }
            value = if value == high { low } else { value + 1 };
            count += 1;
        }
    };
    match random.between(0, 6) {
        0 => ("*".into(), walk(low, high, 1)),
        1 => (format!("*/{step}"), walk(low, high, step)),
        2 => (format!("/{step}"), walk(low, high, step)),
        3 => (format!("{a}/{step}"), walk(a, high, step)),
        4 => (format!("{a}-{b}"), walk(a, b, 1)),
        5 => (format!("{a}-{b}/{step}"), walk(a, b, step)),
        _ => (format!("{a},{b}"), vec![a, b]),
    }
}

fn last_of(date: NaiveDate) -> u32 {
    (28..=31).rev().find(|day| date.with_day(*day).is_some()).unwrap()
}

fn is_weekday(date: NaiveDate) -> bool {
    !matches!(date.weekday(), Weekday::Sat | Weekday::Sun)
}

/// Whether a date is the weekday in its month that is nearest to a day of the month, of all that there are.
fn is_nearest(date: NaiveDate, day: u32) -> bool {
    let weekdays = (1..=last_of(date)).filter(|other| is_weekday(date.with_day(*other).unwrap()));
    (1..=last_of(date)).contains(&day) && weekdays.min_by_key(|other| other.abs_diff(day)) == Some(date.day())
}

fn days(random: &mut Random) -> (String, DayTest) {
    let (day, distance) = (random.between(1, 31), random.between(0, 30));
    match random.between(0, 6) {
        0 => ("L".into(), Box::new(|date| date.day() == last_of(date))),
        1 => (format!("L-{distance}"), Box::new(move |date| date.day() + distance == last_of(date))),
        2 => (format!("{day}W"), Box::new(move |date| is_nearest(date, day))),
        3 => ("LW".into(), Box::new(|date| is_nearest(date, last_of(date)))),
        4 => (
            format!("L-{distance}W"),
            Box::new(move |date| last_of(date).checked_sub(distance).is_some_and(|day| is_nearest(date, day))),
        ),
        5 => (format!("{day},LW"), Box::new(move |date| date.day() == day || is_nearest(date, last_of(date)))),
        _ => {
            let (text, values) = plain(random, 1, 31);
            (text, Box::new(move |date| values.contains(&date.day())))
        }
    }
}

fn weekdays(random: &mut Random) -> (String, DayTest) {
    let (day, nth) = (random.between(1, 7), random.between(1, 5));
    let is_day = move |date: NaiveDate| date.weekday().number_from_sunday() == day;
    let count = move |date: NaiveDate| {
        let before = (1..=date.day()).filter(move |other| is_day(date.with_day(*other).unwrap()));
        u32::try_from(before.count()).unwrap()
    };
    match random.between(0, 4) {
        0 => (format!("{day}L"), Box::new(move |date| is_day(date) && (date + Days::new(7)).month() != date.month())),
        1 | 2 => (format!("{day}#{nth}"), Box::new(move |date| is_day(date) && count(date) == nth)),
        3 => ("L".into(), Box::new(|date| date.weekday() == Weekday::Sat)),
        _ => {
            let (text, values) = plain(random, 1, 7);
            (text, Box::new(move |date| values.contains(&date.weekday().number_from_sunday())))
        }
    }
}

/// The first time after `after`, found by looking at every day.
fn walked(
    after: DateTime<Utc>,
    is_day: &DayTest,
    months: &[u32],
    times: &[(u32, u32)],
    second: u32,
) -> Option<DateTime<Utc>> {
    let mut day = after.date_naive();
    let end = day + Days::new(366 * 41);
    while day < end {
        if months.contains(&day.month()) && is_day(day) {
            let all = times.iter().map(|(hour, minute)| day.and_hms_opt(*hour, *minute, second).unwrap().and_utc());
            if let Some(time) = all.filter(|time| *time > after).min() {
                return Some(time);
            }
        }
        day = day + Days::new(1);
    }
    None
}

#[test]
fn agrees_with_a_walk_over_every_day() {
    let mut random = Random(0x5eed_0003);
    let (mut compared, mut refused) = (0, 0);
    while compared < 3000 {
        let second = random.between(0, 59);
        let ((minute, minutes), (hour, hours)) = (plain(&mut random, 0, 59), plain(&mut random, 0, 23));
        let (month, months) = plain(&mut random, 1, 12);
        let (day, weekday, is_day) = if random.between(0, 1) == 0 {
            let (text, is_day) = days(&mut random);
            (text, "?".to_owned(), is_day)
        } else {
            let (text, is_day) = weekdays(&mut random);
            ("?".to_owned(), text, is_day)
        };
        let text = format!("{second} {minute} {hour} {day} {month} {weekday}");
        let times: Vec<(u32, u32)> =
            hours.iter().flat_map(|hour| minutes.iter().map(move |minute| (*hour, *minute))).collect();
        let mut after = at("2026-01-01T00:00:00Z") + TimeDelta::seconds(random.between(0, 400_000_000).into());
        let Ok(expression) = from_quartz(&text) else {
            // Only what has no time is refused.
            assert_eq!(walked(after, &is_day, &months, &times, second), None, "{text}");
            refused += 1;
            continue;
        };
        for _ in 0..3 {
            let expected = walked(after, &is_day, &months, &times, second);
            assert_eq!(expression.next(after, &Utc), expected, "{text} after {after}");
            let Some(next) = expected else { break };
            after = next;
        }
        compared += 1;
    }
    assert!(refused < compared / 10, "{refused} were refused");
}

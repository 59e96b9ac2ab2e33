//! Compares the richer language with croner, and with a walk over every day that knows nothing of the parsed form.

use chrono::{DateTime, Datelike as _, Days, NaiveDate, TimeDelta, Timelike as _, Utc, Weekday};

use super::super::fixtures::{Random, at};
use super::super::schedule::Schedule;
use super::{DayMatch, HashKey};

type DayTest = Box<dyn Fn(NaiveDate) -> bool>;

/// The days of a month.
fn month(date: NaiveDate) -> Vec<NaiveDate> {
    (1..=31).filter_map(|day| date.with_day(day)).collect()
}

fn is_weekday(date: NaiveDate) -> bool {
    !matches!(date.weekday(), Weekday::Sat | Weekday::Sun)
}

/// Whether a date is the weekday of its month that is nearest to a day, of all that there are.
fn is_nearest(date: NaiveDate, day: u32) -> bool {
    let exists = month(date).iter().any(|other| other.day() == day);
    let weekdays = month(date).into_iter().filter(|other| is_weekday(*other));
    exists && weekdays.min_by_key(|other| other.day().abs_diff(day)) == Some(date)
}

fn last(date: NaiveDate) -> u32 {
    month(date).last().unwrap().day()
}

/// Values of a range that may wrap, counted one by one.
fn walk(low: u32, from: u32, to: u32, span: u32, step: u32) -> Vec<u32> {
    let (mut value, mut count, mut found) = (from, 0, Vec::new());
    loop {
        if count % step == 0 {
            found.push(value);
        }
        if value == to {
            return found;
        }
        value = if value == low + span - 1 { low } else { value + 1 };
        count += 1;
    }
}

/// A field of plain values or a range that may wrap.
fn values(random: &mut Random, low: u32, span: u32) -> (String, Vec<u32>) {
    let (from, to) = (random.between(low, low + span - 1), random.between(low, low + span - 1));
    let step = random.between(1, 5);
    match random.between(0, 3) {
        0 => ("*".into(), (low..low + span).collect()),
        1 => (format!("{from}-{to}"), walk(low, from, to, span, 1)),
        2 => (format!("{from}-{to}/{step}"), walk(low, from, to, span, step)),
        _ => (format!("{from},{to}"), vec![from, to]),
    }
}

fn days(random: &mut Random) -> (String, DayTest) {
    let (day, distance) = (random.between(1, 31), random.between(0, 30));
    match random.between(0, 6) {
        0 => ("*".into(), Box::new(|_| true)),
        1 => ("L".into(), Box::new(|date| date.day() == last(date))),
        2 => (format!("L-{distance}"), Box::new(move |date| date.day() + distance == last(date))),
        3 => (format!("{day}W"), Box::new(move |date| is_nearest(date, day))),
        4 => ("LW".into(), Box::new(|date| is_nearest(date, last(date)))),
        5 => (format!("{day},L"), Box::new(move |date| date.day() == day || date.day() == last(date))),
        _ => {
            let (text, found) = values(random, 1, 31);
            (text, Box::new(move |date| found.contains(&date.day())))
        }
    }
}

fn weekdays(random: &mut Random) -> (String, DayTest) {
    let (day, nth) = (random.between(0, 6), random.between(1, 5));
    let is_day = move |date: NaiveDate| date.weekday().num_days_from_sunday() == day;
    let place = move |date: NaiveDate| month(date).into_iter().filter(|other| is_day(*other) && *other <= date).count();
    match random.between(0, 3) {
        0 => ("*".into(), Box::new(|_| true)),
        1 => (format!("{day}L"), Box::new(move |date| is_day(date) && date.day() + 7 > last(date))),
        2 => (format!("{day}#{nth}"), Box::new(move |date| is_day(date) && place(date) == nth as usize)),
        _ => {
            let (text, found) = values(random, 0, 7);
            (text, Box::new(move |date| found.contains(&date.weekday().num_days_from_sunday())))
        }
    }
}

#[test]
fn agrees_with_a_walk_over_every_day() {
    let mut random = Random(0x5eed_0007);
    let mut found = 0;
    for _ in 0..2000 {
        let ((minute, minutes), (hour, hours)) = (values(&mut random, 0, 60), values(&mut random, 0, 24));
        let ((day, is_day), (weekday, is_weekday)) = (days(&mut random), weekdays(&mut random));
        let (month, months) = values(&mut random, 1, 12);
        let and = random.between(0, 1) == 1;
        let text = format!("{minute} {hour} {day} {month} {weekday}");
        let day_match = if and { DayMatch::And } else { DayMatch::Or };
        let schedule = Schedule::parse(&text, day_match, HashKey::of(&[])).unwrap();
        let both = and || day == "*" || weekday == "*";
        let matches = |date: NaiveDate| {
            let (a, b) = (is_day(date), is_weekday(date));
            months.contains(&date.month()) && if both { a && b } else { a || b }
        };
        let mut time = at("2026-01-01T00:00:00Z") + TimeDelta::minutes(random.between(0, 2_000_000).into());
        let end = time.date_naive() + Days::new(366 * 3);
        for _ in 0..3 {
            let expected = walked(time, end, &matches, (&hours, &minutes));
            let next = schedule.next(time, &Utc).filter(|next| next.date_naive() < end);
            assert_eq!(next, expected, "{text} {day_match:?} after {time}");
            let Some(next) = next else { break };
            time = next;
            found += 1;
        }
    }
    assert!(found > 4500, "only {found} times were compared");
}

/// The first time after `after` on a day before `end`, found by looking at every day and every minute.
fn walked(
    after: DateTime<Utc>,
    end: NaiveDate,
    is_day: &impl Fn(NaiveDate) -> bool,
    (hours, minutes): (&[u32], &[u32]),
) -> Option<DateTime<Utc>> {
    let mut day = after.date_naive();
    while day < end {
        if is_day(day) {
            let midnight = day.and_hms_opt(0, 0, 0).unwrap().and_utc();
            let all = (0..1440).map(|minute| midnight + TimeDelta::minutes(minute));
            let found = all
                .filter(|time| *time > after)
                .find(|time| hours.contains(&time.hour()) && minutes.contains(&time.minute()));
            if found.is_some() {
                return found;
            }
        }
        day = day + Days::new(1);
    }
    None
}

#[test]
fn agrees_with_croner() {
    let mut random = Random(0x5eed_0008);
    for _ in 0..1500 {
        let day = random.pick(&["*", "L", "15W", "1W", "13", "1-7", "LW", "31"]);
        let weekday = random.pick(&["*", "1#2", "5L", "MON#1", "0#3", "6", "FRI", "1-5"]);
        let (hour, month) = (random.pick(&["3", "*/6", "9-17"]), random.pick(&["*", "2", "*/3"]));
        let and = random.between(0, 1) == 1;
        let text = format!("0 {hour} {day} {month} {weekday}");
        let parser =
            croner::parser::CronParser::builder().seconds(croner::parser::Seconds::Disallowed).dom_and_dow(and).build();
        let theirs = parser.parse(&text).unwrap();
        let day_match = if and { DayMatch::And } else { DayMatch::Or };
        let ours = Schedule::parse(&text, day_match, HashKey::of(&[])).unwrap();
        let mut time = at("2026-01-01T00:00:00Z") + TimeDelta::minutes(random.between(0, 2_000_000).into());
        // Without any time, croner searches for long.
        for _ in 0..if ours.can_fire() { 4 } else { 0 } {
            let Ok(expected) = theirs.find_next_occurrence(&time, false) else { break };
            assert_eq!(ours.next(time, &Utc), Some(expected), "{text} {day_match:?} after {time}");
            time = expected;
        }
    }
}

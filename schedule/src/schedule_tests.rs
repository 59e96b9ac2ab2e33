//! Tests of schedules: what each form means, what is refused and why, and that the plain language means what it did.

use chrono::{DateTime, Utc};
use proptest::prelude::*;

use super::super::fixtures::at;
use super::super::gap::parse_timezone;
use super::{DayMatch, HashKey, Schedule};

fn read(text: &str, day_match: DayMatch) -> Schedule {
    Schedule::parse(text, day_match, HashKey::of(b"backup")).unwrap_or_else(|refused| panic!("{text}: {}", refused.0))
}

fn times(schedule: &Schedule, after: &str, count: usize) -> Vec<String> {
    std::iter::successors(schedule.next(at(after), &Utc), |time| schedule.next(*time, &Utc))
        .take(count)
        .map(|time| time.format("%y-%m-%d %H:%M").to_string())
        .collect()
}

#[test]
fn a_start_is_no_time() {
    let parse = |text: &str| Schedule::parse(text, DayMatch::Or, HashKey::of(&[]));
    let schedule = parse(" @reboot ").unwrap();
    assert!(schedule.is_at_start() && schedule.can_fire() && schedule.plain().is_none());
    assert_eq!(schedule.next(DateTime::UNIX_EPOCH, &Utc), None);
    assert_eq!(schedule.words(), "at each start of the server");
    assert!(!parse("@daily").unwrap().is_at_start());
    let joined = parse("@daily | @reboot").unwrap_err();
    assert!(joined.0.contains("cannot be joined"), "{}", joined.0);
    assert!(parse("@Reboot").is_err());
}

#[test]
fn the_forms_of_days() {
    let next = |text: &str| times(&read(text, DayMatch::Or), "2026-11-27T00:00:00Z", 3);
    for (text, expected) in [
        ("0 3 L * *", ["26-11-30 03:00", "26-12-31 03:00", "27-01-31 03:00"]),
        ("0 3 L-3 * *", ["26-11-27 03:00", "26-12-28 03:00", "27-01-28 03:00"]),
        ("0 3 LW * *", ["26-11-30 03:00", "26-12-31 03:00", "27-01-29 03:00"]),
        ("0 3 15W 8 *", ["27-08-16 03:00", "28-08-15 03:00", "29-08-15 03:00"]),
        ("0 3 1,L * *", ["26-11-30 03:00", "26-12-01 03:00", "26-12-31 03:00"]),
        ("0 3 * * 1#2", ["26-12-14 03:00", "27-01-11 03:00", "27-02-08 03:00"]),
        ("0 3 * * MON#1,mon#3", ["26-12-07 03:00", "26-12-21 03:00", "27-01-04 03:00"]),
        ("0 3 * * 5L", ["26-11-27 03:00", "26-12-25 03:00", "27-01-29 03:00"]),
        ("0 3 * * 0L,7#1", ["26-11-29 03:00", "26-12-06 03:00", "26-12-27 03:00"]),
        ("0 3 * * FRI-MON", ["26-11-27 03:00", "26-11-28 03:00", "26-11-29 03:00"]),
        ("0 3 * * 7-1", ["26-11-29 03:00", "26-11-30 03:00", "26-12-06 03:00"]),
        ("0 3 30-2 * *", ["26-11-30 03:00", "26-12-01 03:00", "26-12-02 03:00"]),
        ("0 3 1 11-2 *", ["26-12-01 03:00", "27-01-01 03:00", "27-02-01 03:00"]),
        ("0 22-2/2 * * *", ["26-11-27 02:00", "26-11-27 22:00", "26-11-28 00:00"]),
        ("58-2 3 * * *", ["26-11-27 03:00", "26-11-27 03:01", "26-11-27 03:02"]),
        ("0 3 * * 5L | 30 4 1 * * | @yearly", ["26-11-27 03:00", "26-12-01 04:30", "26-12-25 03:00"]),
        // Either day field may match.
        ("0 3 L * 1#1", ["26-11-30 03:00", "26-12-07 03:00", "26-12-31 03:00"]),
    ] {
        assert_eq!(next(text), expected, "{text}");
    }
}

#[test]
fn both_days_may_have_to_match() {
    let next = |text: &str| times(&read(text, DayMatch::And), "2026-11-27T00:00:00Z", 2);
    assert_eq!(next("0 0 13 * 5"), ["27-08-13 00:00", "28-10-13 00:00"]);
    assert_eq!(next("0 0 L * 5"), ["27-04-30 00:00", "27-12-31 00:00"]);
    assert_eq!(next("0 0 */2 * 1"), ["26-12-07 00:00", "26-12-21 00:00"]);
    assert_eq!(next("0 0 29 2 0"), ["32-02-29 00:00", "60-02-29 00:00"]);
    // A star leaves the other field alone, as always.
    assert_eq!(read("0 0 * * 5", DayMatch::And), read("0 0 * * 5", DayMatch::Or));
    assert!(!read("0 0 31 2 1", DayMatch::And).can_fire() && read("0 0 31 2 1", DayMatch::Or).can_fire());
}

#[test]
fn a_hash_selects_values() {
    let parse = |text: &str, key: u32| Schedule::parse(text, DayMatch::Or, HashKey::of(&key.to_be_bytes())).unwrap();
    let minute = |text: &str, key: u32| {
        let times = times(&parse(text, key), "2026-11-27T00:00:00Z", 5);
        times.iter().map(|time| time[12..].parse::<u32>().unwrap()).collect::<Vec<_>>()
    };
    let mut chosen = std::collections::BTreeSet::new();
    for key in 0..400 {
        let once = minute("H * * * *", key);
        assert!(once.windows(2).all(|pair| pair[0] == pair[1]), "{once:?}");
        chosen.insert(once[0]);
        assert!(minute("H(20-24) * * * *", key).iter().all(|minute| (20..=24).contains(minute)));
        let steps = minute("H/15 * * * *", key);
        assert!(steps.windows(2).all(|pair| (pair[1] + 60 - pair[0]) % 60 == 15), "{steps:?}");
        assert!(minute("H(0-29)/10 * * * *", key).iter().all(|minute| *minute < 30));
        let day = times(&parse("0 0 H * *", key), "2027-01-31T23:59:00Z", 1).remove(0);
        assert!(day.starts_with("27-02-"), "every month has the day: {day}");
        assert!(parse("H H H H H", key).can_fire());
    }
    assert_eq!(chosen.len(), 60, "all minutes are chosen by some key");
    // The fields do not follow each other.
    let same = (0..400).filter(|key| {
        let time = times(&parse("H H(0-23) * * *", *key), "2026-11-27T00:00:00Z", 1).remove(0);
        time[9..11] == time[12..]
    });
    assert!(same.count() < 40);
}

#[test]
fn an_error_names_the_field_and_what_is_allowed() {
    for (text, why) in [
        ("0 0 L-31 * *", "day of month \"L-31\": a day must be 1 to 31, L, LW"),
        ("0 0 32W * *", "day of month \"32W\": a day must be"),
        ("0 0 * * 8L", "day of week \"8L\": a day must be 0 (SUN) to 7 (SUN), which L"),
        ("0 0 * * L", "day of week \"L\": a day must be"),
        ("0 0 * * 1#6", "day of week \"1#6\": a day must be"),
        ("0 0 * * 1#", "day of week \"1#\": a day must be"),
        ("L 0 * * *", "minute \"L\": \"L\" is neither a number nor a name"),
        ("0 0 * L *", "month \"L\""),
        ("22-70 0 * * *", "minute \"22-70\": 70 is not between 0 and 59"),
        ("0 22-2/0 * * *", "hour \"22-2/0\": a step must be a number above 0"),
        ("H(5-1) * * * *", "minute \"H(5-1)\": the range of a hash ends before it starts"),
        ("H(1-70) * * * *", "70 is not between 0 and 59"),
        ("H5 * * * *", "minute \"H5\": a hash must be H, H(a-b), H/n or H(a-b)/n"),
        ("H/70 * * * *", "minute \"H/70\": a step must be 1 to 60"),
        ("* * * *", "expected five fields"),
        ("0 0 * * * | ", "an expression is missing beside a |"),
        ("0 0 * * * || 1 1 * * *", "an expression is missing beside a |"),
        ("0 0 * * * | 60 * * * *", "60 is not between 0 and 59"),
        ("@every 5m", "@every is not supported"),
    ] {
        let refused = Schedule::parse(text, DayMatch::Or, HashKey::of(&[])).unwrap_err();
        assert!(refused.0.contains(why), "{text}: {}", refused.0);
    }
    let many = vec!["0 0 * * *"; 21].join("|");
    assert!(Schedule::parse(&many, DayMatch::Or, HashKey::of(&[])).unwrap_err().0.contains("at most 20"));
}

#[test]
fn words() {
    for (text, words) in [
        ("0 3 L * *", "at 03:00 on the last day of every month"),
        ("0 3 LW 1 *", "at 03:00 on the last weekday of January"),
        ("0 3 1,L-2 * *", "at 03:00 on the 1st and the day 2 days before the last of every month"),
        ("0 3 * * 1#2", "at 03:00 on the 2nd Monday of every month"),
        ("0 3 * * 1#1,1#3,5L", "at 03:00 on the 1st Monday, the 3rd Monday and the last Friday of every month"),
        ("0 3 * * 1,5L", "at 03:00 on the last Friday of every month and on Mondays"),
        ("0 3 15W * 1#1", "at 03:00 on the weekday nearest the 15th and the 1st Monday of every month"),
        ("0 3 L * 1", "at 03:00 on the last day of every month and on Mondays"),
        ("0 22-2 * * *", "every day at 00:00, 01:00, 02:00, 22:00 and 23:00"),
        ("0 9 * * FRI-MON", "at 09:00 on Mondays, Fridays, Saturdays and Sundays"),
        ("0 9 * * 1 | 30 17 * * 5", "every Monday at 09:00; and every Friday at 17:30"),
        ("0 9 * * 1 | 0 9 * * MON", "every Monday at 09:00"),
        ("0 9 * * 1 | 0 0 31 2 *", "every Monday at 09:00"),
        ("0 9 L-30 2 *", "never: no such day exists"),
        ("0 9 L-30 2 * | 0 0 31 2 *", "never: no such day exists"),
    ] {
        assert_eq!(read(text, DayMatch::Or).words(), words, "{text}");
    }
    for (text, words) in [
        ("0 0 13 * 5", "at 00:00 on the 13th of every month, if it is a Friday"),
        ("0 0 1-7 6 1,2", "at 00:00 on the 1st to 7th of June, if it is a Monday or a Tuesday"),
        ("*/5 * L * 5L", "every 5 minutes on the last day of every month, if it is the last Friday"),
    ] {
        assert_eq!(read(text, DayMatch::And).words(), words, "{text}");
    }
}

#[test]
fn clock_changes_follow_the_same_rules() {
    let zone = parse_timezone("Europe/Berlin").unwrap();
    let local = |text: &str, after: &str| {
        let schedule = read(text, DayMatch::Or);
        let all = std::iter::successors(schedule.next(at(after), &zone), |time| schedule.next(*time, &zone));
        all.take(2).map(|time| time.with_timezone(&zone).format("%m-%d %H:%M%:z").to_string()).collect::<Vec<_>>()
    };
    assert_eq!(local("30 2 L-3 * *", "2027-03-27T12:00:00Z"), ["03-28 03:00+02:00", "04-27 02:30+02:00"]);
    assert_eq!(local("30 2 L * *", "2027-10-30T12:00:00Z"), ["10-31 02:30+02:00", "11-30 02:30+01:00"]);
    assert_eq!(local("30 22-4/2 * * *", "2027-03-27T23:30:00Z"), ["03-28 04:30+02:00", "03-28 22:30+02:00"]);
}

/// Text of either language.
fn text() -> impl Strategy<Value = String> {
    let field = prop_oneof![
        4 => "[*?]",
        5 => "[0-9]{1,2}",
        3 => "[0-9]{1,2}-[0-9]{1,2}(/[0-9]{1,2})?",
        2 => "(L|LW|L-[0-9]|[0-9]{1,2}W)",
        2 => "([0-7]#[0-6]|[0-7]L|(MON|fri)(#2|L)?)",
        2 => "H(\\([0-9]-[0-9]{1,2}\\))?(/[0-9]{1,2})?",
        1 => "[-*/,?#LWH0-9]{0,6}",
    ];
    let expression = proptest::collection::vec(field, 5).prop_map(|fields| fields.join(" "));
    proptest::collection::vec(expression, 1..3).prop_map(|all| all.join("|"))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_accepted_has_times_and_words(text in text(), and in any::<bool>()) {
        let day_match = if and { DayMatch::And } else { DayMatch::Or };
        if let Ok(schedule) = Schedule::parse(&text, day_match, HashKey::of(b"x")) {
            let after = at("2026-03-01T00:30:00Z");
            let next = schedule.next(after, &Utc);
            prop_assert_eq!(next.is_some(), schedule.can_fire(), "{}", text);
            prop_assert!(next.is_none_or(|next: DateTime<Utc>| next > after && next.timestamp() % 60 == 0), "{text}: {next:?}");
            prop_assert_eq!(schedule.words().starts_with("never"), next.is_none());
            let again = Schedule::parse(&format!(" {} ", text.to_lowercase()), day_match, HashKey::of(b"x"));
            prop_assert_eq!(again, Ok(schedule));
        }
    }

    #[test]
    fn the_plain_language_is_part_of_it(fields in proptest::collection::vec("([*?]|[0-9]{1,2}|\\*/[0-9]|[0-9]-[0-9]{1,2})", 5)) {
        let text = fields.join(" ");
        let plain = text.parse::<super::CronExpression>();
        let schedule = Schedule::parse(&text, DayMatch::Or, HashKey::of(&[]));
        if let Ok(plain) = plain {
            prop_assert_eq!(schedule.as_ref().map(Schedule::plain), Ok(Some(&plain)));
        } else if let Ok(schedule) = schedule {
            prop_assert_eq!(schedule.plain(), None);
        }
    }
}

#[test]
fn days_that_exclude_each_other_never_fire() {
    let never = read("15 0 1 * 1#2", DayMatch::And);
    assert_eq!(never.next(at("2026-11-27T00:00:00Z"), &Utc), None);
    assert!(!never.can_fire());
}

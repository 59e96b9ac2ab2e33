//! Tests of schedules in words: examples, and that equal words mean equal times.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use proptest::prelude::*;

use super::super::fixtures::{at, schedule};
use super::super::gap::parse_timezone;
use super::super::quartz::from_quartz;
use crate::time_zone::Zone;

#[test]
fn ordinary_expressions() {
    for (expression, words) in [
        ("* * * * *", "every minute"),
        ("*/15 * * * *", "every 15 minutes"),
        ("0,15,30,45 * * * *", "every 15 minutes"),
        ("*/7 * * * *", "every hour at minutes 0, 7, 14, 21, 28, 35, 42, 49 and 56"),
        ("@hourly", "every hour"),
        ("7 * * * *", "every hour at minute 7"),
        ("7,37 * * * *", "every hour at minutes 7 and 37"),
        ("0 */6 * * *", "every 6 hours"),
        ("15 */6 * * *", "every 6 hours from 00:15"),
        ("0 3/6 * * *", "every 6 hours from 03:00"),
        ("0 */5 * * *", "every 5 hours from 00:00 to 20:00 every day"),
        ("0 9-17/2 * * *", "every 2 hours from 09:00 to 17:00 every day"),
        ("*/20 */6 * * *", "every 20 minutes of every hour in 0, 6, 12 and 18 every day"),
        ("0 0,6,12,18 * * *", "every day at 00:00, 06:00, 12:00 and 18:00"),
        ("0 3 * * *", "every day at 03:00"),
        ("@daily", "every day at 00:00"),
        ("@weekly", "every Sunday at 00:00"),
        ("@monthly", "at 00:00 on the 1st of every month"),
        ("@yearly", "at 00:00 on the 1st of January"),
        ("0,30 9,17 * * *", "every day at 09:00, 09:30, 17:00 and 17:30"),
        ("0 9-17 * * *", "hourly from 09:00 to 17:00 every day"),
        ("*/15 9-17 * * MON-FRI", "every 15 minutes from 09:00 to 17:59, Monday to Friday"),
        ("5/15 9-17 * * *", "every 15 minutes from 09:05 to 17:59 every day"),
        ("* 9 * * *", "every minute from 09:00 to 09:59 every day"),
        ("*/30 9,12 * * *", "every 30 minutes of the hours 9 and 12 every day"),
        ("*/7 9 * * *", "at every minute in 0, 7, 14, 21, 28, 35, 42, 49 and 56 of the hour 9 every day"),
        ("0,20,40 9-17 * * *", "at minutes 0, 20 and 40 of the hours 9 to 17 every day"),
        ("0 9 * * 1-5", "at 09:00, Monday to Friday"),
        ("0 9 * * 1,4", "at 09:00 on Mondays and Thursdays"),
        ("0 9 * * 5-7", "at 09:00, Friday to Sunday"),
        ("0 9 * * 0,6", "at 09:00 on Saturdays and Sundays"),
        ("0 9 ? * FRI", "every Friday at 09:00"),
        ("0 9 * 12 FRI", "every Friday in December at 09:00"),
        ("0 9 * 6-8 *", "every day in June to August at 09:00"),
        ("0 0 1,15 * *", "at 00:00 on the 1st and 15th of every month"),
        ("0 0 1-7,22 1,7 *", "at 00:00 on the 1st to 7th and 22nd of January and July"),
        ("0 0 13 * 5", "at 00:00 on the 13th of every month and on Fridays"),
        ("0 0 13 2 5", "at 00:00 on the 13th of February and on Fridays in February"),
        ("0 9 1-31 * 1-5", "every day at 09:00"),
        ("0 9 */1 * 1-5", "at 09:00, Monday to Friday"),
        ("0 0 31 2 *", "never: no such day exists"),
    ] {
        assert_eq!(schedule(expression).words(), words, "{expression}");
    }
}

#[test]
fn quartz_expressions() {
    for (expression, words) in [
        ("0 0 3 * * ?", "every day at 03:00"),
        ("30 0 12 * * ?", "every day at 12:00:30"),
        ("30 */15 * * * ?", "every 15 minutes, at second 30"),
        ("0 0 3 L * ?", "at 03:00 on the last day of every month"),
        ("0 0 3 L-3 * ?", "at 03:00 on the day 3 days before the last of every month"),
        ("0 0 3 1,15W,LW * ?", "at 03:00 on the 1st, the weekday nearest the 15th and the last weekday of every month"),
        ("0 0 12 ? * 6L", "at 12:00 on the last Friday of every month"),
        ("0 0 12 ? 1 MON#1", "at 12:00 on the 1st Monday of January"),
        ("0 0 12 ? * SUN", "every Sunday at 12:00"),
        ("0 0 12 ? * MON-FRI", "at 12:00, Monday to Friday"),
        ("0 0 22-2 * * ?", "every day at 00:00, 01:00, 02:00, 22:00 and 23:00"),
        ("0 0 0 1 1 ? 2027-2029", "at 00:00 on the 1st of January, only in 2027 to 2029"),
        ("0 0 0 1 1 ? 2027/3", "at 00:00 on the 1st of January, only in every 3 years from 2027 to 2198"),
        ("0 9 * * 1-5", "at 09:00, Monday to Friday"),
    ] {
        assert_eq!(from_quartz(expression).map(|cron| cron.words()), Ok(words.to_owned()), "{expression}");
    }
}

/// The times of a schedule before a change of clocks, across it, and after another.
fn times(next: impl Fn(DateTime<Utc>) -> Option<DateTime<Utc>>) -> Vec<DateTime<Utc>> {
    ["2026-03-28T12:00:00Z", "2026-10-24T12:00:00Z", "2027-01-01T00:00:00Z"]
        .into_iter()
        .flat_map(|from| std::iter::successors(next(at(from)), |time| next(*time)).take(50))
        .collect()
}

fn zone() -> Zone {
    parse_timezone("Europe/Berlin").unwrap_or_else(|refused| panic!("{}", refused.0))
}

/// Fields that are often written in several ways.
fn fields() -> impl Strategy<Value = String> {
    let minutes = ["0", "*/60", "0-59", "*", "*/30", "0,30", "15/30", "15,45", "*/7", "5", "*/1", "10-40/10", "1,*/20"];
    let hours =
        ["*", "0-23", "*/2", "2", "2/24", "1-3", "1-3/1", "0,6,12,18", "*/6", "2,3", "1-23/2", "9-17", "*/5", "0/1"];
    let days = ["*", "?", "1-31", "*/1", "1", "*/2", "1,15", "25-31", "1-30"];
    let months = ["*", "*/1", "1-12", "3,10", "MAR-OCT", "*/3"];
    let weekdays = ["*", "?", "0-6", "*/1", "SUN", "7", "0,6", "6-7", "1-5", "*/2", "5"];
    let one = |values: Vec<&'static str>| prop::sample::select(values);
    (one(minutes.to_vec()), one(hours.to_vec()), one(days.to_vec()), one(months.to_vec()), one(weekdays.to_vec()))
        .prop_map(|(minute, hour, day, month, weekday)| format!("{minute} {hour} {day} {month} {weekday}"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn equal_words_mean_equal_times(expressions in prop::collection::vec(fields(), 200)) {
        let mut known: HashMap<String, (String, Vec<DateTime<Utc>>)> = HashMap::new();
        for text in expressions {
            let expression = schedule(&text);
            let found = times(|after| expression.next(after, &zone()));
            let words = expression.words();
            let (other, expected) = known.entry(words.clone()).or_insert_with(|| (text.clone(), found.clone()));
            prop_assert_eq!(&found, expected, "{} and {} are both {:?}", text, other, words);
        }
    }

    #[test]
    fn equal_words_of_quartz_mean_equal_times(
        expressions in prop::collection::vec(
            ("(0|30)", fields(), prop::sample::select(vec![
                "1", "L", "LW", "L-1", "15W", "31W", "1,15W", "1,L", "*", "1-31", "L-30W",
            ]), prop::sample::select(vec!["MON", "2", "1-7", "L", "SAT", "6L", "2#1", "2#5", "SUN-FRI"]), any::<bool>()),
            100,
        )
    ) {
        let mut known: HashMap<String, (String, Vec<DateTime<Utc>>)> = HashMap::new();
        for (second, fields, day, weekday, by_day) in expressions {
            let ordinary: Vec<&str> = fields.split(' ').collect();
            let [minute, hour, _, month, _] = ordinary.as_slice() else { continue };
            let (day, weekday) = if by_day { (day, "?") } else { ("?", weekday) };
            let text = format!("{second} {minute} {hour} {day} {month} {weekday}");
            let Ok(expression) = from_quartz(&text) else { continue };
            let found = times(|after| expression.next(after, &zone()));
            let words = expression.words();
            let (other, expected) = known.entry(words.clone()).or_insert_with(|| (text.clone(), found.clone()));
            prop_assert_eq!(&found, expected, "{} and {} are both {:?}", text, other, words);
        }
    }

    #[test]
    fn any_expression_has_words(
        minute in "[0-9]{1,2}(-[0-9]{1,2})?(/[0-9]{1,2})?",
        hour in "([0-9]|1[0-9]|[*])(/[0-9]{1,2})?",
        rest in "([0-9*?]{1,2}) ([0-9*]{1,2}) ([0-7*])",
    ) {
        if let Ok(expression) = format!("{minute} {hour} {rest}").parse::<super::CronExpression>() {
            let words = expression.words();
            prop_assert!(!words.is_empty() && !words.contains("  "), "{words:?}");
        }
    }
}

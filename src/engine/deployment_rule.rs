//! Pure: when a deployment rule starts and stops its environment.

use chrono::{DateTime, Datelike, TimeDelta, TimeZone, Utc};
use entity::deployment_rule::{Model, Weekday};
use windlass_schedule::time_zone::Zone;

use super::cron::gap_end;

/// The next start and the next stop after `now`; `None` if nothing is planned.
///
/// The rule's times of day are in its time zone, on its days of the week. A time that the clocks skip becomes the first
/// instant after the gap; if a time is repeated, the first occurrence counts.
#[must_use]
pub fn next(rule: &Model, zone: Zone, now: DateTime<Utc>) -> (Option<DateTime<Utc>>, Option<DateTime<Utc>>) {
    if !rule.auto_stop && !rule.auto_delete {
        return (None, None);
    }
    let today = now.with_timezone(&zone).date_naive();
    let first = |time: DateTime<Utc>| {
        // Eight days: today's time may have passed, and today may be the only day of the rule.
        let days = (0..=7).filter_map(|day| today.checked_add_signed(TimeDelta::days(day)));
        let mut times = days.filter(|day| rule.weekdays.0.contains(&weekday(day.weekday()))).filter_map(|day| {
            let wall = day.and_time(time.time());
            zone.from_local_datetime(&wall).earliest().map(|at| at.to_utc()).or_else(|| gap_end(wall, &zone))
        });
        times.find(|at| *at > now)
    };
    (first(rule.start_time), first(rule.stop_time))
}

fn weekday(day: chrono::Weekday) -> Weekday {
    match day {
        chrono::Weekday::Mon => Weekday::Monday,
        chrono::Weekday::Tue => Weekday::Tuesday,
        chrono::Weekday::Wed => Weekday::Wednesday,
        chrono::Weekday::Thu => Weekday::Thursday,
        chrono::Weekday::Fri => Weekday::Friday,
        chrono::Weekday::Sat => Weekday::Saturday,
        chrono::Weekday::Sun => Weekday::Sunday,
    }
}

#[cfg(test)]
mod tests {
    use entity::deployment_rule::Weekdays;
    use entity::id::EnvironmentId;
    use uuid::Uuid;

    use super::*;

    fn paris() -> Zone {
        windlass_schedule::time_zone::find("Europe/Paris").unwrap()
    }

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn rule(days: Vec<Weekday>) -> Model {
        let time = at("1970-01-01T08:00:00Z");
        Model {
            environment_id: EnvironmentId(Uuid::nil()),
            created_at: time,
            updated_at: time,
            on_demand_preview: false,
            auto_preview: false,
            auto_stop: true,
            auto_delete: false,
            timezone: String::new(),
            start_time: time,
            stop_time: at("1970-01-01T19:30:00Z"),
            weekdays: Weekdays(days),
            next_start_at: None,
            next_stop_at: None,
        }
    }

    #[test]
    fn the_days_and_times_of_a_rule() {
        // 2026-11-24 is a Tuesday; Paris is an hour ahead of UTC.
        let next = |days: &[Weekday], now: &str| {
            let (start, stop) = super::next(&rule(days.to_vec()), paris(), at(now));
            (start.map(|at| at.to_rfc3339()), stop.map(|at| at.to_rfc3339()))
        };
        let some = |text: &str| Some(format!("{text}:00+00:00"));
        let tuesday = &[Weekday::Tuesday];
        let both = (some("2026-11-24T07:00"), some("2026-11-24T18:30"));
        assert_eq!(next(tuesday, "2026-11-24T06:59:59Z"), both);
        let later = (some("2026-12-01T07:00"), some("2026-11-24T18:30"));
        assert_eq!(next(tuesday, "2026-11-24T07:00:00Z"), later);
        let weekend = &[Weekday::Saturday, Weekday::Sunday];
        assert_eq!(next(weekend, "2026-11-24T07:00:00Z").0, some("2026-11-28T07:00"));
        assert_eq!(next(&[], "2026-11-24T07:00:00Z"), (None, None));
        // In Paris the clocks went from 02:00 to 03:00 on that Sunday, at 01:00 UTC.
        let night = Model { start_time: at("1970-01-01T02:30:00Z"), ..rule(weekend.to_vec()) };
        let start = super::next(&night, paris(), at("2027-03-28T00:00:00Z")).0;
        assert_eq!(start, Some(at("2027-03-28T01:00:00Z")));
        let idle = Model { auto_stop: false, ..rule(tuesday.to_vec()) };
        assert_eq!(super::next(&idle, paris(), at("2026-11-24T07:00:00Z")), (None, None));
    }
}

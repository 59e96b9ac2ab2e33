//! Pure: the schedules that the CronJob controller of Kubernetes does not run as promised.
//!
//! Of a schedule whose times are not evenly spaced, the controller may lose a missed time: it estimates the newest one from the
//! distance of the first two. It searches for the next day from midnight to midnight, so it loses a day, or finds a wrong one, where the
//! clocks skip or repeat midnight. It searches for the next hour in steps of an hour, so it misses one where the clocks change by less.

use chrono::{DateTime, Datelike as _, TimeDelta, Timelike as _, Utc};
use entity::job_spec::{JobSpec, Schedule};
use windlass_schedule::time_zone::{ClockChange, Zone};
use windlass_schedule::{CronExpression, Spacing, parse_timezone};

use crate::engine::advanced_settings::Settings;

/// How many clock changes of a zone are examined: those of about thirty years.
const CHANGES: usize = 64;

/// Why the controller does not run a schedule as promised; `None` if it does, or if the schedule cannot be parsed.
pub(super) fn fault(spec: &JobSpec) -> Option<&'static str> {
    let Schedule::Cron { scheduled_at, timezone, .. } = &spec.schedule else { return None };
    let expression: CronExpression = scheduled_at.parse().ok()?;
    if !expression.can_fire() {
        return Some("the schedule never fires");
    }
    let changes = changes(parse_timezone(timezone).ok()?);
    if changes.iter().any(|change| shift(change).num_seconds() % 3600 != 0) {
        return Some("Kubernetes loses times in a time zone whose clocks change by a part of an hour");
    }
    if !expression.is_daily() && changes.iter().any(moves_midnight) {
        return Some("Kubernetes loses days in a time zone whose clocks skip or repeat midnight");
    }
    let Spacing::Uneven { shortest_minutes } = expression.spacing() else { return None };
    // A shorter deadline leaves at most one time to catch up on.
    let shrinks = changes.iter().map(shift).max().map_or(0, |shift| shift.num_seconds().max(0));
    let shortest = (i64::from(shortest_minutes) * 60 - shrinks).max(60);
    let deadline = Settings(&spec.settings).number("cronjob.starting_deadline_seconds");
    match deadline {
        Some(deadline) if i64::from(deadline) <= shortest => None,
        _ => Some("Kubernetes may not catch up on a missed time of a schedule whose times are not evenly spaced"),
    }
}

/// The clock changes of a zone from 2026 on; earlier ones are past.
fn changes(zone: Zone) -> Vec<ClockChange> {
    let since = DateTime::from_timestamp(1_767_225_600, 0).unwrap_or(DateTime::<Utc>::UNIX_EPOCH);
    zone.changes(since).take(CHANGES).collect()
}

/// By how much the clocks go forward.
fn shift(change: &ClockChange) -> TimeDelta {
    TimeDelta::seconds((change.after.local_minus_utc() - change.before.local_minus_utc()).into())
}

/// Whether a day begins more or less than once around a change.
fn moves_midnight(change: &ClockChange) -> bool {
    let (before, after) = (change.at.with_timezone(&change.before), change.at.with_timezone(&change.after));
    let (earlier, later) = if before.naive_local() < after.naive_local() { (before, after) } else { (after, before) };
    let at_midnight = earlier.num_seconds_from_midnight() == 0;
    // The end of the span is excluded: a change that ends at midnight leaves that midnight alone.
    let last = later.naive_local() - TimeDelta::seconds(1);
    at_midnight || earlier.num_days_from_ce() != last.date().num_days_from_ce()
}

#[cfg(test)]
#[path = "controller_tests.rs"]
mod tests;

//! Pure: when an expression fires next in a time zone.

use chrono::{DateTime, MappedLocalTime, NaiveDateTime, Offset, TimeDelta, TimeZone, Utc};

use super::clock_change::{ClockChangeRules, GapRule, OverlapRule};
use super::expression::CronExpression;
use super::gap::{WINDOW, first_where, gap_end};
use super::wall_clock::{WallPattern, minute_of};

impl CronExpression {
    /// The first time after `after`; `None` if the expression never fires, or beyond the range of the calendar.
    #[must_use]
    pub fn next(&self, after: DateTime<Utc>, zone: &impl TimeZone) -> Option<DateTime<Utc>> {
        self.next_by(after, zone, ClockChangeRules::default())
    }

    /// `next` with rules for clock changes.
    #[must_use]
    pub fn next_by(
        &self,
        after: DateTime<Utc>,
        zone: &impl TimeZone,
        clock_changes: ClockChangeRules,
    ) -> Option<DateTime<Utc>> {
        next_of(self, after, zone, clock_changes)
    }
}

/// The first time after `after` at which a pattern matches the clocks of a zone.
pub(super) fn next_of(
    pattern: &impl WallPattern,
    after: DateTime<Utc>,
    zone: &impl TimeZone,
    clock_changes: ClockChangeRules,
) -> Option<DateTime<Utc>> {
    let gap = clock_changes.gap.unwrap_or(if pattern.steps_hours() { GapRule::Skip } else { GapRule::RunAfter });
    let repeats = pattern.steps_minutes() || pattern.steps_hours();
    let overlap = clock_changes.overlap.unwrap_or(if repeats { OverlapRule::Both } else { OverlapRule::First });
    let local = minute_of(after.with_timezone(zone).naive_local())?;
    let ahead = match gap {
        GapRule::Shift => next_shifted(pattern, local, after, zone, overlap),
        GapRule::RunAfter | GapRule::Skip => next_ahead(pattern, local, after, zone, (gap, overlap)),
    };
    if overlap == OverlapRule::First {
        return ahead;
    }
    let again = next_in_second_pass(pattern, local, after, zone);
    match (ahead, again) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

/// The first time whose wall clock is later than `local`.
fn next_ahead(
    pattern: &impl WallPattern,
    local: NaiveDateTime,
    after: DateTime<Utc>,
    zone: &impl TimeZone,
    (gap, overlap): (GapRule, OverlapRule),
) -> Option<DateTime<Utc>> {
    let mut wall = local;
    loop {
        wall = pattern.next_wall(wall)?;
        let found = match zone.from_local_datetime(&wall) {
            MappedLocalTime::Single(time) => Some(time.to_utc()),
            MappedLocalTime::Ambiguous(first, second) => match overlap {
                OverlapRule::First => Some(first.to_utc()),
                OverlapRule::Last => Some(second.to_utc()),
                OverlapRule::Both => [first.to_utc(), second.to_utc()].into_iter().find(|time| *time > after),
            },
            MappedLocalTime::None => match gap {
                GapRule::RunAfter => gap_end(wall, zone),
                GapRule::Shift => as_before_gap(wall, zone),
                GapRule::Skip => None,
            },
        };
        if let Some(time) = found.filter(|time| *time > after) {
            return Some(time);
        }
    }
}

/// As `next_ahead`, for times that are shifted out of a gap: they may come after others that the wall clock has later.
fn next_shifted(
    pattern: &impl WallPattern,
    local: NaiveDateTime,
    after: DateTime<Utc>,
    zone: &impl TimeZone,
    overlap: OverlapRule,
) -> Option<DateTime<Utc>> {
    let plain = next_ahead(pattern, local, after, zone, (GapRule::Skip, overlap));
    // A gap that is behind `after` by the wall clock, or between it and the plain time.
    let offset = |at: DateTime<Utc>| zone.offset_from_utc_datetime(&at.naive_utc()).fix().local_minus_utc();
    let forward = offset(after) - offset(after.checked_sub_signed(WINDOW)?);
    let start = local.checked_sub_signed(TimeDelta::seconds(forward.max(0).into()))?;
    let mut wall = start.checked_sub_signed(TimeDelta::minutes(1))?;
    let end = plain.map(|plain| plain.with_timezone(zone).naive_local());
    loop {
        wall = match pattern.next_wall(wall) {
            Some(next) if end.is_none_or(|end| next <= end) => next,
            _ => return plain,
        };
        let shifted = match zone.from_local_datetime(&wall) {
            MappedLocalTime::None => as_before_gap(wall, zone).filter(|time| *time > after),
            MappedLocalTime::Single(_) | MappedLocalTime::Ambiguous(..) => None,
        };
        if let Some(shifted) = shifted {
            return Some(plain.map_or(shifted, |plain| plain.min(shifted)));
        }
    }
}

/// A time in a gap by the clocks before it.
fn as_before_gap(wall: NaiveDateTime, zone: &impl TimeZone) -> Option<DateTime<Utc>> {
    let last = gap_end(wall, zone)?.checked_sub_signed(TimeDelta::seconds(1))?;
    Some(wall.checked_sub_offset(zone.offset_from_utc_datetime(&last.naive_utc()).fix())?.and_utc())
}

/// If `local` is in the first pass of a repeated hour, the first time in the second pass.
fn next_in_second_pass(
    pattern: &impl WallPattern,
    local: NaiveDateTime,
    after: DateTime<Utc>,
    zone: &impl TimeZone,
) -> Option<DateTime<Utc>> {
    let MappedLocalTime::Ambiguous(first, second) = zone.from_local_datetime(&local) else {
        return None;
    };
    if after >= second.to_utc() {
        return None;
    }
    let offset = first.offset().fix();
    let turn = first_where(first.to_utc(), second.to_utc(), |time| {
        zone.offset_from_utc_datetime(&time.naive_utc()).fix() != offset
    })?;
    let start = turn.with_timezone(zone).naive_local();
    let wall = pattern.next_wall(minute_of(start.checked_sub_signed(TimeDelta::seconds(1))?)?)?;
    let time = wall.checked_sub_offset(second.offset().fix())?.and_utc();
    (time > after).then_some(time)
}

#[cfg(test)]
#[path = "next_time_tests.rs"]
mod tests;

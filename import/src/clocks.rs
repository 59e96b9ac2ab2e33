//! Pure: what becomes of times around changes of the clocks, and whether our rules can do the same.

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use windlass_schedule::time_zone::{ClockChange, Zone};
use windlass_schedule::{ClockChangeRules, GapRule, OverlapRule, Schedule};

use super::reader::{HourForm, Read};
use super::rules::{Gap, Overlap, Quirk, Rules};
use super::translation::Refusal;

/// How many changes of a zone are examined: those of about thirty years.
const CHANGES: usize = 64;

/// The changes of the clocks that a schedule meets.
pub(crate) struct Changes {
    all: Vec<ClockChange>,
}

impl Changes {
    /// Those of a zone from 2026 on; earlier ones are past.
    pub(crate) fn of(zone: Zone) -> Self {
        let since = DateTime::from_timestamp(1_767_225_600, 0).unwrap_or(DateTime::<Utc>::UNIX_EPOCH);
        Self { all: zone.changes(since).take(CHANGES).collect() }
    }

    /// The rules with which our schedule has the times of the dialect.
    pub(crate) fn rules(
        &self,
        refuse: &dyn Fn(String) -> Refusal,
        rules: &Rules,
        read: &Read,
        schedule: &Schedule,
    ) -> Result<ClockChangeRules, Refusal> {
        self.check_quirks(refuse, rules.quirk, read, schedule)?;
        let gap = match self.first_met(schedule, Way::Forward) {
            None => None,
            Some(change) => Some(gap_rule(rules.gap, read, &change, schedule).ok_or_else(|| {
                refuse(format!(
                    "the program's rule for times that the clocks skip, such as on {}, is not known",
                    day(&change)
                ))
            })?),
        };
        let overlap = match self.first_met(schedule, Way::Back) {
            None => None,
            Some(change) => Some(overlap_rule(rules.overlap, read, &change).ok_or_else(|| {
                refuse(format!(
                    "the program's rule for times that come twice, such as on {}, is not known",
                    day(&change)
                ))
            })?),
        };
        Ok(ClockChangeRules { gap, overlap })
    }

    fn check_quirks(
        &self,
        refuse: &dyn Fn(String) -> Refusal,
        quirk: Quirk,
        read: &Read,
        schedule: &Schedule,
    ) -> Result<(), Refusal> {
        match quirk {
            Quirk::UnreliableNearChanges => {
                let near = self.all.iter().find(|change| meets(schedule, span(change), TimeDelta::hours(3)));
                near.map_or(Ok(()), |change| {
                    let why =
                        "the program moves, loses or repeats times within hours of a change of the clocks, such as on";
                    Err(refuse(format!("{why} {}", day(change))))
                })
            }
            Quirk::LosesDays | Quirk::LosesDaysAndMidnight => {
                let is_safe = schedule.plain().is_some_and(windlass_schedule::CronExpression::is_daily);
                let loses = |change: &&ClockChange| {
                    let at_midnight =
                        quirk == Quirk::LosesDaysAndMidnight && meets(schedule, span(change), TimeDelta::zero());
                    moves_midnight(change) && (!is_safe || at_midnight)
                };
                if let Some(change) = self.all.iter().find(loses) {
                    let why = "the program loses days whose midnight the clocks skip, such as";
                    return Err(refuse(format!("{why} {}", day(change))));
                }
                self.check_partial_hours(refuse, schedule)
            }
            Quirk::LosesHoursAfterMidnight => {
                let forward = self.all.iter().find(|change| shift(change) > TimeDelta::zero());
                forward.filter(|_| read.fields.hours & 1 == 1).map_or(Ok(()), |change| {
                    let why = "the program loses times just after midnight when the clocks have gone forward, as after";
                    Err(refuse(format!("{why} {}", day(change))))
                })
            }
            Quirk::UnreliableAtMidnight => {
                let near = self.all.iter().filter(|change| moves_midnight(change));
                let mut near = near.filter(|change| meets(schedule, span(change), TimeDelta::hours(3)));
                near.next().map_or(Ok(()), |change| {
                    let why = "the program moves times near a midnight that the clocks skip, as on";
                    Err(refuse(format!("{why} {}", day(change))))
                })
            }
            Quirk::LosesPartialHours => self.check_partial_hours(refuse, schedule),
            Quirk::None | Quirk::DaysRunOver | Quirk::MonthsAreShifted => Ok(()),
        }
    }

    fn check_partial_hours(&self, refuse: &dyn Fn(String) -> Refusal, schedule: &Schedule) -> Result<(), Refusal> {
        let partial = |change: &&ClockChange| shift(change).num_seconds() % 3600 != 0;
        let near = self.all.iter().filter(partial).find(|change| meets(schedule, span(change), TimeDelta::hours(3)));
        near.map_or(Ok(()), |change| {
            let why = "the program loses times where the clocks change by a part of an hour, as on";
            Err(refuse(format!("{why} {}", day(change))))
        })
    }

    fn first_met(&self, schedule: &Schedule, way: Way) -> Option<ClockChange> {
        let is_way = |change: &&ClockChange| (shift(change) > TimeDelta::zero()) == (way == Way::Forward);
        self.all.iter().filter(is_way).find(|change| meets(schedule, span(change), TimeDelta::zero())).copied()
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Forward,
    Back,
}

fn gap_rule(gap: Gap, read: &Read, change: &ClockChange, schedule: &Schedule) -> Option<GapRule> {
    let in_the_east = change.before.local_minus_utc() > 0;
    match gap {
        Gap::Skip => Some(GapRule::Skip),
        Gap::RunAfter => Some(GapRule::RunAfter),
        Gap::Shift => Some(GapRule::Shift),
        Gap::ShiftFirst => shift_of_first(schedule, change),
        Gap::ShiftFirstOfHour => match read.hours {
            HourForm::Star => Some(GapRule::Skip),
            _ if read.fields.hours.count_ones() == 1 => shift_of_first(schedule, change),
            HourForm::Fixed | HourForm::Step => None,
        },
        Gap::ShiftFirstInTheEast if in_the_east && !moves_midnight(change) => shift_of_first(schedule, change),
        Gap::ShiftFirstInTheEast => None,
        Gap::AfterIfFixedHours => match read.hours {
            HourForm::Star => Some(GapRule::Skip),
            HourForm::Fixed => Some(GapRule::RunAfter),
            HourForm::Step => None,
        },
        Gap::AfterIfSingle if read.single => Some(GapRule::RunAfter),
        Gap::AfterIfSingleOrUnknown => read.single.then_some(GapRule::RunAfter),
        Gap::AfterIfSingle => Some(GapRule::Skip),
        Gap::ByStar if read.begins_with_star => Some(GapRule::Skip),
        Gap::ByStar => Some(GapRule::RunAfter),
        Gap::SkipsSteps => read.steps.then_some(GapRule::Skip),
        Gap::Unknown => None,
    }
}

/// The rule for a gap of which only the first time runs, as much later as the clocks are set forward.
fn shift_of_first(schedule: &Schedule, change: &ClockChange) -> Option<GapRule> {
    let (start, end) = span(change);
    let before = start.and_utc() - TimeDelta::seconds(1);
    let times = std::iter::successors(schedule.next(before, &Utc), |time| schedule.next(*time, &Utc));
    let times: Vec<_> = times.take_while(|time| *time < end.and_utc()).take(2).collect();
    match times.as_slice() {
        [_] => Some(GapRule::Shift),
        // Shifted, this is the first instant after the gap.
        [first, ..] if *first == start.and_utc() => Some(GapRule::RunAfter),
        _ => None,
    }
}

fn overlap_rule(overlap: Overlap, read: &Read, change: &ClockChange) -> Option<OverlapRule> {
    match overlap {
        Overlap::First => Some(OverlapRule::First),
        Overlap::Last => Some(OverlapRule::Last),
        Overlap::Both => Some(OverlapRule::Both),
        Overlap::LastInTheEast if change.after.local_minus_utc() >= 0 => Some(OverlapRule::Last),
        Overlap::LastInTheEast => Some(OverlapRule::First),
        Overlap::LastInTheEastOrOneMinute if change.after.local_minus_utc() >= 0 => Some(OverlapRule::Last),
        Overlap::LastInTheEastOrOneMinute => (read.fields.minutes.count_ones() == 1).then_some(OverlapRule::First),
        Overlap::ByHours => match read.hours {
            HourForm::Star => Some(OverlapRule::Both),
            HourForm::Fixed => Some(OverlapRule::First),
            HourForm::Step => None,
        },
        Overlap::FirstIfFixedHours => (read.hours == HourForm::Fixed).then_some(OverlapRule::First),
        Overlap::FirstIfSingle if read.single => Some(OverlapRule::First),
        Overlap::FirstIfSingle => Some(OverlapRule::Both),
        Overlap::ByStar if read.begins_with_star => Some(OverlapRule::Both),
        Overlap::ByStar => Some(OverlapRule::First),
        Overlap::Unknown => None,
    }
}

/// By how much the clocks go forward.
fn shift(change: &ClockChange) -> TimeDelta {
    TimeDelta::seconds((change.after.local_minus_utc() - change.before.local_minus_utc()).into())
}

/// The wall-clock times that are skipped or repeated.
fn span(change: &ClockChange) -> (NaiveDateTime, NaiveDateTime) {
    let (before, after) = (change.at.with_timezone(&change.before), change.at.with_timezone(&change.after));
    let (before, after) = (before.naive_local(), after.naive_local());
    (before.min(after), before.max(after))
}

/// Whether a schedule has a wall-clock time in a span, or around it.
fn meets(schedule: &Schedule, (start, end): (NaiveDateTime, NaiveDateTime), around: TimeDelta) -> bool {
    // Read as UTC, every wall-clock time exists once.
    let (start, end) = (start.and_utc() - around, end.and_utc() + around);
    schedule.next(start - TimeDelta::seconds(1), &Utc).is_some_and(|next| next < end)
}

/// Whether a day begins more or less than once around a change.
fn moves_midnight(change: &ClockChange) -> bool {
    let (start, end) = span(change);
    start.time() == chrono::NaiveTime::MIN || start.date() != (end - TimeDelta::seconds(1)).date()
}

fn day(change: &ClockChange) -> String {
    change.at.with_timezone(&change.before).format("%Y-%m-%d").to_string()
}

//! Pure: runs, skipped times and planned times as marks of pictures, with their words.

use chrono::{DateTime, Utc};
use entity::run::RunState;
use entity::skipped_time::{self, SkipReason};
use windlass_schedule::time_zone::Zone;

use super::format::{between, duration, zoned_short};
use super::paths;
use super::picture::Shade;
use super::picture::durations::DurationBar;
use super::picture::lane::LaneItem;
use super::picture::strip::StripBar;
use crate::engine::cron::{Hold, Holds, Timing};
use crate::store::overview::RunSummary;

/// The most planned times of a lane.
const MOST_PLANNED: usize = 3000;

/// How long a run has taken so far, or took as a whole; none if it never started.
#[must_use]
pub fn milliseconds(run: &RunSummary, now: DateTime<Utc>) -> Option<u64> {
    run.started_at.map(|started| between(started, run.finished_at.unwrap_or(now)))
}

/// A run in words: "#12 succeeded in 1 m 20 s, 28 Nov 10:15 CET".
#[must_use]
pub fn title(run: &RunSummary, now: DateTime<Utc>, zone: Zone) -> String {
    let word = Shade::of(run.state).label();
    let time = match (run.state, milliseconds(run, now)) {
        (RunState::Succeeded | RunState::Cancelled | RunState::Failed, Some(time)) => {
            let preposition = if run.state == RunState::Succeeded { "in" } else { "after" };
            format!(" {preposition} {}", duration(time))
        }
        (RunState::Running, Some(time)) => format!(" for {}", duration(time)),
        (RunState::Queued, _) => format!(" for {}", duration(between(due(run), now))),
        (_, None) => String::new(),
    };
    format!("#{} {word}{time}, {}", run.number, zoned_short(run.started_at.unwrap_or_else(|| due(run)), zone))
}

/// When the run was due.
fn due(run: &RunSummary) -> DateTime<Utc> {
    run.scheduled_for.unwrap_or(run.created_at)
}

/// A run as a bar of a strip.
#[must_use]
pub fn strip_bar(run: &RunSummary, now: DateTime<Utc>, zone: Zone) -> StripBar {
    StripBar {
        shade: Shade::of(run.state),
        milliseconds: milliseconds(run, now),
        title: title(run, now, zone),
        href: paths::run(run.id),
    }
}

/// A run as a bar of a chart of durations; none if it never started.
#[must_use]
pub fn duration_bar(run: &RunSummary, now: DateTime<Utc>, zone: Zone) -> Option<DurationBar> {
    Some(DurationBar {
        shade: Shade::of(run.state),
        milliseconds: milliseconds(run, now)?,
        title: title(run, now, zone),
        href: paths::run(run.id),
    })
}

/// A run as an item of a lane: from its start to its end, or from when it was due if it has not started.
#[must_use]
pub fn run_item(run: &RunSummary, now: DateTime<Utc>, zone: Zone) -> LaneItem {
    let from = run.started_at.unwrap_or_else(|| due(run));
    LaneItem {
        shade: Shade::of(run.state),
        from,
        until: run.finished_at.unwrap_or(now).max(from),
        title: title(run, now, zone),
        href: Some(paths::run(run.id)),
    }
}

/// A skipped time as an item of a lane.
#[must_use]
pub fn skipped_item(row: &skipped_time::Model, zone: Zone) -> LaneItem {
    let times = if row.through > row.scheduled_for {
        format!("{} to {}", zoned_short(row.scheduled_for, zone), zoned_short(row.through, zone))
    } else {
        zoned_short(row.scheduled_for, zone)
    };
    LaneItem {
        shade: Shade::Skipped,
        from: row.scheduled_for,
        until: row.through.max(row.scheduled_for),
        title: format!("skipped, {times}: {}", skip_words(row)),
        href: None,
    }
}

/// Why a time was skipped, in words.
#[must_use]
pub fn skip_words(row: &skipped_time::Model) -> String {
    match (row.reason, &row.requested_by) {
        (SkipReason::Overlap, _) => "the previous run had not ended".into(),
        (SkipReason::Missed, _) => "no server was running, and the schedule does not catch up on this time".into(),
        (SkipReason::Paused, Some(person)) => format!("requested by {person}"),
        (SkipReason::Paused, None) => "the schedule was suspended or paused".into(),
        (SkipReason::TooLate, _) => "the starting deadline had passed".into(),
        (SkipReason::Calendar, _) => row.detail.clone().unwrap_or_else(|| "calendars removed these times".into()),
        (SkipReason::NoPing, _) => "no ping arrived within the grace".into(),
    }
}

/// The planned times of a schedule after `now` and before `until`, as items of a lane. Times that are held back are shown as skipped.
#[must_use]
pub fn planned_items(
    timing: &Timing,
    holds: &Holds,
    (now, until): (DateTime<Utc>, DateTime<Utc>),
    zone: Zone,
) -> Vec<LaneItem> {
    let times = std::iter::successors(timing.next(now), |time| timing.next(*time));
    let item = |at: DateTime<Utc>| {
        let (shade, why) = match holds.of(at) {
            None => (Shade::Planned, "planned".to_owned()),
            Some(Hold::Pause(pause)) => (Shade::Skipped, format!("will be skipped: paused by {}", pause.requested_by)),
            Some(Hold::Skip(skip)) => (Shade::Skipped, format!("will be skipped: requested by {}", skip.requested_by)),
            Some(Hold::Calendar(why)) => (Shade::Skipped, format!("will be skipped: {why}")),
        };
        LaneItem { shade, from: at, until: at, title: format!("{why}, {}", zoned_short(at, zone)), href: None }
    };
    times.take_while(|time| *time < until).take(MOST_PLANNED).map(item).collect()
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use entity::id::{JobId, RunId};
    use entity::run::{Event, Trigger};
    use uuid::Uuid;

    use super::*;
    use windlass_schedule::time_zone::find;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::parse_from_rfc3339("2026-11-28T09:00:00Z").unwrap().to_utc() + TimeDelta::seconds(second)
    }

    fn run(state: RunState, started: Option<i64>, finished: Option<i64>) -> RunSummary {
        RunSummary {
            id: RunId(Uuid::nil()),
            number: 12,
            job_id: JobId(Uuid::nil()),
            state,
            trigger: Trigger::Schedule,
            event: Event::Cron,
            created_at: at(1),
            scheduled_for: Some(at(0)),
            started_at: started.map(at),
            finished_at: finished.map(at),
        }
    }

    /// Every state has words, and no duration is negative, even if a clock was set back.
    #[test]
    fn every_state_has_words() {
        let zone = find("Europe/Berlin").unwrap();
        for (run, words) in [
            (run(RunState::Queued, None, None), "#12 queued for 1 m 40 s, 28 Nov 10:00 CET"),
            (run(RunState::Queued, Some(60), None), "#12 queued for 1 m 40 s, 28 Nov 10:01 CET"),
            (run(RunState::Running, None, None), "#12 running, 28 Nov 10:00 CET"),
            (run(RunState::Running, Some(200), None), "#12 running for 0 ms, 28 Nov 10:03 CET"),
            (run(RunState::Succeeded, Some(60), Some(140)), "#12 succeeded in 1 m 20 s, 28 Nov 10:01 CET"),
            (run(RunState::Failed, None, Some(5)), "#12 failed, 28 Nov 10:00 CET"),
            (run(RunState::Cancelled, Some(2), Some(1)), "#12 cancelled after 0 ms, 28 Nov 10:00 CET"),
        ] {
            assert_eq!(title(&run, at(100), zone), words);
            let item = run_item(&run, at(100), zone);
            assert!(item.from <= item.until && item.href.is_some(), "{item:?}");
            assert_eq!(
                strip_bar(&run, at(100), zone).milliseconds,
                duration_bar(&run, at(100), zone).map(|bar| bar.milliseconds)
            );
        }
        let row = skipped_time::Model {
            job_id: JobId(Uuid::nil()),
            scheduled_for: at(0),
            through: at(3600),
            reason: SkipReason::Missed,
            recorded_at: at(4000),
            requested_by: None,
            detail: None,
        };
        let item = skipped_item(&row, zone);
        assert!(
            item.title.starts_with("skipped, 28 Nov 10:00 CET to 28 Nov 11:00 CET: no server was running"),
            "{item:?}"
        );
    }
}

//! How long runs wait, for everything that they may wait for.

use chrono::{DateTime, TimeDelta, Utc};
use entity::id::JobId;
use entity::run::{self, Event};
use entity::run_spec::RunSpec;
use entity::skipped_time::SkipReason;

use super::{QueuedEnd, QueuedStart, WaitsFor, is_too_late, missed_time};

const MOST: TimeDelta = TimeDelta::seconds(3600);

fn at(second: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000 + second, 0).unwrap()
}

fn start(waits_for: WaitsFor) -> QueuedStart {
    QueuedStart {
        scheduled_for: Some(at(0)),
        starting_deadline_seconds: None,
        attempt: 1,
        waits_for,
        since: Some(at(10)),
    }
}

fn model(attempt: i32, reason: Option<&str>) -> run::Model {
    let spec = RunSpec { starting_deadline_seconds: Some(30), ..RunSpec::default() };
    run::Model {
        attempt,
        scheduled_for: Some(at(0)),
        reason: reason.map(str::to_owned),
        ..run::Model::queued(JobId::create(), Event::Cron, spec, at(1))
    }
}

#[test]
fn only_a_slot_is_waited_for_with_a_limit() {
    for (start, expected) in [
        (start(WaitsFor::Slot), Some(QueuedEnd::NoSlot(MOST))),
        (start(WaitsFor::Turn), None),
        (QueuedStart { since: None, ..start(WaitsFor::Slot) }, None),
        (QueuedStart { since: Some(at(11)), ..start(WaitsFor::Slot) }, None),
        (QueuedStart { attempt: 2, ..start(WaitsFor::Slot) }, Some(QueuedEnd::NoSlot(MOST))),
    ] {
        assert_eq!(start.end(MOST, at(3611)), expected, "{start:?}");
        assert_eq!(start.end(MOST, at(3610)), None, "{start:?}");
    }
}

#[test]
fn a_time_is_given_up_at_its_deadline_whatever_it_waits_for() {
    for waits_for in [WaitsFor::Turn, WaitsFor::Slot] {
        let start = QueuedStart { starting_deadline_seconds: Some(30), ..start(waits_for) };
        assert_eq!(start.end(MOST, at(30)), None);
        assert_eq!(start.end(MOST, at(31)), Some(QueuedEnd::TooLate(waits_for)));
        assert_eq!(QueuedStart { attempt: 2, ..start }.end(MOST, at(31)), None, "it has started before");
        assert_eq!(QueuedStart { scheduled_for: None, ..start }.end(MOST, at(31)), None, "of no schedule");
        let endless = QueuedStart { starting_deadline_seconds: Some(i64::MAX), ..start };
        assert_eq!(endless.end(MOST, at(31)), None);
    }
    let run = model(1, None);
    assert!(!is_too_late(&run, at(30)) && is_too_late(&run, at(31)));
    let started = run::Model { place: Some("here".into()), ..run.clone() };
    assert!(!is_too_late(&started, at(31)) && !is_too_late(&model(2, None), at(31)));
    let missed = missed_time(&run, at(31)).unwrap();
    let expected = (run.job_id.unwrap(), at(0), at(0), SkipReason::TooLate, at(31));
    assert_eq!((missed.job_id, missed.scheduled_for, missed.through, missed.reason, missed.recorded_at), expected);
}

#[test]
fn every_end_has_a_reason() {
    let failed = Some("attempt 2 failed: exit code 1");
    for (end, run, expected) in [
        (QueuedEnd::Cancelled, model(1, None), "cancelled before the first attempt started"),
        (QueuedEnd::Cancelled, model(3, failed), "cancelled before attempt 3 started; attempt 2 failed: exit code 1"),
        (QueuedEnd::NoSlot(MOST), model(1, None), "timed out after 3600 s waiting for a free slot"),
        (
            QueuedEnd::NoSlot(MOST),
            model(3, failed),
            "timed out after 3600 s waiting for a free slot; attempt 2 failed: exit code 1",
        ),
        (
            QueuedEnd::TooLate(WaitsFor::Turn),
            model(1, None),
            "not started within its starting deadline of 30 s: an older run of its schedule had not ended",
        ),
        (
            QueuedEnd::TooLate(WaitsFor::Slot),
            model(1, None),
            "not started within its starting deadline of 30 s: no slot was free",
        ),
        (
            QueuedEnd::TooLate(WaitsFor::Runner),
            model(1, Some("waits")),
            "not started within its starting deadline of 30 s: no slot was free in time, or its runner did not answer",
        ),
    ] {
        assert_eq!(end.reason(&run), expected);
    }
}

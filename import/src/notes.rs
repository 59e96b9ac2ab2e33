//! Pure: what a reader of a translation should know.

use windlass_schedule::{DayMatch, Schedule};

use super::translation::{Given, Translation};

/// How a translation differs from what was given.
pub(crate) fn notes(given: &Given<'_>, found: &Translation, schedule: &Schedule) -> Vec<String> {
    let mut notes = Vec::new();
    if found.text() != given.expression.trim() {
        notes.push(format!("{} is {:?} here: {}", given.expression.trim(), found.text(), schedule.words()));
    }
    if found.day_match == DayMatch::And {
        notes.push("cronjob.day_match is and: a day has to match both fields".into());
    }
    if let Some(gap) = found.clock_changes.gap {
        notes.push(format!("cronjob.dst_gap is set, as {} does where the clocks skip a time: {gap:?}", given.dialect));
    }
    if let Some(overlap) = found.clock_changes.overlap {
        notes.push(format!(
            "cronjob.dst_overlap is set, as {} does where a time comes twice: {overlap:?}",
            given.dialect
        ));
    }
    notes
}

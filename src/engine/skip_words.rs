//! Pure: why a time was skipped, in words.

use chrono::{DateTime, Utc};
use entity::skipped_time::SkipReason;
use sea_orm::ActiveEnum as _;

/// The reason in words.
#[must_use]
pub fn skip_words(reason: SkipReason) -> &'static str {
    match reason {
        SkipReason::Overlap => {
            "an earlier run of this schedule had not finished, and the concurrency policy does not allow another one"
        }
        SkipReason::Missed => "no server started the run in time, and the catch-up policy does not cover this time",
        SkipReason::Paused => "the schedule was paused or suspended",
        SkipReason::Calendar => "calendars removed it from the schedule",
        SkipReason::TooLate => "the starting deadline had passed",
        SkipReason::NoPing => "no ping arrived within the grace of the check",
    }
}

/// That a time was skipped, and why.
#[must_use]
pub fn skipped_words(reason: SkipReason, at: DateTime<Utc>) -> String {
    let time = at.format("%Y-%m-%d %H:%M:%S UTC");
    format!("the time {time} was skipped ({}): {}", reason.to_value(), skip_words(reason))
}

//! Pure: why a time was skipped, in words.

use entity::skipped_time::SkipReason;

/// The reason in words.
#[must_use]
pub fn skip_words(reason: SkipReason) -> &'static str {
    match reason {
        SkipReason::Overlap => {
            "an earlier run of this schedule had not finished, and the concurrency policy does not allow another one"
        }
        SkipReason::Missed => "no server started the run in time, and the catch-up policy does not cover this time",
        SkipReason::Paused => "the schedule was paused or suspended",
        SkipReason::TooLate => "the starting deadline had passed",
    }
}

//! Pure: what a schedule does when the clocks change.
//!
//! By default, a schedule with fixed hours whose wall-clock time is skipped fires at the first instant after the gap.
//! A schedule whose minutes and hours are both plain lists fires once in a repeated hour, in the first pass. If the
//! minutes or the hours are `*` or a step, the schedule follows elapsed time: it fires in both passes, and with such
//! hours it does not catch up on skipped hours.

/// What happens to a wall-clock time that the clocks skip.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GapRule {
    /// Fire at the first instant after the gap.
    RunAfter,
    Skip,
    /// Fire as much later as the clocks are set forward, as if they were not.
    Shift,
}

/// What happens to a wall-clock time that occurs twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OverlapRule {
    First,
    Last,
    Both,
}

/// The rules that a job sets; `None` leaves it to the expression, as described above.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClockChangeRules {
    pub gap: Option<GapRule>,
    pub overlap: Option<OverlapRule>,
}

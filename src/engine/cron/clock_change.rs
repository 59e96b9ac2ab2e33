//! Pure: what happens to the times of a schedule when the clocks change.

/// What happens to a wall-clock time that the clocks leave out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GapRule {
    /// It fires at the first instant after the gap.
    RunAfter,
    Skip,
}

/// What happens to a wall-clock time that comes twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OverlapRule {
    First,
    Last,
    Both,
}

/// What was chosen for the clock_changes of the clocks; none leaves it to the expression, as the module says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClockChangeRules {
    pub gap: Option<GapRule>,
    pub overlap: Option<OverlapRule>,
}

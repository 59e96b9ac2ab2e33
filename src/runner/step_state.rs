//! The state of a step.

use chrono::{DateTime, Utc};

/// The state of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StepState {
    /// Being prepared, for example by pulling its image. `reason` says what the step is waiting for, if known.
    Starting {
        reason: Option<String>,
    },
    Running,
    Exited {
        exit_code: i32,
        reason: Option<String>,
    },
    /// Ended for a reason other than its exit code.
    Failed {
        exit_code: Option<i32>,
        reason: String,
    },
    /// Will never start.
    CannotStart {
        reason: String,
    },
    /// Was started, but its outcome will never be known.
    Lost,
    /// The runner has no step with this name.
    Unknown,
}

/// When a step started and ended by the clock of its runner, as far as that is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StepTimes {
    pub started_at: Option<DateTime<Utc>>,
    pub finished_at: Option<DateTime<Utc>>,
    /// How many times the step was started, if its runner restarts it by itself.
    pub attempts: Option<i32>,
}

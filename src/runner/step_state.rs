//! How far a step has come.

use chrono::{DateTime, Utc};

/// How far a step has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StepState {
    /// Being prepared, for example its image pulled; with what keeps it waiting, where that is known.
    Starting {
        reason: Option<String>,
    },
    Running,
    Exited {
        exit_code: i32,
        reason: Option<String>,
    },
    /// Ended by its runner, for a reason that is not its exit code.
    Failed {
        exit_code: Option<i32>,
        reason: String,
    },
    /// Will never start.
    CannotStart {
        reason: String,
    },
    /// It was started, and how it ended will never be known.
    Lost,
    /// The runner has nothing of this name.
    Unknown,
}

/// When a step began and ended, by the clock of its runner, and how often; none where that is not known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StepTimes {
    pub started_at: Option<DateTime<Utc>>,
    pub finished_at: Option<DateTime<Utc>>,
    /// How often its runner has begun it, where that starts it again itself.
    pub attempts: Option<i32>,
}

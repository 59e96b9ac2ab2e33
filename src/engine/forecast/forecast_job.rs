//! Pure: what a forecast knows about a job.

use entity::id::JobId;
use uuid::Uuid;

use crate::engine::cron::{Concurrency, Holds, Timing};
use crate::engine::run_lengths::RunLengths;

/// A deployed CRON job.
#[derive(Clone, Debug)]
pub struct ForecastJob {
    pub id: JobId,
    pub name: String,
    pub timing: Timing,
    pub concurrency: Concurrency,
    /// Times that are held back are not planned.
    pub holds: Holds,
    /// None without any successful run; it then counts as one that takes no time.
    pub lengths: Option<RunLengths>,
    /// The time limit in milliseconds.
    pub limit: Option<u64>,
    /// Whose slots its runs need; none if they need no slot.
    pub slots: Option<Uuid>,
}

/// Which of the usual durations is assumed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Assumed {
    P50,
    P95,
}

impl ForecastJob {
    /// How long a run takes, in milliseconds.
    pub(super) fn length(&self, assumed: Assumed) -> u64 {
        self.lengths.map_or(0, |lengths| match assumed {
            Assumed::P50 => lengths.p50,
            Assumed::P95 => lengths.p95,
        })
    }
}

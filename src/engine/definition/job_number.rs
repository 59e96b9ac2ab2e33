//! The numbers of a job, with their least values.

use crate::engine::limits;
use crate::error::Result;

pub const DEFAULT_CPU_MILLI: i32 = 500;

pub const DEFAULT_MEMORY_MIB: i32 = 512;

/// A number of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobNumber {
    Cpu,
    Memory,
    Gpu,
    Retries,
    TimeLimit,
}

impl JobNumber {
    /// The name of its field.
    #[must_use]
    pub fn field(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Memory => "memory",
            Self::Gpu => "gpu",
            Self::Retries => "max_nb_restart",
            Self::TimeLimit => "max_duration_seconds",
        }
    }

    /// The least value. Docker refuses to start a container with less memory.
    #[must_use]
    pub fn least(self) -> i32 {
        match self {
            Self::Cpu => 10,
            Self::Memory => 6,
            Self::Gpu | Self::Retries | Self::TimeLimit => 0,
        }
    }

    /// Checks a value.
    ///
    /// # Errors
    /// `Invalid` if it is too small.
    pub fn check(self, value: i32) -> Result<i32> {
        limits::between(self.field(), value, self.least(), i32::MAX)
    }
}

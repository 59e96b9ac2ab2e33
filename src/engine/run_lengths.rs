//! Pure: how long the runs of a job usually take.

/// The median and the 95th percentile of durations, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunLengths {
    pub p50: u64,
    pub p95: u64,
    /// How many runs they were computed from.
    pub runs: usize,
}

/// Why a run takes longer than it should.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TooLong {
    /// Longer than the time limit, so it is being stopped.
    PastLimit,
    /// Longer than 95 of 100 runs of the job were.
    PastUsual,
}

impl TooLong {
    /// How long that is, in words.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::PastLimit => "longer than its time limit",
            Self::PastUsual => "longer than usual",
        }
    }
}

/// From this number of runs on, a run can be longer than usual.
const ENOUGH: usize = 5;
/// A run is longer than usual only if it exceeds the 95th percentile by a tenth, and by a second.
const MARGIN: u64 = 1000;

impl RunLengths {
    /// Of durations in any order; none if there are none. Each is the shortest duration that is not exceeded by so many of the runs.
    #[must_use]
    pub fn of(durations: &[u64]) -> Option<Self> {
        let mut sorted = durations.to_vec();
        sorted.sort_unstable();
        Some(Self { p50: rank(&sorted, 50)?, p95: rank(&sorted, 95)?, runs: sorted.len() })
    }
}

/// The nearest rank of a percentile.
fn rank(sorted: &[u64], percent: usize) -> Option<u64> {
    sorted.get((sorted.len() * percent).div_ceil(100).saturating_sub(1)).copied()
}

/// Whether a run that has been running for a time is too long. A limit of 0 is none.
#[must_use]
pub fn too_long(running_milliseconds: u64, limit_seconds: i32, usual: Option<RunLengths>) -> Option<TooLong> {
    let limit = u64::try_from(limit_seconds).unwrap_or(0).saturating_mul(1000);
    if limit > 0 && running_milliseconds > limit {
        return Some(TooLong::PastLimit);
    }
    let usual = usual.filter(|usual| usual.runs >= ENOUGH)?;
    let most = usual.p95.saturating_add(usual.p95 / 10).saturating_add(MARGIN);
    (running_milliseconds > most).then_some(TooLong::PastUsual)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles() {
        assert_eq!(RunLengths::of(&[]), None);
        assert_eq!(RunLengths::of(&[7]), Some(RunLengths { p50: 7, p95: 7, runs: 1 }));
        assert_eq!(RunLengths::of(&[4, 1, 3, 2]), Some(RunLengths { p50: 2, p95: 4, runs: 4 }));
        let hundred: Vec<u64> = (1..=100).rev().collect();
        assert_eq!(RunLengths::of(&hundred), Some(RunLengths { p50: 50, p95: 95, runs: 100 }));
    }

    #[test]
    fn what_is_too_long() {
        let usual = RunLengths::of(&[10_000; 10]);
        assert_eq!(too_long(12_000, 0, usual), None);
        assert_eq!(too_long(12_001, 0, usual), Some(TooLong::PastUsual));
        assert_eq!(too_long(12_001, 12, usual), Some(TooLong::PastLimit));
        assert_eq!(too_long(12_000, 12, usual), None);
        assert_eq!(too_long(u64::MAX, 0, RunLengths::of(&[1, 1])), None, "too few runs to say");
        assert_eq!(too_long(5000, 1, None), Some(TooLong::PastLimit));
    }
}

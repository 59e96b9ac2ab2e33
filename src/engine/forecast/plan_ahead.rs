//! Pure: the planned times of many jobs, in order.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use chrono::{DateTime, Utc};

use super::forecast_job::ForecastJob;

/// The planned times of jobs.
#[derive(Clone, Debug, Default)]
pub(super) struct PlannedTimes {
    /// Times with the places of their jobs, in order.
    pub(super) times: Vec<(DateTime<Utc>, usize)>,
    /// Where the plan ends early, because there are too many times.
    pub(super) cut_at: Option<DateTime<Utc>>,
}

/// The first `most` planned times after `from` and before `until`.
pub(super) fn plan_ahead(
    jobs: &[ForecastJob],
    (from, until): (DateTime<Utc>, DateTime<Utc>),
    most: usize,
) -> PlannedTimes {
    let mut next: BinaryHeap<Reverse<(DateTime<Utc>, usize)>> =
        jobs.iter().enumerate().filter_map(|(place, job)| Some(Reverse((job.timing.next(from)?, place)))).collect();
    let mut plan = PlannedTimes::default();
    // Times that are held back count too, so that the work is bounded.
    let mut left = most;
    while let Some(Reverse((time, place))) = next.pop().filter(|Reverse((time, _))| *time < until) {
        if left == 0 {
            plan.cut_at = Some(time);
            break;
        }
        left -= 1;
        let Some(job) = jobs.get(place) else { continue };
        if job.holds.of(time).is_none() {
            plan.times.push((time, place));
        }
        if let Some(time) = job.timing.next(time) {
            next.push(Reverse((time, place)));
        }
    }
    plan
}

//! Pure: minutes at which more runs are due than there are slots, and how far apart they would have to start.

use std::collections::BTreeMap;

use chrono::{DateTime, Timelike as _, Utc};
use uuid::Uuid;

use super::forecast_job::{Assumed, ForecastJob};
use super::slot_queue::Simulated;

/// Values of `cronjob.jitter_seconds` that are tried, in order.
const SPREADS: [i32; 9] = [10, 30, 60, 120, 300, 600, 900, 1800, 3600];
/// The most peaks that are reported, and for how many of them a spread is looked for.
const REPORTED: usize = 100;
const SPREAD_OUT: usize = 20;

/// A minute at which runs have to wait.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peak {
    pub at: DateTime<Utc>,
    /// Whose slots are short.
    pub slots: Uuid,
    pub capacity: usize,
    /// How many runs are due within this minute.
    pub due: usize,
    /// How long the last of them waits, in milliseconds, if each run takes as long as the median of its job.
    pub wait_p50: u64,
    /// The same with the 95th percentile.
    pub wait_p95: u64,
    /// The smallest `cronjob.jitter_seconds` of these jobs, of a few round values, with which no more of their runs overlap than there
    /// are slots, even at the 95th percentile.
    pub jitter_seconds: Option<i32>,
}

/// The peaks with the longest waits, and how many there are.
pub(super) fn peaks(
    jobs: &[ForecastJob],
    times: &[(DateTime<Utc>, usize)],
    slots: &BTreeMap<Uuid, usize>,
    (p50, p95): (&Simulated, &Simulated),
) -> (Vec<Peak>, usize) {
    let mut minutes: BTreeMap<(DateTime<Utc>, Uuid), (Peak, Vec<usize>)> = BTreeMap::new();
    for (((time, place), p50), p95) in times.iter().zip(&p50.waits).zip(&p95.waits) {
        let Some(job) = jobs.get(*place) else { continue };
        let Some((id, capacity)) = job.slots.and_then(|id| Some((id, *slots.get(&id)?))) else { continue };
        let Some(at) = time.with_second(0).and_then(|time| time.with_nanosecond(0)) else { continue };
        let (peak, due) = minutes.entry((at, id)).or_insert_with(|| {
            let peak = Peak { at, slots: id, capacity, due: 0, wait_p50: 0, wait_p95: 0, jitter_seconds: None };
            (peak, Vec::new())
        });
        peak.due += 1;
        peak.wait_p50 = peak.wait_p50.max(p50.unwrap_or(0));
        peak.wait_p95 = peak.wait_p95.max(p95.unwrap_or(0));
        due.push(*place);
    }
    let short = |peak: &Peak| peak.due > peak.capacity && (peak.wait_p50 > 0 || peak.wait_p95 > 0);
    let mut found: Vec<(Peak, Vec<usize>)> = minutes.into_values().filter(|(peak, _)| short(peak)).collect();
    found.sort_by_key(|(peak, _)| (std::cmp::Reverse(peak.wait_p95), std::cmp::Reverse(peak.due), peak.at));
    let count = found.len();
    let spread = |(rank, (mut peak, due)): (usize, (Peak, Vec<usize>))| {
        if rank < SPREAD_OUT {
            peak.jitter_seconds = spread(jobs, &due, peak.capacity);
        }
        peak
    };
    (found.into_iter().take(REPORTED).enumerate().map(spread).collect(), count)
}

/// The smallest spread at which no more runs of these jobs overlap than there are slots.
fn spread(jobs: &[ForecastJob], due: &[usize], capacity: usize) -> Option<i32> {
    let mut due: Vec<&ForecastJob> = due.iter().filter_map(|place| jobs.get(*place)).collect();
    // A job that is due twice in a minute cannot be spread out.
    let all = due.len();
    due.sort_by_key(|job| job.id);
    due.dedup_by_key(|job| job.id);
    if due.len() < all {
        return None;
    }
    SPREADS.into_iter().find(|seconds| at_once(&due, *seconds) <= capacity)
}

/// How many of these runs overlap, with jitter of up to `seconds`.
fn at_once(due: &[&ForecastJob], seconds: i32) -> usize {
    let mut changes: Vec<(u64, bool)> = Vec::with_capacity(due.len() * 2);
    for job in due {
        let start = u64::try_from(crate::engine::cron::jitter(job.id, seconds).num_milliseconds()).unwrap_or(0);
        // Starts sort behind ends of the same time.
        changes.extend([(start, true), (start.saturating_add(job.length(Assumed::P95).max(1)), false)]);
    }
    changes.sort_unstable();
    let (mut running, mut most) = (0_usize, 0);
    for (_, starts) in changes {
        running = if starts { running + 1 } else { running.saturating_sub(1) };
        most = most.max(running);
    }
    most
}

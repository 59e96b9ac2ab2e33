//! Pure: when planned runs start, if each takes as long as assumed, and the longest wait goes first.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::forecast_job::{Assumed, ForecastJob};
use crate::engine::cron::Concurrency;

/// What becomes of the planned times.
#[derive(Clone, Debug, Default)]
pub(super) struct Simulated {
    /// How long each run waits for a slot, in milliseconds; none for a time that is skipped, because the earlier run has not ended.
    pub(super) waits: Vec<Option<u64>>,
    /// By the place of its job: at how many times an earlier run has not ended, and the first of them.
    pub(super) overlaps: BTreeMap<usize, (usize, DateTime<Utc>)>,
}

/// Lets the planned times pass. The slots are free at the beginning.
pub(super) fn simulate(
    jobs: &[ForecastJob],
    times: &[(DateTime<Utc>, usize)],
    slots: &BTreeMap<Uuid, usize>,
    assumed: Assumed,
) -> Simulated {
    let mut simulated = Simulated::default();
    let mut ends: BTreeMap<usize, DateTime<Utc>> = BTreeMap::new();
    let mut busy: BTreeMap<Uuid, BinaryHeap<Reverse<DateTime<Utc>>>> = BTreeMap::new();
    for (time, place) in times {
        let Some(job) = jobs.get(*place) else { continue };
        let earlier_end = ends.get(place).copied().filter(|end| end > time);
        if earlier_end.is_some() {
            simulated.overlaps.entry(*place).or_insert((0, *time)).0 += 1;
            if job.concurrency == Concurrency::Forbid {
                simulated.waits.push(None);
                continue;
            }
        }
        let mut start = *time;
        if let (Concurrency::Queue, Some(end)) = (job.concurrency, earlier_end) {
            start = end;
        }
        let length = TimeDelta::milliseconds(i64::try_from(job.length(assumed)).unwrap_or(i64::MAX / 1000));
        if let Some((id, capacity)) = job.slots.and_then(|id| Some((id, *slots.get(&id)?))) {
            let running = busy.entry(id).or_default();
            while running.len() >= capacity.max(1) {
                let Some(Reverse(free)) = running.pop() else { break };
                start = start.max(free);
            }
            running.push(Reverse(start.checked_add_signed(length).unwrap_or(start)));
        }
        let end = start.checked_add_signed(length).unwrap_or(start);
        let latest = ends.entry(*place).or_insert(end);
        *latest = (*latest).max(end);
        simulated.waits.push(Some(u64::try_from((start - *time).num_milliseconds()).unwrap_or(0)));
    }
    simulated
}

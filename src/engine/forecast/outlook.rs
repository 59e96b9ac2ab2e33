//! Pure: the forecast as a whole.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use entity::id::JobId;
use uuid::Uuid;

use super::forecast_job::{Assumed, ForecastJob};
use super::peaks::{Peak, peaks};
use super::plan_ahead::plan_ahead;
use super::slot_queue::simulate;
use crate::engine::cron::Concurrency;

/// The most planned times of a forecast.
const MOST_TIMES: usize = 200_000;
/// The most rows of a list.
const REPORTED: usize = 100;
/// The part of the time limit from which on a job is close to it, in percent.
const CLOSE: u64 = 90;

/// A job whose runs overlap with its next times.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overlap {
    pub job: JobId,
    pub name: String,
    /// What then happens.
    pub concurrency: Concurrency,
    /// The first time at which an earlier run has not ended.
    pub first: DateTime<Utc>,
    /// At how many times that is so, if each run takes as long as the median.
    pub times_p50: usize,
    /// The same with the 95th percentile.
    pub times_p95: usize,
}

/// A job that usually takes almost as long as it may.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CloseToLimit {
    pub job: JobId,
    pub name: String,
    /// In milliseconds.
    pub p95: u64,
    pub limit: u64,
}

/// What will happen. Each list has up to 100 rows, the worst first, and its number of rows as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forecast {
    pub from: DateTime<Utc>,
    /// Earlier than asked for, if there are too many times.
    pub until: DateTime<Utc>,
    pub is_cut: bool,
    /// How many times are planned.
    pub planned: usize,
    /// How many of the jobs with planned times have no successful run, and count as if they took no time.
    pub without_history: usize,
    pub overlaps: (Vec<Overlap>, usize),
    pub peaks: (Vec<Peak>, usize),
    pub close_to_limit: (Vec<CloseToLimit>, usize),
}

/// Forecasts the times after `from` and before `until`.
#[must_use]
pub fn forecast(
    jobs: &[ForecastJob],
    slots: &BTreeMap<Uuid, usize>,
    (from, until): (DateTime<Utc>, DateTime<Utc>),
) -> Forecast {
    let plan = plan_ahead(jobs, (from, until), MOST_TIMES);
    let p50 = simulate(jobs, &plan.times, slots, Assumed::P50);
    let p95 = simulate(jobs, &plan.times, slots, Assumed::P95);
    let mut overlaps: Vec<Overlap> = Vec::new();
    for (place, (times_p95, first)) in &p95.overlaps {
        let Some(job) = jobs.get(*place) else { continue };
        let times_p50 = p50.overlaps.get(place).map_or(0, |(times, _)| *times);
        let first = p50.overlaps.get(place).map_or(*first, |(_, earlier)| *first.min(earlier));
        let (job, name, concurrency) = (job.id, job.name.clone(), job.concurrency);
        overlaps.push(Overlap { job, name, concurrency, first, times_p50, times_p95: *times_p95 });
    }
    overlaps.sort_by(|a, b| (b.times_p50, b.times_p95, &a.name).cmp(&(a.times_p50, a.times_p95, &b.name)));
    let mut is_planned = vec![false; jobs.len()];
    for (_, place) in &plan.times {
        if let Some(planned) = is_planned.get_mut(*place) {
            *planned = true;
        }
    }
    let due = || jobs.iter().zip(&is_planned).filter(|(_, is_planned)| **is_planned).map(|(job, _)| job);
    let close = |job: &ForecastJob| {
        let (p95, limit) = (job.lengths?.p95, job.limit?);
        let row = CloseToLimit { job: job.id, name: job.name.clone(), p95, limit };
        (p95.saturating_mul(100) >= limit.saturating_mul(CLOSE)).then_some(row)
    };
    let mut close_to_limit: Vec<CloseToLimit> = due().filter_map(close).collect();
    close_to_limit
        .sort_by(|a, b| (b.p95 * 1000 / b.limit.max(1), &a.name).cmp(&(a.p95 * 1000 / a.limit.max(1), &b.name)));
    Forecast {
        from,
        until: plan.cut_at.unwrap_or(until),
        is_cut: plan.cut_at.is_some(),
        planned: plan.times.len(),
        without_history: due().filter(|job| job.lengths.is_none()).count(),
        peaks: peaks(jobs, &plan.times, slots, (&p50, &p95)),
        overlaps: first_of(overlaps),
        close_to_limit: first_of(close_to_limit),
    }
}

fn first_of<T>(mut rows: Vec<T>) -> (Vec<T>, usize) {
    let count = rows.len();
    rows.truncate(REPORTED);
    (rows, count)
}

#[cfg(test)]
#[path = "outlook_tests.rs"]
mod tests;

//! What holds the next times of jobs back, for tables that name these times: pauses, single skipped times, and calendars.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use entity::id::JobId;
use entity::job_spec::JobSpec;
use maud::{Markup, html};
use sea_orm::ConnectionTrait;

use super::when::{distance, exact, zone_of};
use super::widgets::state;
use crate::engine::calendars_of_jobs::calendars_of_jobs;
use crate::engine::cron::{Hold, Holds, Timing};
use crate::error::Result;
use crate::store;

/// How far ahead times that are to be skipped are looked for.
const AHEAD: TimeDelta = TimeDelta::days(366);

/// How many times are examined for one that runs.
const MOST: usize = 1000;

/// Why the next time of a job does not run, and which one does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct HeldTime {
    badge: &'static str,
    /// Who wanted it, or which calendar.
    by: String,
    /// How long a pause lasts.
    until: Option<Option<DateTime<Utc>>>,
    /// The first time that runs.
    then: Option<DateTime<Utc>>,
}

impl HeldTime {
    fn of(job: JobId, spec: &JobSpec, holds: &Holds, next: DateTime<Utc>) -> Option<Self> {
        let hold = holds.of(next)?;
        let ends_at = match &hold {
            Hold::Pause(pause) => pause.until,
            Hold::Skip(_) | Hold::Calendar(_) => Some(next),
        };
        let timing = Timing::of(job, spec).ok().flatten();
        let then = timing.zip(ends_at).and_then(|(timing, ends_at)| {
            // A time at the end of a pause runs.
            let first = timing.next((ends_at - TimeDelta::microseconds(1)).max(next));
            let mut times = std::iter::successors(first, |time| timing.next(*time)).take(MOST);
            times.find(|time| holds.of(*time).is_none())
        });
        let (badge, by, until) = match hold {
            Hold::Pause(pause) => ("paused", format!("by {}", pause.requested_by), Some(pause.until)),
            Hold::Skip(skip) => ("skipped", format!("by {}", skip.requested_by), None),
            Hold::Calendar(why) => ("skipped", why, None),
        };
        Some(Self { badge, by, until, then })
    }

    /// As the content of a cell, for a time that does not run.
    pub(super) fn show(&self, next: DateTime<Utc>, spec: &JobSpec, now: DateTime<Utc>) -> Markup {
        let zone = zone_of(spec);
        html! {
            div {
                (state(("cancelled", self.badge))) " "
                @if self.until.is_none() { (distance(next, now)) " " }
                bdi { (self.by) }
                @match self.until {
                    Some(Some(until)) => { ", until " (exact(until, zone)) },
                    Some(None) => ", until it is resumed",
                    None => {},
                }
                @if let Some(then) = self.then { div.soft { "Runs " (distance(then, now)) ", " (exact(then, zone)) } }
            }
        }
    }
}

/// The next times of these jobs that do not run. Each job comes with the configuration that is in effect.
///
/// # Errors
/// Database errors.
pub(super) async fn held_times(
    db: &impl ConnectionTrait,
    jobs: &[(JobId, &JobSpec, Option<DateTime<Utc>>)],
    now: DateTime<Utc>,
) -> Result<HashMap<JobId, HeldTime>> {
    let ids: Vec<JobId> = jobs.iter().filter(|(_, _, next)| next.is_some()).map(|(id, ..)| *id).collect();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let (pauses, skips) = store::schedule_hold::list_due(db, &ids, now + AHEAD).await?;
    let specs: Vec<_> = jobs.iter().map(|(id, spec, _)| (*id, *spec)).collect();
    let calendars = calendars_of_jobs(db, &specs).await?;
    let mut holds: HashMap<JobId, Holds> = HashMap::new();
    for pause in pauses {
        let job = pause.job_id;
        holds.entry(job).or_default().pause = Some(pause);
    }
    for skip in skips {
        holds.entry(skip.job_id).or_default().skips.push(skip);
    }
    for (job, of_job) in calendars {
        holds.entry(job).or_default().calendars = of_job;
    }
    let held = |(id, spec, next): &(JobId, &JobSpec, Option<DateTime<Utc>>)| {
        Some((*id, HeldTime::of(*id, spec, holds.get(id)?, (*next)?)?))
    };
    Ok(jobs.iter().filter_map(held).collect())
}

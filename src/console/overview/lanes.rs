//! The lanes of the timeline: what became of the times of jobs, and which come next.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use entity::id::JobId;
use windlass_schedule::time_zone::Zone;

use crate::app::App;
use crate::console::paths;
use crate::console::picture::lane::{Lane, LaneItem};
use crate::console::run_marks::{planned_items, run_item, skipped_item};
use crate::engine::calendars_of_jobs::calendars_of_jobs;
use crate::engine::cron::{Holds, Policy, Timing};
use crate::error::Result;
use crate::store;
use crate::store::overview::JobEntry;

/// How many runs and skipped times are drawn at most.
const MOST: usize = 5000;

/// The lanes of jobs in a span of time, and whether older runs were left out.
pub(super) async fn lanes(
    app: &App,
    jobs: Vec<JobEntry>,
    (from, until): (DateTime<Utc>, DateTime<Utc>),
    zone: Zone,
) -> Result<(Vec<Lane>, bool)> {
    let now = app.clock.now();
    let ids: Vec<JobId> = jobs.iter().map(|job| job.id).collect();
    let rows = store::overview::lane_rows(&app.db, &ids, (from, until), MOST).await?;
    let mut items: HashMap<JobId, Vec<LaneItem>> = HashMap::new();
    for run in &rows.runs {
        items.entry(run.job_id).or_default().push(run_item(run, now, zone));
    }
    for skipped in &rows.skipped {
        items.entry(skipped.job_id).or_default().push(skipped_item(skipped, zone));
    }
    let (pauses, skips) = store::schedule_hold::list_due(&app.db, &ids, until).await?;
    let specs: Vec<_> = jobs.iter().map(|job| (job.id, &job.spec)).collect();
    let mut calendars = calendars_of_jobs(&app.db, &specs).await?;
    let lane = |job: JobEntry| {
        let holds = Holds {
            pause: pauses.iter().find(|pause| pause.job_id == job.id).cloned(),
            skips: skips.iter().filter(|skip| skip.job_id == job.id).cloned().collect(),
            calendars: calendars.remove(&job.id).unwrap_or_default(),
        };
        let mut items = items.remove(&job.id).unwrap_or_default();
        items.extend(planned(&job, &holds, (now.max(from), until), zone));
        Lane { name: job.name, href: paths::job(job.id), items }
    };
    Ok((jobs.into_iter().map(lane).collect(), rows.more))
}

/// The times that are still to come, if somebody keeps the schedule.
fn planned(job: &JobEntry, holds: &Holds, span: (DateTime<Utc>, DateTime<Utc>), zone: Zone) -> Vec<LaneItem> {
    if !job.is_deployed || Policy::of(&job.spec).suspended {
        return Vec::new();
    }
    match Timing::of(job.id, &job.spec) {
        Ok(Some(timing)) => planned_items(&timing, holds, span, zone),
        Ok(None) | Err(_) => Vec::new(),
    }
}

//! The lanes of the timeline: what became of the times of jobs, and which come next.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use entity::id::JobId;
use entity::skipped_time::SkipReason;

use crate::app::App;
use crate::console::format::{between, duration};
use crate::console::paths;
use crate::console::picture::Shade;
use crate::console::picture::lane::{Lane, LaneItem};
use crate::engine::cron::{Policy, Timing};
use crate::error::Result;
use crate::store;
use crate::store::overview::{JobEntry, RunSummary};

/// How many runs and skipped times are drawn at most.
const MOST: usize = 5000;

/// How many coming times of a job are drawn at most.
const PLANNED: usize = 500;

/// The lanes of jobs in a span of time, and whether older runs were left out.
pub(super) async fn lanes(
    app: &App,
    jobs: Vec<JobEntry>,
    (from, until): (DateTime<Utc>, DateTime<Utc>),
    now: DateTime<Utc>,
) -> Result<(Vec<Lane>, bool)> {
    let ids: Vec<JobId> = jobs.iter().map(|job| job.id).collect();
    let rows = store::overview::lane_rows(&app.db, &ids, (from, until), MOST).await?;
    let mut items: HashMap<JobId, Vec<LaneItem>> = HashMap::new();
    for run in &rows.runs {
        items.entry(run.job_id).or_default().push(run_item(run, now));
    }
    for skipped in rows.skipped {
        let reason = skip_words(skipped.reason, skipped.requested_by.as_deref());
        let item = LaneItem {
            shade: Shade::Skipped,
            from: skipped.scheduled_for,
            until: skipped.through,
            title: format!("skipped: {reason}"),
            href: Some(format!("{}/explain?at={}", paths::job(skipped.job_id), skipped.scheduled_for.timestamp())),
        };
        items.entry(skipped.job_id).or_default().push(item);
    }
    let lane = |job: JobEntry| {
        let mut items = items.remove(&job.id).unwrap_or_default();
        items.extend(planned(&job, now.max(from), until));
        Lane { name: job.name, href: paths::job(job.id), items }
    };
    Ok((jobs.into_iter().map(lane).collect(), rows.more))
}

fn run_item(run: &RunSummary, now: DateTime<Utc>) -> LaneItem {
    let shade = Shade::of(run.state);
    let from = run.started_at.or(run.scheduled_for).unwrap_or(run.created_at);
    let until = run.finished_at.unwrap_or(now).max(from);
    let length = run.started_at.map(|from| format!(" in {}", duration(between(from, until)))).unwrap_or_default();
    LaneItem {
        shade,
        from,
        until,
        title: format!("run {}: {}{length}", run.number, shade.label()),
        href: Some(paths::run(run.id)),
    }
}

/// The times that are still to come, if somebody keeps the schedule.
fn planned(job: &JobEntry, from: DateTime<Utc>, until: DateTime<Utc>) -> Vec<LaneItem> {
    if !job.is_deployed || Policy::of(&job.spec).suspended {
        return Vec::new();
    }
    let Ok(Some(timing)) = Timing::of(job.id, &job.spec) else { return Vec::new() };
    let first = job.next_run_at.filter(|at| *at >= from).or_else(|| timing.next(from));
    let times = std::iter::successors(first, |at| timing.next(*at)).take_while(|at| *at < until).take(PLANNED);
    let item = |at| LaneItem { shade: Shade::Planned, from: at, until: at, title: "planned".into(), href: None };
    times.map(item).collect()
}

fn skip_words(reason: SkipReason, by: Option<&str>) -> String {
    match (reason, by) {
        (SkipReason::Overlap, _) => "the run before had not ended".into(),
        (SkipReason::Missed, _) => "no server was running at that time".into(),
        (SkipReason::Paused, Some(by)) => format!("{by} asked for it"),
        (SkipReason::Paused, None) => "the schedule was paused".into(),
        (SkipReason::TooLate, _) => "its starting deadline had passed".into(),
    }
}

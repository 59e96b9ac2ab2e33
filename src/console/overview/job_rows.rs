//! The jobs of the overview, with the strips of their last runs.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use entity::id::JobId;
use entity::run::RunState;
use maud::{Markup, html};
use windlass_schedule::time_zone;

use crate::app::App;
use crate::console::held_times::{HeldTime, held_times};
use crate::console::paths;
use crate::console::picture::strip::{StripBar, strip};
use crate::console::run_marks::strip_bar;
use crate::console::when::{distance, in_zone, zone_of};
use crate::engine::cron::schedule_text;
use crate::error::Result;
use crate::store;
use crate::store::overview::{JobEntry, RunSummary};

/// How many runs of each job are shown.
const RUNS: u32 = 30;

/// Jobs with their newest runs, the newest first.
pub(super) struct JobRows {
    jobs: Vec<JobEntry>,
    runs: HashMap<JobId, Vec<RunSummary>>,
    held: HashMap<JobId, HeldTime>,
}

impl JobRows {
    pub(super) async fn read(app: &App, jobs: Vec<JobEntry>, now: DateTime<Utc>) -> Result<Self> {
        let ids: Vec<JobId> = jobs.iter().map(|job| job.id).collect();
        let mut runs: HashMap<JobId, Vec<RunSummary>> = HashMap::new();
        for run in store::overview::newest_runs(&app.db, &ids, RUNS).await? {
            runs.entry(run.job_id).or_default().push(run);
        }
        let nexts: Vec<_> = jobs.iter().map(|job| (job.id, &job.spec, job.next_run_at)).collect();
        let held = held_times(&app.db, &nexts, now).await?;
        Ok(Self { jobs, runs, held })
    }

    /// The table; its rows are labelled, because a narrow screen shows them one below the other.
    pub(super) fn show(&self, now: DateTime<Utc>) -> Markup {
        html! {
            div.scroll { table.stacked {
                caption.hidden { "Jobs" }
                thead { tr {
                    th scope="col" { "Job" }
                    th scope="col" { "Runs" }
                    th scope="col" { "Next" }
                    th scope="col" { "Last runs" }
                    th.number scope="col" { "Success" }
                } }
                tbody { @for job in &self.jobs { (self.row(job, now)) } }
            } }
        }
    }

    fn row(&self, job: &JobEntry, now: DateTime<Utc>) -> Markup {
        let runs = self.runs.get(&job.id).map_or(&[] as &[_], Vec::as_slice);
        html! {
            tr {
                td data-label="Job" {
                    div {
                        a href=(paths::job(job.id)) { (job.name) }
                        div.soft {
                            a.soft href=(paths::environment(job.environment_id)) { (job.project_name) " / " (job.environment_name) }
                        }
                    }
                }
                td data-label="Runs" { (schedule_text(job.id, &job.spec)) }
                td data-label="Next" { (next(job, self.held.get(&job.id), now)) }
                td data-label="Last runs" { (strip(&bars(job, runs, now), &job.name)) }
                td.number data-label="Success" { (success(runs)) }
            }
        }
    }
}

fn next(job: &JobEntry, held: Option<&HeldTime>, now: DateTime<Utc>) -> Markup {
    html! {
        @match (job.next_run_at, held) {
            (Some(at), Some(held)) => (held.show(at, &job.spec, now)),
            (Some(at), None) => {
                div { (distance(at, now)) div.soft { (in_zone(at, zone_of(&job.spec))) } }
            }
            (None, _) if !job.is_deployed => span.soft { "not deployed" },
            (None, _) => span.soft { "–" },
        }
    }
}

/// The bars of a strip, the oldest first, with times in the zone of the job.
fn bars(job: &JobEntry, runs: &[RunSummary], now: DateTime<Utc>) -> Vec<StripBar> {
    let Some(zone) = zone_of(&job.spec).or_else(|| time_zone::find("Etc/UTC")) else { return Vec::new() };
    runs.iter().rev().map(|run| strip_bar(run, now, zone)).collect()
}

/// The share of successes among the shown runs that have ended, without those that were cancelled.
fn success(runs: &[RunSummary]) -> Markup {
    let count = |state| runs.iter().filter(|run| run.state == state).count();
    let (good, bad) = (count(RunState::Succeeded), count(RunState::Failed));
    html! {
        @match good + bad {
            0 => span.soft { "–" },
            all => { (good * 100 / all) " %" },
        }
    }
}

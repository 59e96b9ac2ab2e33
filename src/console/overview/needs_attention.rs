//! What needs attention: first things first.

use chrono::{DateTime, TimeDelta, Utc};
use entity::cluster;
use entity::id::{JobId, OrganizationId};
use maud::{Markup, html};

use crate::access::{Caller, reach};
use crate::app::App;
use crate::console::format::{between, duration};
use crate::console::paths;
use crate::console::when::distance;
use crate::engine::cluster::usable::{Usable, usable};
use crate::engine::run_lengths::{RunLengths, TooLong, too_long};
use crate::error::Result;
use crate::store;
use crate::store::overview::{
    Attention, COUNTED, FailedDeployment, FailingJob, LateRun, OpenRun, SHOWN, Sight, WaitingJob,
};

/// After how long a run that is due counts as late.
const LATE: TimeDelta = TimeDelta::seconds(60);

/// How many successful runs tell how long a job usually takes.
const HISTORY: u32 = 100;

/// What needs attention in an organization.
pub(super) struct NeedsAttention {
    failing: Attention<FailingJob>,
    late: Attention<LateRun>,
    stuck: Vec<(OpenRun, u64, TooLong)>,
    waiting: Attention<WaitingJob>,
    deployments: Attention<FailedDeployment>,
    clusters: Vec<(cluster::Model, String)>,
}

impl NeedsAttention {
    pub(super) async fn read(
        app: &App,
        caller: &Caller,
        organization: OrganizationId,
        sight: &Sight,
        now: DateTime<Utc>,
    ) -> Result<Self> {
        let reach = reach::reach(&app.db, caller).await?;
        let workspaces = (!reach.in_organization(organization).view).then(|| reach.workspaces());
        Ok(Self {
            failing: store::overview::failing_jobs(&app.db, sight).await?,
            late: store::overview::late_runs(&app.db, sight, now - LATE).await?,
            stuck: stuck(app, sight, now).await?,
            waiting: store::overview::waiting_jobs(&app.db, organization, workspaces.as_deref()).await?,
            deployments: store::overview::failed_deployments(&app.db, sight).await?,
            clusters: unreachable(app, organization).await?,
        })
    }

    /// The list, most urgent first, or a line that says that nothing does.
    pub(super) fn show(&self, now: DateTime<Utc>) -> Markup {
        let Self { failing, late, stuck, waiting, deployments, clusters } = self;
        let is_quiet =
            failing.count + late.count + stuck.len() + waiting.count + deployments.count + clusters.len() == 0;
        html! {
            @if is_quiet {
                p.card { "Nothing needs attention." }
            } @else {
                section.card.attention aria-labelledby="attention-title" {
                    h2 #attention-title { "Needs attention" }
                    ul.plain {
                        @for (cluster, reason) in clusters {
                            li { span.state.failed { "unreachable" } " Cluster " strong { (cluster.name) } ": " (reason) }
                        }
                        @for row in &failing.rows { (failing_line(row, now)) }
                        (rest(failing.count, failing.rows.len(), "failing jobs"))
                        @for (run, took, why) in stuck { (stuck_line(run, *took, *why)) }
                        @for row in &late.rows { (late_line(row, now)) }
                        (rest(late.count, late.rows.len(), "late runs"))
                        @for row in &waiting.rows { (waiting_line(row, now)) }
                        (rest(waiting.count, waiting.rows.len(), "jobs that wait for an approval"))
                        @for row in &deployments.rows { (deployment_line(row, now)) }
                        (rest(deployments.count, deployments.rows.len(), "failed deployments"))
                    }
                }
            }
        }
    }
}

/// Runs that take longer than usual, or are close to their limit.
async fn stuck(app: &App, sight: &Sight, now: DateTime<Utc>) -> Result<Vec<(OpenRun, u64, TooLong)>> {
    let running = store::overview::running(&app.db, sight).await?;
    let ids: Vec<JobId> = running.iter().map(|run| run.place.job_id).collect();
    let durations = store::overview::success_durations(&app.db, &ids, HISTORY).await?;
    let judged = running.into_iter().filter_map(|run| {
        let took = between(run.started_at?, now);
        let usual = durations.get(&run.place.job_id).and_then(|durations| RunLengths::of(durations));
        let why = too_long(took, run.spec.max_duration_seconds, usual)?;
        Some((run, took, why))
    });
    Ok(judged.take(SHOWN).collect())
}

async fn unreachable(app: &App, organization: OrganizationId) -> Result<Vec<(cluster::Model, String)>> {
    let rows = store::cluster::list_by_organization(&app.db, organization).await?;
    let reason = |row: cluster::Model| match usable(app, &row) {
        Usable::Unreachable(reason) | Usable::Refused(reason) => Some((row, reason)),
        Usable::Yes | Usable::Unregistered | Usable::Connecting => None,
    };
    Ok(rows.into_iter().filter_map(reason).collect())
}

fn failing_line(row: &FailingJob, now: DateTime<Utc>) -> Markup {
    let FailingJob { place, run_id, number, finished_at, exit_code, reason, in_a_row, since, event: _ } = row;
    html! {
        li {
            span.state.failed { "failed" } " "
            a href=(paths::job(place.job_id)) { strong { (place.job_name) } }
            span.soft { " in " (place.project_name) " / " (place.environment_name) } ": "
            a href=(paths::run(*run_id)) { "run #" (number) }
            @if let Some(at) = finished_at { " " (distance(*at, now)) }
            @if *in_a_row > 1 { ", " (in_a_row) " times in a row" @if let Some(since) = since { ", since " (distance(*since, now)) } }
            @match (reason, exit_code) {
                (Some(reason), _) => { ": " (reason) },
                (None, Some(code)) => { ": exit code " (code) },
                (None, None) => {},
            }
        }
    }
}

fn stuck_line(run: &OpenRun, took: u64, why: TooLong) -> Markup {
    html! {
        li {
            span.state.running { "long" } " "
            a href=(paths::job(run.place.job_id)) { strong { (run.place.job_name) } }
            span.soft { " in " (run.place.project_name) " / " (run.place.environment_name) } ": "
            a href=(paths::run(run.run_id)) { "run #" (run.number) }
            " has been running for " (duration(took)) ", " (why.words())
        }
    }
}

fn late_line(row: &LateRun, now: DateTime<Utc>) -> Markup {
    html! {
        li {
            span.state.queued { "late" } " "
            a href=(paths::job(row.place.job_id)) { strong { (row.place.job_name) } }
            span.soft { " in " (row.place.project_name) " / " (row.place.environment_name) } ": "
            a href=(paths::run(row.run_id)) { "run #" (row.number) }
            " could have started " (distance(row.not_before, now))
            @if row.in_turn { "; an older run of the same job has not ended" } @else { "; no slot is free" }
        }
    }
}

fn waiting_line(row: &WaitingJob, now: DateTime<Utc>) -> Markup {
    html! {
        li {
            span.state.queued { "approval" } " Workspace "
            a href=(paths::workspace(row.workspace_id)) { strong { (row.workspace_name) } } ": "
            a href=(paths::workspace_job(row.id)) { "job " (row.id) }
            " of " (row.created_by) " waits for its approval"
            @if let Some(team) = row.approval_team.as_deref().filter(|team| !team.is_empty()) { " by the team " (team) }
            ", since " (distance(row.updated_at, now))
        }
    }
}

fn deployment_line(row: &FailedDeployment, now: DateTime<Utc>) -> Markup {
    html! {
        li {
            span.state.failed { "deployment" } " "
            a href=(paths::environment(row.environment_id)) { strong { (row.project_name) " / " (row.environment_name) } } ": "
            a href=(paths::deployment(row.id)) { "deployment " (row.number) } " failed"
            @if let Some(at) = row.finished_at { " " (distance(at, now)) }
            @if let Some(reason) = &row.reason { ": " (reason) }
        }
    }
}

fn rest(all: usize, shown: usize, what: &str) -> Markup {
    html! {
        @if all > shown {
            li.soft { (all - shown) @if all >= COUNTED { " or more" } " more " (what) }
        }
    }
}

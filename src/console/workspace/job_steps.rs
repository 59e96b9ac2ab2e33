//! The steps of a workspace job with their plans and the ends of their logs.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use entity::id::{RunId, WorkspaceStepId};
use entity::workspace_job::{self, JobStatus};
use entity::{run, workspace_step};
use maud::{Markup, html};

use super::plan_difference;
use super::plan_shown;
use super::plan_text;
use super::status_words::status;
use crate::app::App;
use crate::console::paths;
use crate::console::widgets::{state, took};
use crate::engine::opened_plan::{self, ShownPlan};
use crate::engine::template::{FlowStep, FlowType};
use crate::engine::workspace::spec;
use crate::error::Result;
use crate::store;
use crate::store::log_chunk::LogLine;

/// How many of the last lines of a log are shown.
const TAIL: i64 = 200;

/// How many of the last lines of a log are searched for a plan that is stored only there.
const SEARCHED: i64 = 20_000;

/// Whether the log of a step has a plan: one that destroys says there what.
fn logs_plan(step: &FlowStep) -> bool {
    step.plans() || step.kind == FlowType::TerraformDestroy
}

/// A step with what is shown of it.
struct StepView {
    row: workspace_step::Model,
    spec: Option<FlowStep>,
    run: Option<run::Model>,
    lines: Vec<LogLine>,
    plan: Option<ShownPlan>,
}

impl StepView {
    async fn read(
        app: &App,
        row: workspace_step::Model,
        runs: &HashMap<RunId, run::Model>,
        plan: Option<ShownPlan>,
    ) -> Result<Self> {
        let spec = spec(&row).ok();
        let run = row.run_id.and_then(|id| runs.get(&id)).cloned();
        let mut lines = Vec::new();
        if let Some(run) = &run {
            let plans = plan.is_none() && spec.as_ref().is_some_and(logs_plan);
            let is_over = run.state.is_final();
            let mut after = (run.total_lines - if plans && is_over { SEARCHED } else { TAIL }).max(0);
            loop {
                let page = store::log_chunk::list_by_run(&app.db, run.id, after).await?;
                let Some(last) = page.last() else { break };
                after = last.position;
                lines.extend(page);
            }
        }
        Ok(Self { row, spec, run, lines, plan })
    }

    fn show(&self, now: DateTime<Utc>) -> Markup {
        let Self { row, spec, run, lines, plan } = self;
        let plans = plan.is_none() && spec.as_ref().is_some_and(logs_plan);
        let text = plan_text::read(lines.iter().map(|line| line.text.as_str()).take_while(|_| plans));
        let tail = lines.iter().skip(lines.len().saturating_sub(usize::try_from(TAIL).unwrap_or(0)));
        let reason = run.as_ref().and_then(|run| run.reason.as_ref());
        html! {
            section.card aria-labelledby={ "step-" (row.id) } {
                div.row.between {
                    h3 id={ "step-" (row.id) } { (row.number) ". " (row.name) " " (state(status(row.status))) }
                    @if let Some(run) = run { span.soft { (took(run.started_at, run.finished_at, now)) } }
                }
                @if let Some(team) = spec.as_ref().and_then(|spec| spec.team.as_ref()) { p.soft { "Approved by the team " (team) } }
                @if let Some(reason) = reason { p.problem { (reason) } }
                @if let Some(plan) = plan { (plan_difference::plan(plan, &format!("plan-{}", row.id))) }
                @if let Some(plan) = &text { (plan_shown::plan(plan)) }
                @if run.is_some() {
                    details id={ "log-" (row.id) } open[row.status == JobStatus::Running || row.status == JobStatus::Failed] {
                        summary { "Log" span.hidden { " of step " (row.number) } }
                        @if lines.is_empty() { p.soft { "No lines yet." } }
                        @else { pre { @for line in tail { (line.text) "\n" } } }
                    }
                    p { a href={ (paths::workspace_job(row.job_id)) "/steps/" (row.id) "/log" } { "Whole log as text" span.hidden { " of step " (row.number) } } }
                }
            }
        }
    }
}

/// The steps of a job, in order.
pub(super) async fn steps(app: &App, job: &workspace_job::Model) -> Result<Markup> {
    let rows = store::workspace::steps_without_plans(&app.db, job.id).await?;
    let ids: Vec<RunId> = rows.iter().filter_map(|row| row.run_id).collect();
    let runs = store::run::list_by_ids(&app.db, ids).await?;
    let runs: HashMap<_, _> = runs.into_iter().map(|run| (run.id, run)).collect();
    let mut plans = HashMap::<WorkspaceStepId, ShownPlan>::new();
    for plan in store::workspace::shown_plans(&app.db, job.id).await? {
        plans.insert(plan.step_id, opened_plan::open(app, &plan)?);
    }
    let mut views = Vec::with_capacity(rows.len());
    for row in rows {
        let plan = plans.remove(&row.id);
        views.push(StepView::read(app, row, &runs, plan).await?);
    }
    let now = app.clock.now();
    Ok(html! {
        div #job-steps {
            @if views.is_empty() { p.soft { "The job has no steps." } }
            @for view in &views { (view.show(now)) }
        }
    })
}

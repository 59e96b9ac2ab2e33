//! The passes that start deployments, one at a time in an environment and stage by stage, and end those whose parts
//! have ended.

use chrono::{DateTime, Utc};
use entity::cluster::ClusterKind;
use entity::deployment::{Action, Progress, Scope};
use entity::job_spec::{JobSpec, Schedule};
use entity::run::{Event, RunState, Trigger};
use entity::run_spec::BuiltImage;
use entity::webhook::WebhookEvent;
use entity::{deployment, deployment_job, job, run};
use sea_orm::DatabaseTransaction;

use super::BATCH;
use super::job::kept_variables;
use super::schedules::settle;
use crate::app::App;
use crate::engine::announce;
use crate::engine::cron::keeper::{Keeper, keeper};
use crate::engine::cron::policy::Timing;
use crate::engine::deployment::{Deployed, NextStage, build_spec, needs_build, next_stage, plan, run_spec};
use crate::error::{Error, Result};
use crate::store;

pub(super) async fn start(app: &App, now: DateTime<Utc>) -> Result<bool> {
    let due = store::deployment::due(&app.db, BATCH).await?;
    let more = due.len() as u64 == BATCH;
    for row in due {
        store::write(&app.db, async |tx| {
            // Another server may have started one of this environment since `due` was read.
            store::environment::lock(tx, row.environment_id).await?;
            if !store::deployment::is_due(tx, row.id).await?
                || !store::deployment::advance(tx, row.id, Progress::Queued, Progress::Running, now).await?
            {
                return Ok::<_, Error>(());
            }
            announce::webhooks(tx, &row, WebhookEvent::DeploymentStarted, now).await?;
            walk(app, tx, &row, now).await
        })
        .await?;
    }
    Ok(more)
}

pub(super) async fn finish(app: &App, now: DateTime<Utc>) -> Result<bool> {
    let ready = store::deployment::list_ready(&app.db, BATCH).await?;
    let more = ready.len() as u64 == BATCH;
    for row in ready {
        store::write(&app.db, async |tx| {
            // Another server may be at it, or somebody may have cancelled it since it was read.
            store::environment::lock(tx, row.environment_id).await?;
            let row = store::row::by_id::<deployment::Model>(tx, row.id).await?;
            let Some(row) = row.filter(|row| row.progress == Progress::Running) else { return Ok::<_, Error>(()) };
            for part in store::deployment::list_parts(tx, row.id).await? {
                if part.progress == Progress::Running {
                    finish_part(app, tx, &row, &part, now).await?;
                }
            }
            walk(app, tx, &row, now).await
        })
        .await?;
    }
    Ok(more)
}

/// Begins the next stage, or ends the deployment when nothing follows.
async fn walk(app: &App, tx: &DatabaseTransaction, row: &deployment::Model, now: DateTime<Utc>) -> Result<()> {
    loop {
        let parts = store::deployment::list_parts(tx, row.id).await?;
        let states: Vec<_> = parts.iter().map(|part| (part.stage_position, part.progress)).collect();
        let next = match next_stage(&states) {
            NextStage::Begin(_) if row.cancel_requested_at.is_some() => NextStage::GiveUp,
            next => next,
        };
        match next {
            NextStage::Wait => return Ok(()),
            NextStage::Done => return end(tx, row, &parts, now).await,
            NextStage::GiveUp => {
                for part in parts.iter().filter(|part| part.progress == Progress::Queued) {
                    store::deployment::advance_part(tx, part, Progress::Cancelled, None, now).await?;
                }
            }
            NextStage::Begin(stage) => {
                let of_stage =
                    |part: &&deployment_job::Model| part.stage_position == stage && part.progress == Progress::Queued;
                for part in parts.iter().filter(of_stage) {
                    start_part(app, tx, row, part, now).await?;
                }
                return Ok(());
            }
        }
    }
}

#[tracing::instrument(name = "begin a part of a deployment", skip_all, fields(deployment = %of.id, job = %part.job_id))]
async fn start_part(
    app: &App,
    tx: &DatabaseTransaction,
    of: &deployment::Model,
    part: &deployment_job::Model,
    now: DateTime<Utc>,
) -> Result<()> {
    let Some(job) = store::job::by_id(tx, part.job_id).await? else { return Ok(()) };
    // What is taken away is what is deployed, not what was written since.
    let spec = match (of.action, &job.deployed) {
        (Action::Stop | Action::Delete | Action::Uninstall, Some(deployed)) => deployed,
        _ => &job.spec,
    };
    store::deployment::set_spec(tx, part, spec).await?;
    let plan = plan(of.action, part.forced_event, &spec.schedule);
    if needs_build(plan, spec, &job) {
        let build = build_spec(spec, &job, part.commit_id.clone());
        let run = of_deployment(of, part, run::Model::queued(job.id, Event::Build, build, now));
        let id = run.id;
        store::run::create(tx, vec![run]).await?;
        store::deployment::set_build(tx, part, id).await?;
        store::deployment::advance_part(tx, part, Progress::Running, None, now).await?;
        return Ok(());
    }
    let built = job.built.clone();
    match carry_out(app, tx, of, part, (&job, spec, built.as_ref()), now).await? {
        Carried::Impossible => store::deployment::advance_part(tx, part, Progress::Failed, None, now).await?,
        Carried::Done(run) => store::deployment::advance_part(tx, part, Progress::Running, run, now).await?,
    };
    Ok(())
}

fn of_deployment(of: &deployment::Model, part: &deployment_job::Model, run: entity::run::Model) -> entity::run::Model {
    let trigger = if part.forced_event.is_some() { Trigger::Force } else { Trigger::Deployment };
    entity::run::Model { trigger, deployment_id: Some(of.id), ..run }
}

/// What came of carrying a part out.
enum Carried {
    /// With the run that the part waits for.
    Done(Option<entity::id::RunId>),
    /// The job has no such event.
    Impossible,
}

/// Deploys or takes away what is to be, and stores the run that the part waits for.
async fn carry_out(
    app: &App,
    tx: &DatabaseTransaction,
    of: &deployment::Model,
    part: &deployment_job::Model,
    (job, spec, built): (&job::Model, &JobSpec, Option<&BuiltImage>),
    now: DateTime<Utc>,
) -> Result<Carried> {
    let plan = plan(of.action, part.forced_event, &spec.schedule);
    set_deployed(app, tx, of, (job, spec, plan.deployed), now).await?;
    let event = match plan.run {
        Some(event) => event,
        None if applies(tx, job, spec).await? => Event::Apply,
        None => return Ok(Carried::Done(None)),
    };
    let command = if event == Event::Apply { Event::Cron } else { event };
    let Some(spec) = run_spec(spec, built, command) else { return Ok(Carried::Impossible) };
    let run = of_deployment(of, part, run::Model::queued(job.id, event, spec, now));
    let id = run.id;
    store::run::create(tx, vec![run]).await?;
    Ok(Carried::Done(Some(id)))
}

/// Whether the cluster of a CRON job is to be told of its schedule, or that there is none any more.
async fn applies(tx: &DatabaseTransaction, job: &job::Model, spec: &JobSpec) -> Result<bool> {
    if !matches!(spec.schedule, Schedule::Cron { .. }) {
        return Ok(false);
    }
    let cluster = store::cluster_objects::cluster_of_job(tx, job.id).await?;
    let Some((_, ClusterKind::Kubernetes)) = cluster else { return Ok(false) };
    // Read again: what is deployed has just changed.
    let Some(job) = store::job::by_id(tx, job.id).await? else { return Ok(false) };
    let deployed = job.deployed.as_ref().and_then(|spec| keeper(ClusterKind::Kubernetes, spec));
    Ok(deployed == Some(Keeper::Kubernetes) || job.applied.is_some())
}

async fn set_deployed(
    app: &App,
    tx: &DatabaseTransaction,
    of: &deployment::Model,
    (job, spec, deployed): (&job::Model, &JobSpec, Deployed),
    now: DateTime<Utc>,
) -> Result<()> {
    if deployed == Deployed::Kept {
        return Ok(());
    }
    // The times that have come are those of what was deployed until now.
    settle(tx, job.id, now).await?;
    if deployed == Deployed::Replaced {
        let cluster = store::cluster_objects::cluster_of_job(tx, job.id).await?;
        let kept = cluster.and_then(|(_, kind)| keeper(kind, spec)) != Some(Keeper::Kubernetes);
        let timing = Timing::of(job.id, spec).ok().flatten().filter(|_| kept);
        let next = timing.and_then(|timing| timing.next(now));
        store::job::set_deployed(tx, job.id, Some(spec.clone()), next, now).await?;
        kept_variables::keep(app, tx, job, now).await?;
    } else {
        store::job::set_deployed(tx, job.id, None, None, now).await?;
        store::run::cancel::request_cancel_of_job(tx, job.id, of.id, now).await?;
    }
    Ok(())
}

/// Goes on with the part of a job when its run has ended; a job that is taken away must have no other run left.
async fn finish_part(
    app: &App,
    tx: &DatabaseTransaction,
    of: &deployment::Model,
    part: &deployment_job::Model,
    now: DateTime<Utc>,
) -> Result<()> {
    let waits_for = part.run_id.or(part.build_run_id);
    let run = match waits_for {
        Some(id) => store::run::by_id(tx, id).await?,
        None => None,
    };
    let reached = match run.as_ref().map(|run| run.state) {
        None | Some(RunState::Succeeded) => Progress::Succeeded,
        Some(RunState::Cancelled) if of.cancel_requested_at.is_some() => Progress::Cancelled,
        Some(RunState::Failed | RunState::Cancelled) => Progress::Failed,
        Some(RunState::Queued | RunState::Running) => return Ok(()),
    };
    let is_build = part.run_id.is_none() && part.build_run_id.is_some();
    if is_build && reached == Progress::Succeeded {
        return follow_build(app, tx, of, (part, run), now).await;
    }
    let takes_away = part.forced_event.is_none() && of.action != Action::Deploy;
    if takes_away && store::run::count_open_by_job(tx, part.job_id).await? > 0 {
        return Ok(());
    }
    store::deployment::advance_part(tx, part, reached, part.run_id, now).await?;
    Ok(())
}

/// The image is there: deploys what it was built for.
async fn follow_build(
    app: &App,
    tx: &DatabaseTransaction,
    of: &deployment::Model,
    (part, build): (&deployment_job::Model, Option<entity::run::Model>),
    now: DateTime<Utc>,
) -> Result<()> {
    let job = store::job::by_id(tx, part.job_id).await?;
    let built = build.and_then(|run| run.built);
    let (Some(job), Some(spec), Some(built)) = (job, &part.spec, built) else {
        store::deployment::advance_part(tx, part, Progress::Failed, None, now).await?;
        return Ok(());
    };
    if of.cancel_requested_at.is_some() {
        store::deployment::advance_part(tx, part, Progress::Cancelled, None, now).await?;
        return Ok(());
    }
    store::job::set_built(tx, job.id, Some(built.clone())).await?;
    let (to, run) = match carry_out(app, tx, of, part, (&job, spec, Some(&built)), now).await? {
        Carried::Impossible => (Progress::Failed, None),
        Carried::Done(None) => (Progress::Succeeded, None),
        Carried::Done(run) => (Progress::Running, run),
    };
    store::deployment::advance_part(tx, part, to, run, now).await?;
    Ok(())
}

/// Ends a deployment, and deletes what it was to delete.
async fn end(
    tx: &DatabaseTransaction,
    row: &deployment::Model,
    parts: &[deployment_job::Model],
    now: DateTime<Utc>,
) -> Result<()> {
    let any = |wanted: Progress| parts.iter().any(|part| part.progress == wanted);
    let reached = match row.cancel_requested_at {
        _ if any(Progress::Failed) => Progress::Failed,
        Some(_) if any(Progress::Cancelled) => Progress::Cancelled,
        _ => Progress::Succeeded,
    };
    if !store::deployment::advance(tx, row.id, Progress::Running, reached, now).await? {
        return Ok(());
    }
    announce::end(tx, row, reached, now).await?;
    if row.action != Action::Delete {
        return Ok(());
    }
    for part in parts.iter().filter(|part| part.progress == Progress::Succeeded && part.forced_event.is_none()) {
        store::job::delete(tx, part.job_id).await?;
    }
    if row.scope == Scope::Environment && reached == Progress::Succeeded {
        if let Some(environment) = store::environment::by_id(tx, row.environment_id).await? {
            store::cluster_objects::record_leftover(tx, &environment, now).await?;
        }
        store::environment::delete(tx, row.environment_id).await?;
    }
    Ok(())
}

//! One job in a deployment: builds its image if needed, then deploys or removes it, and ends its part with the run it waits for.

use chrono::{DateTime, Utc};
use entity::deployment::{Action, Progress};
use entity::job_spec::JobSpec;
use entity::run::{Event, RunState};
use entity::run_spec::BuiltImage;
use entity::{deployment, deployment_job, job, run};
use sea_orm::DatabaseTransaction;

use super::carry_out::{Carried, carry_out, of_deployment};
use crate::app::App;
use crate::engine::deployment::{Past, Plan, build_spec, needs_build, plan};
use crate::error::Result;
use crate::store;

/// Starts the part of a job. Returns true if there is more to do at once: a run to start, or a part without a run to end.
#[tracing::instrument(name = "deployment.start_part", skip_all, fields(deployment = %of.id, job = %part.job_id))]
pub(super) async fn start_part(
    app: &App,
    tx: &DatabaseTransaction,
    of: &deployment::Model,
    part: &deployment_job::Model,
    now: DateTime<Utc>,
) -> Result<bool> {
    let Some(job) = store::job::by_id(tx, part.job_id).await? else { return Ok(false) };
    // A removal applies to the deployed configuration, not to a later edit.
    let spec = match (of.action, &job.deployed) {
        (Action::Stop | Action::Delete | Action::Uninstall, Some(deployed)) => deployed,
        _ => &job.spec,
    };
    store::deployment::set_spec(tx, part, spec).await?;
    let plan = plan_of(tx, of, part, (&job, spec)).await?;
    if needs_build(plan, spec, &job) {
        let build = build_spec(spec, &job, part.commit_id.clone());
        let run = of_deployment(of, part, run::Model::queued(job.id, Event::Build, build, now));
        let id = run.id;
        store::run::create(tx, vec![run]).await?;
        store::deployment::set_build(tx, part, id).await?;
        store::deployment::advance_part(tx, part, Progress::Running, None, now).await?;
        return Ok(true);
    }
    if plan.run.is_some() && removes(of, part) && !of.rows_only && has_open_runs(tx, part).await? {
        // The command of a removal is the last one: it undoes what the other runs did.
        store::run::cancel::request_cancel_of_job(tx, job.id, of.id, now).await?;
        store::deployment::advance_part(tx, part, Progress::Running, None, now).await?;
        return Ok(true);
    }
    let built = job.built.clone();
    match carry_out(app, tx, of, part, (&job, spec, built.as_ref()), plan, now).await? {
        Carried::Impossible => {
            store::deployment::advance_part(tx, part, Progress::Failed, None, now).await?;
        }
        Carried::Done(run) => {
            store::deployment::advance_part(tx, part, Progress::Running, run, now).await?;
        }
    }
    Ok(true)
}

/// The effects of a deployment on a job with this configuration.
async fn plan_of(
    tx: &DatabaseTransaction,
    of: &deployment::Model,
    part: &deployment_job::Model,
    (job, spec): (&job::Model, &JobSpec),
) -> Result<Plan> {
    let past = Past {
        deployed: job.deployed.is_some() || store::deployment::was_started(tx, job.id, of.id).await?,
        built: job.built.is_some() || !spec.source.is_built(),
    };
    Ok(plan(of.action, part.forced_event, &spec.schedule, past))
}

/// Whether a part stops, uninstalls or deletes its job.
fn removes(of: &deployment::Model, part: &deployment_job::Model) -> bool {
    part.forced_event.is_none() && of.action != Action::Deploy
}

async fn has_open_runs(tx: &DatabaseTransaction, part: &deployment_job::Model) -> Result<bool> {
    Ok(store::run::count_open_by_job(tx, part.job_id).await? > 0)
}

/// Continues the part of a job once its run has ended; a job that is removed must have no other open run. Returns true if a
/// run was queued.
pub(super) async fn finish_part(
    app: &App,
    tx: &DatabaseTransaction,
    of: &deployment::Model,
    part: &deployment_job::Model,
    now: DateTime<Utc>,
) -> Result<bool> {
    let waits_for = part.run_id.or(part.build_run_id);
    let run = match waits_for {
        Some(id) => store::run::by_id(tx, id).await?,
        None => None,
    };
    let reached = match run.as_ref().map(|run| run.state) {
        None | Some(RunState::Succeeded) => Progress::Succeeded,
        Some(RunState::Cancelled) if of.cancel_requested_at.is_some() => Progress::Cancelled,
        Some(RunState::Failed | RunState::Cancelled) => Progress::Failed,
        Some(RunState::Queued | RunState::Running) => return Ok(false),
    };
    let is_build = part.run_id.is_none() && part.build_run_id.is_some();
    if is_build && reached == Progress::Succeeded {
        return follow_build(app, tx, of, (part, run), now).await;
    }
    if removes(of, part) {
        if has_open_runs(tx, part).await? {
            return Ok(false);
        }
        if waits_for.is_none()
            && let Some(queued) = follow_other_runs(app, tx, of, part, now).await?
        {
            return Ok(queued);
        }
    }
    store::deployment::advance_part(tx, part, reached, part.run_id, now).await?;
    Ok(false)
}

/// Deploys the job whose image was built.
async fn follow_build(
    app: &App,
    tx: &DatabaseTransaction,
    of: &deployment::Model,
    (part, build): (&deployment_job::Model, Option<entity::run::Model>),
    now: DateTime<Utc>,
) -> Result<bool> {
    let job = store::job::by_id(tx, part.job_id).await?;
    let built = build.and_then(|run| run.built);
    let (Some(job), Some(spec), Some(built)) = (job, &part.spec, built) else {
        store::deployment::advance_part(tx, part, Progress::Failed, None, now).await?;
        return Ok(false);
    };
    if of.cancel_requested_at.is_some() {
        store::deployment::advance_part(tx, part, Progress::Cancelled, None, now).await?;
        return Ok(false);
    }
    store::job::set_built(tx, job.id, Some(built.clone())).await?;
    let plan = plan_of(tx, of, part, (&job, spec)).await?;
    follow(app, tx, of, part, (&job, spec, Some(&built)), plan, now).await
}

/// Removes the job whose other runs have ended, if its command waited for them; none if the part has no command, or ran it.
async fn follow_other_runs(
    app: &App,
    tx: &DatabaseTransaction,
    of: &deployment::Model,
    part: &deployment_job::Model,
    now: DateTime<Utc>,
) -> Result<Option<bool>> {
    let job = store::job::by_id(tx, part.job_id).await?;
    let (Some(job), Some(spec)) = (job, &part.spec) else { return Ok(None) };
    let plan = plan_of(tx, of, part, (&job, spec)).await?;
    if plan.run.is_none() || of.rows_only {
        return Ok(None);
    }
    if of.cancel_requested_at.is_some() {
        store::deployment::advance_part(tx, part, Progress::Cancelled, None, now).await?;
        return Ok(Some(false));
    }
    follow(app, tx, of, part, (&job, spec, job.built.as_ref()), plan, now).await.map(Some)
}

/// Carries out a part that waited. Returns true if a run was queued.
async fn follow(
    app: &App,
    tx: &DatabaseTransaction,
    of: &deployment::Model,
    part: &deployment_job::Model,
    what: (&job::Model, &JobSpec, Option<&BuiltImage>),
    plan: Plan,
    now: DateTime<Utc>,
) -> Result<bool> {
    let (to, run) = match carry_out(app, tx, of, part, what, plan, now).await? {
        Carried::Impossible => (Progress::Failed, None),
        Carried::Done(None) => (Progress::Succeeded, None),
        Carried::Done(run) => (Progress::Running, run),
    };
    store::deployment::advance_part(tx, part, to, run, now).await?;
    Ok(run.is_some())
}

//! Deploys or removes a job, and queues the run that its part of the deployment waits for.

use chrono::{DateTime, Utc};
use entity::cluster::ClusterKind;
use entity::job_spec::{JobSpec, Schedule};
use entity::run::{Event, Trigger};
use entity::run_spec::BuiltImage;
use entity::{deployment, deployment_job, job, run};
use sea_orm::DatabaseTransaction;

use crate::app::App;
use crate::engine::cron::Timing;
use crate::engine::deployment::{Deployed, Plan, run_spec};
use crate::engine::tick::job::variable_snapshot;
use crate::engine::tick::schedules::settle;
use crate::engine::tick::takeover::belongs_to_kubernetes;
use crate::error::Result;
use crate::store;

/// The result of carrying out a part.
pub(super) enum Carried {
    /// The run that the part waits for, if any.
    Done(Option<entity::id::RunId>),
    /// The job has no command for this event.
    Impossible,
}

/// A run that belongs to a deployment.
pub(super) fn of_deployment(
    of: &deployment::Model,
    part: &deployment_job::Model,
    run: entity::run::Model,
) -> entity::run::Model {
    let trigger = if part.forced_event.is_some() { Trigger::Force } else { Trigger::Deployment };
    entity::run::Model { trigger, deployment_id: Some(of.id), ..run }
}

/// Deploys or removes the job, and queues the run that the part waits for.
pub(super) async fn carry_out(
    app: &App,
    tx: &DatabaseTransaction,
    of: &deployment::Model,
    part: &deployment_job::Model,
    (job, spec, built): (&job::Model, &JobSpec, Option<&BuiltImage>),
    plan: Plan,
    now: DateTime<Utc>,
) -> Result<Carried> {
    set_deployed(app, tx, of, (job, spec, plan), now).await?;
    let event = match plan.run {
        _ if of.rows_only => return Ok(Carried::Done(None)),
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

/// Whether the CronJob of a CRON job has to be applied to its cluster, or removed from it.
async fn applies(tx: &DatabaseTransaction, job: &job::Model, spec: &JobSpec) -> Result<bool> {
    if !matches!(spec.schedule, Schedule::Cron { .. }) {
        return Ok(false);
    }
    let cluster = store::cluster_objects::cluster_of_job(tx, job.id).await?;
    let Some((_, ClusterKind::Kubernetes)) = cluster else { return Ok(false) };
    // Read again: the deployed configuration has just changed.
    let Some(job) = store::job::by_id(tx, job.id).await? else { return Ok(false) };
    let deployed = job.deployed.as_ref();
    Ok(job.applied.is_some() || belongs_to_kubernetes(tx, job.id, ClusterKind::Kubernetes, deployed).await?)
}

/// Replaces or removes the deployed configuration.
async fn set_deployed(
    app: &App,
    tx: &DatabaseTransaction,
    of: &deployment::Model,
    (job, spec, plan): (&job::Model, &JobSpec, Plan),
    now: DateTime<Utc>,
) -> Result<()> {
    if plan.deployed == Deployed::Kept {
        return Ok(());
    }
    // Times that are already due belong to the configuration that is being replaced or removed.
    settle(app, tx, job.id, now).await?;
    if plan.deployed == Deployed::Replaced {
        let by_kubernetes = match store::cluster_objects::cluster_of_job(tx, job.id).await? {
            Some((_, kind)) => belongs_to_kubernetes(tx, job.id, kind, Some(spec)).await?,
            None => false,
        };
        // A CronJob is removed first; the end of that run sets the next time.
        let by_server = job.applied.is_none() && !by_kubernetes;
        let timing = Timing::of(job.id, spec).ok().flatten().filter(|_| by_server);
        let next = timing.and_then(|timing| timing.next(now));
        store::job::set_deployed(tx, job.id, Some(spec.clone()), next, now).await?;
        variable_snapshot::store_snapshot(app, tx, job, now).await?;
    } else {
        // The command of a removal gets the variables that were deployed with it; that of a job that is not deployed is the
        // current one, and gets the current ones.
        if job.deployed.is_none() && plan.run.is_some() {
            variable_snapshot::store_snapshot(app, tx, job, now).await?;
        }
        store::job::set_deployed(tx, job.id, None, None, now).await?;
        store::run::cancel::request_cancel_of_job(tx, job.id, of.id, now).await?;
    }
    Ok(())
}

//! The passes about clusters of Kubernetes: connections, the runs that their CronJobs have started, and what there is not
//! as it was applied.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use entity::id::ClusterId;
use entity::job::Applied;
use entity::run::{self, Event, RunState, RunnerKind, Trigger};
use entity::{cluster, job};

use super::log::sealed;
use super::runs::lease;
use super::schedules::new_run;
use super::step::masks;
use crate::app::App;
use crate::engine::deployment::run_spec;
use crate::error::Result;
use crate::runner::kubernetes::clusters::{Wanted, place};
use crate::runner::kubernetes::{Health, IN_CLUSTER, KubernetesRunner, ScheduledJob};
use crate::secret;
use crate::store;

/// How many Jobs are recorded in one transaction.
const BATCH: usize = 500;
/// How long after its deployment a difference may be a watch that is behind.
const FRESH: TimeDelta = TimeDelta::seconds(20);

/// Connects to the clusters that there are, and lets go of those that are gone.
///
/// # Errors
/// The database's.
pub(in crate::engine) async fn connect(app: &App) -> Result<()> {
    let rows = store::cluster_objects::clusters(&app.db).await?;
    if rows.is_empty() && app.runners.clusters.is_empty() {
        return Ok(());
    }
    let wanted = rows.iter().map(|row| Wanted { id: row.id, kubeconfig: kubeconfig(app, row) }).collect();
    let patience = Duration::from_secs(app.config.start_timeout_seconds.into());
    app.runners.clusters.set(wanted, patience, &app.clock, &app.wake).await;
    Ok(())
}

fn kubeconfig(app: &App, row: &cluster::Model) -> std::result::Result<String, String> {
    let sealed = row.kubeconfig.as_ref().ok_or("the cluster has no kubeconfig yet")?;
    let opened = app.keys.open_text(&secret::place("cluster", row.id.0), sealed);
    let text = opened.map_err(|_| "the kubeconfig of the cluster cannot be opened with the keys of this server")?;
    let text = text.expose().clone();
    if text.trim() == IN_CLUSTER && !app.config.in_cluster {
        return Err("this server was not started with --in-cluster".into());
    }
    Ok(text)
}

/// Records the runs that CronJobs have started: each once, whoever sees it first.
pub(super) async fn record(app: &App, now: DateTime<Utc>) -> Result<bool> {
    let mut more = false;
    for (id, runner) in app.runners.clusters.all() {
        let mut found = runner.scheduled();
        more |= found.len() > BATCH;
        found.truncate(BATCH);
        if !found.is_empty() {
            record_of(app, id, &found, now).await?;
            runner.note_recorded(found.into_iter().map(|job| job.uid));
            app.wake.here();
        }
    }
    Ok(more)
}

async fn record_of(app: &App, id: ClusterId, found: &[ScheduledJob], now: DateTime<Utc>) -> Result<()> {
    let ids = found.iter().map(|job| job.job).collect();
    // A cluster can only have started what is on it: whatever else its labels say is not believed.
    let jobs = store::cluster_objects::jobs_on(&app.db, id, ids).await?;
    let mut rows = Vec::with_capacity(found.len());
    for started in found {
        if let Some(job) = jobs.iter().find(|job| job.id == started.job) {
            rows.extend(row_of(app, id, started, job, now).await?);
        }
    }
    let stored =
        store::write(&app.db, async |tx| store::run::create(tx, rows).await.map_err(crate::error::Error::from)).await?;
    if stored > 0 {
        for started in found {
            app.metrics.time_recorded(now - started.scheduled_for);
        }
    }
    Ok(())
}

async fn row_of(
    app: &App,
    id: ClusterId,
    started: &ScheduledJob,
    job: &job::Model,
    now: DateTime<Utc>,
) -> Result<Option<run::Model>> {
    let spec = job.deployed.as_ref().unwrap_or(&job.spec);
    let Some(spec) = run_spec(spec, job.built.as_ref(), Event::Cron) else { return Ok(None) };
    let lease = lease(app, now);
    let row = run::Model {
        state: RunState::Running,
        trigger: Trigger::Schedule,
        scheduled_for: Some(started.scheduled_for),
        runner: Some(RunnerKind::Kubernetes),
        place: Some(place(id)),
        step: Some(started.handle.clone()),
        lease_owner: Some(lease.owner),
        lease_until: Some(lease.until),
        ..new_run(job.id, Event::Cron, spec, now)
    };
    let patterns = masks(app, &row, job).await?;
    let masks = sealed(app, &row, &patterns)?;
    Ok(Some(run::Model { masks, ..row }))
}

/// How a schedule was given to its cluster, from the step that did.
pub(super) fn applied(step: &str, content: &[u8]) -> Option<Applied> {
    let (namespace, rest) = step.split_once('/')?;
    let (name, _) = rest.split_once('=')?;
    let crate::runner::kubernetes::Applied { uid, generation, secret } = serde_json::from_slice(content).ok()?;
    Some(Applied { namespace: namespace.to_owned(), name: name.to_owned(), uid, generation, secret })
}

/// Looks for what somebody else has changed, and deletes what is left of deleted environments.
///
/// # Errors
/// The database's.
pub(in crate::engine) async fn look(app: &App, now: DateTime<Utc>) -> Result<()> {
    for (id, runner) in app.runners.clusters.all() {
        if !matches!(runner.health(), Health::Ready(_)) {
            continue;
        }
        look_for_drift(app, id, &runner, now).await?;
        for row in store::cluster_objects::leftovers(&app.db, id).await? {
            match runner.delete_namespace(&row.namespace, &row.environment_id.to_string()).await {
                Ok(true) => store::cluster_objects::gone(&app.db, id, &row.namespace).await?,
                Ok(false) => {}
                Err(unavailable) => {
                    tracing::warn!(cluster = %id, namespace = row.namespace, reason = unavailable.0, "a namespace could not be deleted");
                }
            }
        }
    }
    Ok(())
}

async fn look_for_drift(app: &App, id: ClusterId, runner: &KubernetesRunner, now: DateTime<Utc>) -> Result<()> {
    let mut after = None;
    loop {
        let rows = store::cluster_objects::applied(&app.db, id, after).await?;
        let Some(last) = rows.last() else { return Ok(()) };
        after = Some(last.id);
        for row in rows.iter().filter(|row| row.deployed_at.is_some_and(|at| at + FRESH <= now)) {
            let Some(applied) = &row.applied else { continue };
            let there = runner.applied(&applied.namespace, &applied.name);
            let same = there.is_some_and(|there| {
                there.uid == applied.uid && there.generation == applied.generation && there.secret == applied.secret
            });
            match (same, row.drifted_at) {
                (false, None) => store::cluster_objects::set_drifted(&app.db, row, Some(now)).await?,
                (true, Some(_)) => store::cluster_objects::set_drifted(&app.db, row, None).await?,
                (true, None) | (false, Some(_)) => {}
            }
        }
    }
}

//! The loop that detects CronJobs that were changed manually, and deletes leftover namespaces of deleted environments.

use chrono::{DateTime, TimeDelta, Utc};
use entity::id::ClusterId;

use crate::app::App;
use crate::engine::tick::pass::{Wish, report, succeeded};
use crate::error::{Error, Result};
use crate::liveness::passes::Pass;
use crate::runner::kubernetes::{Health, KubernetesRunner};
use crate::store;

const PASS: Pass = Pass::Drift;

/// How long after a deployment a difference is ignored, because the watch may lag behind.
const FRESH: TimeDelta = TimeDelta::seconds(20);

/// Marks jobs whose CronJob or Secret was changed manually, and deletes the namespaces of deleted environments.
/// A cluster that fails does not affect the others.
pub(in crate::engine) async fn run_once(app: &App, now: DateTime<Utc>) {
    for (id, runner) in app.runners.clusters.all() {
        if !matches!(runner.health(), Health::Ready(_)) {
            continue;
        }
        match look_at(app, id, &runner, now).await {
            Ok(()) => succeeded(app, PASS, id),
            Err(error) => {
                report(app, (PASS, "cluster"), id, &error, Wish::Process, now);
            }
        }
    }
}

async fn look_at(app: &App, id: ClusterId, runner: &KubernetesRunner, now: DateTime<Utc>) -> Result<()> {
    look_for_drift(app, id, runner, now).await?;
    for row in store::cluster_objects::leftovers(&app.db, id).await? {
        match runner.delete_namespace(&row.namespace, &row.environment_id.to_string()).await {
            Ok(true) => {
                let forgotten = store::write(&app.db, async |tx| {
                    store::cluster_objects::forget_leftover(tx, id, &row.namespace).await.map_err(Error::from)
                });
                match forgotten.await {
                    Ok(()) => succeeded(app, PASS, &row.namespace),
                    Err(error) => {
                        report(app, (PASS, "namespace"), &row.namespace, &error, Wish::Process, now);
                    }
                }
            }
            Ok(false) => {}
            Err(unavailable) => {
                let (namespace, reason) = (row.namespace, unavailable.0);
                tracing::warn!(cluster = %id, namespace, reason, "namespace could not be deleted; will retry");
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
            let drifted_at = match (same, row.drifted_at) {
                (false, None) => Some(now),
                (true, Some(_)) => None,
                (true, None) | (false, Some(_)) => continue,
            };
            let set = store::write(&app.db, async |tx| {
                store::cluster_objects::set_drifted(tx, row, drifted_at).await.map_err(Error::from)
            });
            match set.await {
                Ok(()) => succeeded(app, PASS, row.id),
                Err(error) => {
                    report(app, (PASS, "job"), row.id, &error, Wish::Process, now);
                }
            }
        }
    }
}

//! Copies environments.

use std::collections::HashMap;

use entity::id::{StageId, VariableId};
use entity::{cluster, deployment_rule, environment, job, stage, stage_job, variable};
use sea_orm::DatabaseTransaction;

use super::copy_job::{copy_job, copy_variables};
use super::definition::{check_image, check_limits};
use super::faults::Faults;
use crate::app::App;
use crate::error::{Error, Result};
use crate::store;
use crate::store::variable::Owner;

/// What somebody reads who gives an environment the name of another one.
pub const TAKEN: &str = "this project already has an environment with this name";

/// Whether the copy of an environment has its deployment rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuleOfCopy {
    None,
    Same,
}

/// Maximum jobs cloned with their environment.
const MOST_JOBS: usize = 2000;

/// Stores a copy of an environment on a cluster: its stages, jobs, variables and secrets and, if requested, its deployment rule.
///
/// # Errors
/// `Invalid` if a job cannot run on the cluster; `Conflict` if the name is taken, or if there are too many jobs; database errors.
pub(super) async fn copy_environment(
    app: &App,
    tx: &DatabaseTransaction,
    source: &environment::Model,
    (copy, cluster): (&environment::Model, &cluster::Model),
    rule: RuleOfCopy,
) -> Result<()> {
    let now = copy.created_at;
    let mut faults = Faults::default();
    store::environment::create(tx, copy.clone()).await.map_err(|e| Error::or_taken(e, TAKEN))?;
    let mut stages = HashMap::new();
    for row in store::stage::list(tx, source.id).await? {
        let id = StageId::create();
        stages.insert(row.id, id);
        let row = stage::Model { id, environment_id: copy.id, created_at: now, updated_at: now, ..row };
        store::row::create(tx, row).await?;
    }
    let places = store::stage::places(tx, source.id).await?;
    let mut renamed = Vec::new();
    let mut after = None;
    loop {
        let page = store::job::list_by_environment(tx, source.id, after, store::PAGE).await?;
        let Some(last) = page.last() else { break };
        after = Some((last.created_at, last.id));
        if renamed.len() + page.len() > MOST_JOBS {
            return Err(Error::Conflict(format!(
                "the environment has more than {MOST_JOBS} jobs; clone the jobs individually"
            )));
        }
        for job in page {
            if cluster.id != source.cluster_id {
                faults.note(fits(app, &job, cluster));
            }
            // A microsecond apart, so that the copies keep their order.
            let at = now + chrono::TimeDelta::microseconds(i64::try_from(renamed.len()).unwrap_or(0));
            let new = copy_job(tx, &job, copy, job.name.clone(), at).await?;
            renamed.push((job.id, new.id));
            if let Some(place) = places.get(&job.id)
                && let Some(stage_id) = stages.get(&place.stage_id)
            {
                let (stage_id, is_skipped) = (*stage_id, place.is_skipped);
                let place = stage_job::Model { job_id: new.id, stage_id, created_at: now, updated_at: now, is_skipped };
                store::stage::attach(tx, place).await?;
            }
        }
    }
    faults.result()?;
    let mut copies = HashMap::new();
    let rows = store::variable::list_below_environment(tx, source.id).await?;
    let outputs = keys_of_outputs(&rows);
    let (of_jobs, own): (Vec<_>, Vec<_>) =
        rows.into_iter().filter(|row| row.output_of.is_none()).partition(|row| row.job_id.is_some());
    copy_variables(app, tx, own, Owner::Environment(copy.id), (&mut copies, &outputs), &renamed, now).await?;
    for (old, new) in &renamed {
        let rows = of_jobs.iter().filter(|row| row.job_id == Some(*old)).cloned().collect();
        copy_variables(app, tx, rows, Owner::Job(*new), (&mut copies, &outputs), &renamed, now).await?;
    }
    if rule == RuleOfCopy::Same
        && let Some(row) = store::row::by_id::<deployment_rule::Model>(tx, source.id).await?
    {
        let row = deployment_rule::Model { environment_id: copy.id, created_at: now, updated_at: now, ..row };
        store::row::create(tx, row).await?;
    }
    Ok(())
}

/// Checks that a job can run on another cluster. The fields of an error are below the name of the job.
fn fits(app: &App, job: &job::Model, cluster: &cluster::Model) -> Result<()> {
    let mut faults = Faults::default();
    faults.note(check_image(app, &job.spec, cluster));
    faults.note(check_limits(&job.spec, cluster));
    faults.below(&format!("jobs.{}", job.name)).result()
}

/// The keys of the outputs of jobs, by the ids of their variables. Those are not copied: the copies produce their own. The alias that the
/// server gives an output counts as the output.
fn keys_of_outputs(rows: &[variable::Model]) -> HashMap<VariableId, String> {
    let outputs = rows.iter().filter(|row| row.output_of.is_some());
    outputs.map(|row| (row.id, row.target_key.as_ref().unwrap_or(&row.key).clone())).collect()
}

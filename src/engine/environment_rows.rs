//! Loads everything that an environment is made of.

use std::collections::HashMap;

use entity::id::{EnvironmentId, JobId};
use entity::{environment, job};
use sea_orm::ConnectionTrait;

use super::export::{Exported, ExportedJob};
use crate::error::{Error, Result};
use crate::store;

/// Maximum jobs that are exported or declared together.
pub const MOST_JOBS: usize = 2000;

/// The rows of an environment.
///
/// # Errors
/// `Conflict` if it has too many jobs; `NotFound` if its project is gone; database errors.
pub async fn load(db: &impl ConnectionTrait, environment: environment::Model) -> Result<Exported> {
    let id = environment.id;
    let project = store::project::by_id(db, environment.project_id).await?.ok_or(Error::NotFound("project"))?;
    let mut places = store::stage::places(db, id).await?;
    let mut restrictions: HashMap<JobId, Vec<_>> = HashMap::new();
    for row in store::restriction::list_below_environment(db, id).await? {
        restrictions.entry(row.job_id).or_default().push(row);
    }
    let mut jobs = Vec::new();
    let mut after = None;
    loop {
        let page = store::job::list_by_environment(db, id, after, store::PAGE).await?;
        let Some(last) = page.last() else { break };
        after = Some((last.created_at, last.id));
        if jobs.len() + page.len() > MOST_JOBS {
            return Err(Error::Conflict(format!(
                "the environment has more than {MOST_JOBS} jobs, the most that are exported"
            )));
        }
        jobs.extend(page.into_iter().map(|job| ExportedJob {
            place: places.remove(&job.id),
            restrictions: restrictions.remove(&job.id).unwrap_or_default(),
            job,
        }));
    }
    let mut variables = store::variable::list(db, project.id, None, None).await?;
    variables.extend(store::variable::list_below_environment(db, id).await?);
    let checks = checks(db, id).await?;
    let specs = jobs.iter().map(|of| &of.job.spec).chain(checks.iter().map(|row| &row.spec));
    let groups = specs.flat_map(|spec| spec.annotations_groups.iter().chain(&spec.labels_groups));
    let groups = store::group::by_ids(db, groups.copied().collect()).await?;
    Ok(Exported {
        cluster: store::environment::cluster_of(db, &environment).await?,
        stages: store::stage::list(db, id).await?,
        registries: store::registry::list_by_organization(db, project.organization_id).await?,
        project,
        environment,
        jobs,
        checks,
        variables,
        groups,
    })
}

/// The checks of an environment, by name.
async fn checks(db: &impl ConnectionTrait, id: EnvironmentId) -> Result<Vec<job::Model>> {
    let mut all: Vec<job::Model> = Vec::new();
    loop {
        let after = all.last().map(|row| row.name_key.clone());
        let page = store::job_check::list_by_environment(db, id, after.as_deref()).await?;
        if page.is_empty() {
            return Ok(all);
        }
        if all.len() + page.len() > MOST_JOBS {
            let text = format!("the environment has more than {MOST_JOBS} checks, the most that are exported");
            return Err(Error::Conflict(text));
        }
        all.extend(page.into_iter().map(|(job, _)| job));
    }
}

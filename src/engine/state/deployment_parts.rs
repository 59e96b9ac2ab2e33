//! The parts of deployments, with their jobs.

use std::collections::HashMap;

use entity::id::{DeploymentId, JobId};
use entity::{deployment, deployment_job, job};

use crate::app::App;
use crate::error::Result;
use crate::store;

/// The parts of deployments, with their jobs.
pub struct DeploymentParts {
    pub by_deployment: HashMap<DeploymentId, Vec<deployment_job::Model>>,
    pub jobs: HashMap<JobId, job::Model>,
}

impl DeploymentParts {
    /// Reads the parts of these deployments.
    ///
    /// # Errors
    /// Database errors.
    pub async fn read(app: &App, rows: &[deployment::Model]) -> Result<Self> {
        let parts = store::deployment::list_parts_of(&app.db, rows.iter().map(|row| row.id).collect()).await?;
        let ids: std::collections::HashSet<JobId> = parts.iter().map(|part| part.job_id).collect();
        let jobs = store::job::list_by_ids(&app.db, ids.into_iter().collect()).await?;
        let mut by_deployment: HashMap<_, Vec<_>> = HashMap::new();
        for part in parts {
            by_deployment.entry(part.deployment_id).or_default().push(part);
        }
        Ok(Self { by_deployment, jobs: jobs.into_iter().map(|job| (job.id, job)).collect() })
    }

    /// The parts of a deployment, with their jobs.
    pub fn of(&self, id: DeploymentId) -> impl Iterator<Item = (&deployment_job::Model, &job::Model)> {
        let parts = self.by_deployment.get(&id).map(Vec::as_slice).unwrap_or_default();
        parts.iter().filter_map(|part| Some((part, self.jobs.get(&part.job_id)?)))
    }

    /// The parts of a deployment, grouped by stage in the order of deployment.
    #[must_use]
    pub fn stages(&self, id: DeploymentId) -> Vec<(String, Vec<(&deployment_job::Model, &job::Model)>)> {
        let mut stages: Vec<(i32, String, Vec<_>)> = Vec::new();
        for (part, job) in self.of(id) {
            match stages.iter_mut().find(|(position, _, _)| *position == part.stage_position) {
                Some((_, _, parts)) => parts.push((part, job)),
                None => {
                    let name = part.stage_name.clone().unwrap_or_default();
                    stages.push((part.stage_position, name, vec![(part, job)]));
                }
            }
        }
        stages.into_iter().map(|(_, name, parts)| (name, parts)).collect()
    }
}

//! What alerts are about, and where it is.

use std::collections::HashMap;

use entity::alert;
use entity::alert_delivery::Item;
use entity::id::{ClusterId, EnvironmentId, JobId, OrganizationId, WorkspaceId};
use sea_orm::ConnectionTrait;
use uuid::Uuid;

use crate::engine::alert::Position;
use crate::error::Result;
use crate::store;

/// What an alert is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Subject {
    Job(EnvironmentId, JobId),
    Environment(EnvironmentId),
    /// A workspace, and its job that caused it.
    Workspace(WorkspaceId, i32),
    Cluster(ClusterId),
}

impl Subject {
    pub(super) fn id(self) -> Uuid {
        match self {
            Self::Job(_, job) => job.0,
            Self::Environment(environment) => environment.0,
            Self::Workspace(workspace, _) => workspace.0,
            Self::Cluster(cluster) => cluster.0,
        }
    }

    pub(super) fn of(row: &alert::Model) -> Option<Self> {
        let workspace = row.workspace_id.map(|id| (id, row.workspace_job_id));
        Self::known_by((row.environment_id, row.job_id), workspace, row.cluster_id)
    }

    pub(super) fn of_item(item: &Item) -> Option<Self> {
        let workspace = item.workspace_id.map(|id| (id, item.workspace_job_id));
        Self::known_by((item.environment_id, item.job_id), workspace, item.cluster_id)
    }

    fn known_by(
        place: (Option<EnvironmentId>, Option<JobId>),
        workspace: Option<(WorkspaceId, Option<i32>)>,
        cluster: Option<ClusterId>,
    ) -> Option<Self> {
        match (place, workspace, cluster) {
            ((Some(environment), Some(job)), ..) => Some(Self::Job(environment, job)),
            ((Some(environment), None), ..) => Some(Self::Environment(environment)),
            ((None, _), Some((workspace, job)), _) => Some(Self::Workspace(workspace, job.unwrap_or(0))),
            ((None, _), None, Some(cluster)) => Some(Self::Cluster(cluster)),
            ((None, _), None, None) => None,
        }
    }

    pub(super) fn environment(self) -> Option<EnvironmentId> {
        match self {
            Self::Job(environment, _) | Self::Environment(environment) => Some(environment),
            Self::Workspace(..) | Self::Cluster(_) => None,
        }
    }

    pub(super) fn job(self) -> Option<JobId> {
        if let Self::Job(_, job) = self { Some(job) } else { None }
    }

    pub(super) fn workspace(self) -> Option<(WorkspaceId, i32)> {
        if let Self::Workspace(workspace, job) = self { Some((workspace, job)) } else { None }
    }

    pub(super) fn cluster(self) -> Option<ClusterId> {
        if let Self::Cluster(cluster) = self { Some(cluster) } else { None }
    }
}

/// A subject that still exists.
#[derive(Clone, Debug)]
pub(super) struct Located {
    pub(super) organization: OrganizationId,
    pub(super) name: String,
    pub(super) position: Position,
}

/// Finds subjects; those that were deleted are absent.
pub(super) async fn locate(
    tx: &impl ConnectionTrait,
    subjects: impl Iterator<Item = Subject> + Clone,
) -> Result<HashMap<Uuid, Located>> {
    let environments = store::alert::places(tx, distinct(subjects.clone().filter_map(Subject::environment))).await?;
    let jobs: Vec<JobId> = distinct(subjects.clone().filter_map(Subject::job));
    let names = store::alert::job_names(tx, jobs.clone()).await?;
    let mut labels = store::alert::labels_of_jobs(tx, &jobs).await?;
    let workspaces = subjects.clone().filter_map(|one| one.workspace().map(|(id, _)| id));
    let workspaces = store::alert::workspace_places(tx, distinct(workspaces)).await?;
    let clusters = store::alert::cluster_places(tx, distinct(subjects.clone().filter_map(Subject::cluster))).await?;
    let mut found = HashMap::new();
    for subject in subjects {
        let place = match subject {
            Subject::Job(environment, _) | Subject::Environment(environment) => environments.get(&environment),
            Subject::Workspace(workspace, _) => workspaces.get(&workspace),
            Subject::Cluster(cluster) => clusters.get(&cluster),
        };
        let Some(place) = place else { continue };
        let name = match subject.job() {
            Some(job) => names.get(&job),
            None => Some(&place.name),
        };
        let Some(name) = name else { continue };
        if found.contains_key(&subject.id()) {
            continue;
        }
        let position = Position {
            project: place.project,
            cluster: place.cluster,
            environment: subject.environment(),
            job: subject.job(),
            labels: subject.job().and_then(|job| labels.remove(&job)).unwrap_or_default(),
        };
        let located = Located { organization: place.organization, name: name.clone(), position };
        found.insert(subject.id(), located);
    }
    Ok(found)
}

fn distinct<T: Ord>(ids: impl Iterator<Item = T>) -> Vec<T> {
    let mut ids: Vec<T> = ids.collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

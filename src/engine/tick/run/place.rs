//! Selects the runner of a run.

use entity::cluster::ClusterKind;
use entity::run;
use entity::run::{Event, RunnerKind};

use super::settle;
use crate::app::App;
use crate::engine::tick::workspace::place;
use crate::error::Result;
use crate::runner::Target;
use crate::runner::agent::agent_place;
use crate::runner::kubernetes::cluster_place;
use crate::store;
use crate::store::job::RunSubject;

/// What a run of a job that was not started yet is started from.
pub(super) async fn subject_of(app: &App, run: &run::Model) -> Result<Option<Box<RunSubject>>> {
    match (run.event, run.job_id) {
        (Event::Workspace, _) | (_, None) => Ok(None),
        _ if run.runner.is_some() => Ok(None),
        (_, Some(job)) => settle::subject(app, job).await,
    }
}

/// The runner that has a run, or that will start it.
///
/// # Errors
/// The inner error says why no runner can execute the run.
pub(super) async fn kind_of(
    app: &App,
    run: &run::Model,
    subject: Option<&RunSubject>,
) -> Result<std::result::Result<Target, String>> {
    match run.runner {
        Some(RunnerKind::Docker) => return Ok(Ok(Target::Docker)),
        Some(RunnerKind::Process) => return Ok(Ok(Target::Process)),
        Some(RunnerKind::Kubernetes) => {
            if let Some(id) = run.place.as_deref().and_then(cluster_place::cluster_of) {
                return Ok(Ok(Target::Kubernetes(id)));
            }
        }
        Some(RunnerKind::Agent) => {
            if let Some(id) = run.place.as_deref().and_then(agent_place::cluster_of) {
                return Ok(Ok(Target::Agent(id)));
            }
        }
        None => {}
    }
    match (run.event, run.job_id) {
        (Event::Workspace, _) => place::place(app, run).await,
        // Images are built on the server's own engine.
        (Event::Build, _) | (_, None) => Ok(app.runners.local.clone()),
        (_, Some(job)) => {
            let cluster = match subject {
                Some(subject) => Some((subject.cluster.id, subject.cluster.kind)),
                None => store::cluster_objects::cluster_of_job(&app.db, job).await?,
            };
            Ok(match cluster {
                Some((id, ClusterKind::Kubernetes)) => Ok(Target::Kubernetes(id)),
                Some((id, ClusterKind::Agent)) => Ok(Target::Agent(id)),
                Some((_, ClusterKind::Local)) | None => app.runners.local.clone(),
            })
        }
    }
}

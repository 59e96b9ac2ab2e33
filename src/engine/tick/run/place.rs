//! Selects the runner of a run.

use entity::cluster::ClusterKind;
use entity::run;
use entity::run::{Event, RunnerKind};

use crate::app::App;
use crate::engine::tick::workspace::place;
use crate::error::Result;
use crate::runner::Target;
use crate::runner::kubernetes::cluster_place;
use crate::store;

/// The runner that has a run, or that will start it.
///
/// # Errors
/// The inner error says why no runner can execute the run.
pub(super) async fn kind_of(app: &App, run: &run::Model) -> Result<std::result::Result<Target, String>> {
    match run.runner {
        Some(RunnerKind::Docker) => return Ok(Ok(Target::Docker)),
        Some(RunnerKind::Process) => return Ok(Ok(Target::Process)),
        Some(RunnerKind::Kubernetes) => {
            if let Some(id) = run.place.as_deref().and_then(cluster_place::cluster_of) {
                return Ok(Ok(Target::Kubernetes(id)));
            }
        }
        None => {}
    }
    match (run.event, run.job_id) {
        (Event::Workspace, _) => place::place(app, run).await,
        // Images are built on the server's own engine.
        (Event::Build, _) | (_, None) => Ok(app.runners.local.clone()),
        (_, Some(job)) => Ok(match store::cluster_objects::cluster_of_job(&app.db, job).await? {
            Some((id, ClusterKind::Kubernetes)) => Ok(Target::Kubernetes(id)),
            Some((_, ClusterKind::Local)) | None => app.runners.local.clone(),
        }),
    }
}

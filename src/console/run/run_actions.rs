//! Cancels runs, and repeats them.

use std::sync::Arc;

use entity::id::RunId;
use entity::{job, run};
use poem::web::{Data, Path};
use poem::{Response, handler};
use uuid::Uuid;

use crate::access::{self, Action};
use crate::app::App;
use crate::console::form::Form;
use crate::console::viewer::Viewer;
use crate::console::{notice, paths};
use crate::engine::manual;
use crate::error::{Error, Result};
use crate::store;

#[handler]
pub(super) async fn cancel_run(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path(id): Path<Uuid>,
    _form: Form,
) -> poem::Result<Response> {
    let (run, job) = load(app, &viewer, RunId(id)).await?;
    manual::cancel(app, &viewer.requester(), &job, &run).await?;
    Ok(notice::lead(&paths::run(run.id), "run-cancelled"))
}

#[handler]
pub(super) async fn rerun_run(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path(id): Path<Uuid>,
    _form: Form,
) -> poem::Result<Response> {
    let (run, job) = load(app, &viewer, RunId(id)).await?;
    let again = manual::rerun(app, &viewer.requester(), &job, &run, None).await?;
    Ok(notice::lead(&paths::run(again.id), "run-queued"))
}

/// A run that the viewer may act on, with its job.
async fn load(app: &App, viewer: &Viewer, id: RunId) -> Result<(run::Model, job::Model)> {
    let run = access::run(&app.db, &viewer.caller, Action::Deploy, id).await?;
    let job = run.job_id.ok_or(Error::NotFound("run"))?;
    let job = store::job::by_id(&app.db, job).await?.ok_or(Error::NotFound("run"))?;
    Ok((run, job))
}

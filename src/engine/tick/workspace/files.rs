//! Files of a workspace step in a cluster. A server cannot copy files into or out of a container there, so the step downloads its
//! source and its plan, and uploads the plan that it makes.

use entity::{plan_output, run, workspace_job, workspace_step};
use sea_orm::ActiveValue;

use super::plan_to_show;
use super::saved_plan;
use super::source::source_of;
use super::subject::WorkspaceSubject;
use super::work::planned;
use crate::app::App;
use crate::engine::given_variables::keeps_plan_json;
use crate::error::{Error, Result};
use crate::runner::archive_file::ArchiveFile;
use crate::runner::source_archive::pack;
use crate::runner::terraform::layout;
use crate::secret;
use crate::store;

/// The largest JSON form of a plan that a step may upload.
pub const MOST_JSON_BYTES: usize = layout::PLAN_JSON_BYTES as usize;
/// The largest list of schemas that a step may upload.
pub const MOST_SCHEMA_BYTES: usize = layout::PROVIDERS_JSON_BYTES as usize;

async fn run_of(app: &App, step: &workspace_step::Model) -> Result<run::Model> {
    let gone = || Error::NotFound("step");
    store::row::by_id::<run::Model>(&app.db, step.run_id.ok_or_else(gone)?).await?.ok_or_else(gone)
}

async fn of(app: &App, step: &workspace_step::Model) -> Result<WorkspaceSubject> {
    WorkspaceSubject::load(app, &run_of(app, step).await?).await?.ok_or(Error::NotFound("step"))
}

/// The source of a step, as a tar archive.
///
/// # Errors
/// `Conflict` with the reason if the source cannot be read.
pub async fn source(app: &App, step: &workspace_step::Model) -> Result<ArchiveFile> {
    let source = source_of(app, &of(app, step).await?).await?.map_err(|impossible| Error::Conflict(impossible.0))?;
    pack(&source, ".").await.map_err(Error::Conflict)
}

/// The plan that an apply carries out.
///
/// # Errors
/// `NotFound` if no earlier step plans; `Conflict` if the plan is missing.
pub async fn plan(app: &App, step: &workspace_step::Model) -> Result<Vec<u8>> {
    let planned = planned(app, &of(app, step).await?).await?.map_err(|impossible| Error::Conflict(impossible.0))?;
    Ok(planned.ok_or(Error::NotFound("plan"))?.plan.expose().clone())
}

/// Stores the plan of a step, sealed.
///
/// # Errors
/// Database errors.
pub async fn keep_plan(app: &App, step: &workspace_step::Model, plan: &[u8]) -> Result<()> {
    let sealed = app.keys.seal(&secret::place("workspace_step", step.id.0), plan)?;
    let change = workspace_step::ActiveModel { plan: ActiveValue::Set(Some(sealed)), ..Default::default() };
    store::write_one(&app.db, async |db| store::workspace::change_step(&db, step.id, change.clone()).await).await?;
    Ok(())
}

/// Stores the plan of a step as it is shown, and of a saved plan its JSON form.
///
/// # Errors
/// Database errors.
pub async fn keep_plan_json(app: &App, step: &workspace_step::Model, text: Vec<u8>) -> Result<()> {
    let run = run_of(app, step).await?;
    let now = app.clock.now();
    let job = store::row::by_id::<workspace_job::Model>(&app.db, step.job_id).await?;
    let output = match job.map(|job| keeps_plan_json(app, &job)).transpose()? {
        Some(true) => saved_plan::of_json(app, &run, step.id, text.clone(), now).await?,
        Some(false) | None => None,
    };
    let plan = plan_to_show::of_json(app, &run, text).await;
    store::write(&app.db, async |tx| {
        if let Some(plan) = plan.clone() {
            plan_to_show::keep(app, tx, step, plan, now).await?;
        }
        if let Some(output) = output.clone() {
            store::workspace::keep_plan_output(tx, output).await?;
        }
        Ok::<_, Error>(())
    })
    .await
}

/// Stores the schemas of the resources of a saved plan, whose JSON form was stored before.
///
/// # Errors
/// Database errors.
pub async fn keep_schemas(app: &App, step: &workspace_step::Model, text: Vec<u8>) -> Result<()> {
    let run = run_of(app, step).await?;
    let output = store::row::by_id::<plan_output::Model>(&app.db, step.id).await?;
    let Some(output) = output else { return Ok(()) };
    if let Some(schemas) = saved_plan::schemas_of(app, &run, &output, text).await? {
        store::write_one(&app.db, async |db| store::workspace::set_plan_schemas(&db, step.id, schemas.clone()).await)
            .await?;
    }
    Ok(())
}

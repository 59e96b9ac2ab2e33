//! What is done to a job with one button.

use std::sync::Arc;

use entity::deployment::Action as Deployment;
use entity::id::JobId;
use entity::job_spec::JobType;
use poem::web::{Data, Path};
use poem::{Response, handler};
use uuid::Uuid;

use crate::access::{self, Action};
use crate::app::App;
use crate::console::form::Form;
use crate::console::local_time;
use crate::console::viewer::Viewer;
use crate::console::{notice, paths};
use crate::engine::backfill;
use crate::engine::command::{self, JobTarget, Removal};
use crate::engine::job_check;
use crate::engine::pause::{HoldChange, hold};
use crate::error::{Error, Result};
use crate::store;

#[handler]
pub(super) async fn act(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path((id, word)): Path<(Uuid, String)>,
    form: Form,
) -> poem::Result<Response> {
    let needed = if matches!(word.as_str(), "delete" | "rotate-key") { Action::Manage } else { Action::Deploy };
    let job = access::job_or_check(&app.db, &viewer.caller, needed, JobId(id)).await?;
    // The rest is not for checks.
    if !matches!(word.as_str(), "resume" | "skip" | "clear-failures" | "delete" | "rotate-key") {
        access::job_row(&app.db, &viewer.caller, needed, job.id).await?;
    }
    let (by, back) = (viewer.requester(), paths::job(job.id));
    let environment = job.environment_id;
    Ok(match word.as_str() {
        "deploy" | "stop" => {
            let action = if word == "deploy" { Deployment::Deploy } else { Deployment::Stop };
            command::request_jobs(app, &by, environment, vec![JobTarget::from(job)], action).await?;
            notice::lead(&back, &word)
        }
        "resume" => {
            hold(app, &by, &job, HoldChange::Resume).await?;
            notice::lead(&back, "resumed")
        }
        "skip" => {
            hold(app, &by, &job, HoldChange::Skip { at: local_time::parse("at", form.text("at"), None)? }).await?;
            notice::lead(&back, "time-skipped")
        }
        "cancel-backfill" => {
            let backfill = form.text("backfill").parse::<Uuid>().map_err(|_| Error::NotFound("backfill"))?;
            backfill::cancel(app, &by, &job, backfill).await?;
            notice::lead(&format!("{back}/history"), "backfill-cancelled")
        }
        "clear-failures" => {
            clear_failures(app, job.id).await?;
            notice::lead(&back, "failures-cleared")
        }
        "delete" => {
            if job.job_type == JobType::Check {
                let environment = access::environment(&app.db, &viewer.caller, needed, environment).await?;
                job_check::delete(app, &by, &environment, &job).await?;
            } else {
                command::delete_jobs(app, &by, environment, vec![job], Removal::Complete).await?;
            }
            notice::lead(&paths::environment(environment), "job-deleted")
        }
        "rotate-key" => {
            access::check(&app.db, &viewer.caller, needed, job.id).await?;
            let environment = access::environment(&app.db, &viewer.caller, needed, environment).await?;
            job_check::rotate_key(app, &by, &environment, &job).await?;
            notice::lead(&back, "key-replaced")
        }
        _ => return Err(Error::NotFound("action").into()),
    })
}

async fn clear_failures(app: &App, job: JobId) -> Result<()> {
    let now = app.clock.now();
    store::write_one(&app.db, async |db| store::job::clear_failures(&db, vec![job], now).await).await?;
    Ok(())
}

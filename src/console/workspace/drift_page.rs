//! The drift of a workspace with its values, and the buttons that accept or revert it.

use std::sync::Arc;

use entity::id::WorkspaceId;
use entity::workspace;
use maud::{Markup, html};
use poem::web::{Data, Path, Query};
use poem::{Response, handler};
use uuid::Uuid;

use super::action::author;
use super::plan_difference::{changed_resources, drift_words};
use crate::access::reach::Rights;
use crate::access::{self, principal, require_right};
use crate::app::App;
use crate::console::form::Form;
use crate::console::notice::Noticed;
use crate::console::shell::{Page, Section};
use crate::console::viewer::Viewer;
use crate::console::when::distance;
use crate::console::widgets::{button, place};
use crate::console::{notice, paths, reply};
use crate::engine::workspace_drift::{FoundDrift, JobRequester, Settlement, found_drift, settle};
use crate::error::Result;

fn shown(app: &App, viewer: &Viewer, (row, rights): (&workspace::Model, Rights), found: Option<&FoundDrift>) -> Markup {
    let (path, now) = (format!("{}/drift", paths::workspace(row.id)), app.clock.now());
    html! {
        @match found {
            None => p { "No drift is known. The newest plan found none, or an apply or a new state has settled it." },
            Some(found) => {
                p {
                    "Drifted since " (distance(found.since, now)) ": " (drift_words(found.count)) ", as the plan of "
                    a href=(paths::workspace_job(found.job)) { "job " (found.job) } " found " (distance(found.checked_at, now)) "."
                }
                (changed_resources(&found.resources, "drift"))
                @if found.resources.len() < found.count { p.soft { "There are more than are shown here. The log of the job has them all." } }
                @if rights.plan && rights.approve {
                    div.row {
                        (button(viewer, &format!("{path}/accept"), "Accept: take it into the state", "", Some(
                            "Accept the drift? A job takes what was changed into the state. What is configured stays as it is.")))
                        (button(viewer, &format!("{path}/revert"), "Revert: make it again as configured", "danger", Some(
                            "Revert the drift? A job plans and applies at once, with all other changes that the configuration asks for.")))
                    }
                } @else {
                    p.hint { "To accept or revert it takes the permissions planJob and approveJob." }
                }
            }
        }
    }
}

#[handler]
pub(super) async fn show(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path(id): Path<Uuid>,
    Query(noticed): Query<Noticed>,
) -> poem::Result<Response> {
    let (row, rights) = access::workspace(&app.db, &viewer.caller, WorkspaceId(id)).await?;
    let found = found_drift(app, row.id).await?;
    let body = html! {
        h1 { "Drift of " (row.name) }
        (noticed.show())
        (shown(app, &viewer, (&row, rights), found.as_ref()))
    };
    let api = format!("/tfstate/v1/organization/{}/workspace/{}/drift", row.organization_id, row.id);
    let page = Page {
        title: "Drift".to_owned(),
        place: Some(place(app, row.organization_id, Section::Workspaces).await?),
        trail: vec![(row.name.clone(), paths::workspace(row.id))],
        body,
        api: Some(api),
        live: None,
    };
    Ok(reply::page(app, &viewer, &page))
}

#[handler]
pub(super) async fn accept(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path(id): Path<Uuid>,
    _form: Form,
) -> poem::Result<Response> {
    Ok(started(app, &viewer, WorkspaceId(id), Settlement::Accept).await?)
}

#[handler]
pub(super) async fn revert(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path(id): Path<Uuid>,
    _form: Form,
) -> poem::Result<Response> {
    Ok(started(app, &viewer, WorkspaceId(id), Settlement::Revert).await?)
}

async fn started(app: &App, viewer: &Viewer, id: WorkspaceId, settlement: Settlement) -> Result<Response> {
    let (row, rights) = access::workspace(&app.db, &viewer.caller, id).await?;
    require_right(rights.plan && rights.approve)?;
    let of = JobRequester {
        by: author(&viewer.caller).to_owned(),
        requester: Some(viewer.requester()),
        principal: Some(principal::stored(&viewer.caller)),
        rights,
        via: "UI".to_owned(),
    };
    let job = settle(app, row.id, settlement, of).await?;
    Ok(notice::lead(&paths::workspace_job(job.id), "job-created"))
}

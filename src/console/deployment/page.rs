//! The page of a deployment: who, when, why, its parts stage by stage, and its log.

use std::sync::Arc;

use entity::deployment::Progress;
use entity::id::DeploymentId;
use entity::{deployment, environment};
use maud::{Markup, html};
use poem::web::{Data, Path, Query};
use poem::{Response, handler};
use uuid::Uuid;

use super::parts_table::{log, parts, summary};
use crate::access::{self, Action, Caller};
use crate::app::App;
use crate::console::environment::of_deployment;
use crate::console::form::Form;
use crate::console::live::{self, Fragment, Live};
use crate::console::notice::{self, Noticed};
use crate::console::post_button::{Manner, post_button};
use crate::console::shell::{Page, Section};
use crate::console::viewer::Viewer;
use crate::console::widgets::place;
use crate::console::{paths, reply};
use crate::engine::command;
use crate::engine::state::{DeploymentParts, deployment_log};
use crate::error::Result;

/// The parts of the page that change.
async fn fragments(
    app: &App,
    (caller, csrf): (&Caller, &str),
    row: &deployment::Model,
    of: &environment::Model,
) -> Result<Vec<Fragment>> {
    let now = app.clock.now();
    let found = DeploymentParts::read(app, std::slice::from_ref(row)).await?;
    let entries = deployment_log(app, of, row).await?;
    Ok(vec![
        ("deployment-actions", actions((caller, csrf), row, of)),
        ("deployment-state", summary(row, now)),
        ("deployment-parts", parts(row, &found, now)),
        ("deployment-log", log(&entries, row)),
    ])
}

#[handler]
pub(super) async fn show(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path(id): Path<Uuid>,
    Query(noticed): Query<Noticed>,
) -> poem::Result<Response> {
    let (row, of) = access::deployment(&app.db, &viewer.caller, Action::View, DeploymentId(id)).await?;
    let fragments = fragments(app, (&viewer.caller, &viewer.csrf), &row, &of).await?;
    let (of_head, below): (Vec<_>, Vec<_>) = fragments.iter().partition(|(id, _)| *id == "deployment-actions");
    let path = paths::deployment(row.id);
    let title = format!("Deployment {} of {}", row.number, of.name);
    let body = html! {
        div.row.between {
            h1 { (title) }
            @for (_, markup) in of_head { (markup) }
        }
        (noticed.show())
        @for (id, markup) in below {
            @match *id {
                "deployment-parts" => h2 { "Parts" },
                "deployment-log" => h2 { "Log" },
                _ => h2.hidden { (of_deployment(&row)) },
            }
            (markup)
        }
    };
    let trail = vec![
        ("Environments".to_owned(), format!("{}/environments", paths::organization(of.organization_id))),
        (of.name.clone(), paths::environment(of.id)),
    ];
    let place = Some(place(app, of.organization_id, Section::Environments).await?);
    let live = (!row.progress.is_final()).then(|| format!("{path}/live"));
    let api = Some(format!("/environment/{}/logs?version={}", of.id, row.id));
    Ok(reply::page(app, &viewer, &Page { title, place, trail, body, api, live }))
}

fn actions((caller, csrf): (&Caller, &str), row: &deployment::Model, of: &environment::Model) -> Markup {
    let may = caller.may(of.organization_id, Action::Deploy, &access::location(of));
    let to = |word: &str| format!("{}/action/{word}", paths::environment(of.id));
    html! {
        div.row #deployment-actions {
            @if may {
                @match row.progress {
                    Progress::Queued => {
                        (post_button(csrf, &format!("{}/cancel", paths::deployment(row.id)), "Cancel", Manner::Quiet))
                    }
                    Progress::Running => {
                        (post_button(csrf, &to("cancel"), "Cancel", Manner::Quiet))
                        (post_button(csrf, &to("cancel-runs"), "Cancel and interrupt",
                            Manner::Danger("Cancel, and interrupt the commands that are running?")))
                    }
                    Progress::Succeeded | Progress::Failed | Progress::Cancelled => {}
                }
            }
        }
    }
}

#[handler]
pub(super) async fn cancel(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path(id): Path<Uuid>,
    _form: Form,
) -> poem::Result<Response> {
    let (row, _) = access::deployment(&app.db, &viewer.caller, Action::Deploy, DeploymentId(id)).await?;
    command::cancel_request(app, &viewer.requester(), &row).await?;
    Ok(notice::lead(&paths::deployment(row.id), "deployment-cancelled"))
}

/// The parts of the page that change.
struct LiveDeployment {
    id: DeploymentId,
    csrf: String,
}

impl Live for LiveDeployment {
    async fn fragments(&self, app: &App, caller: &Caller) -> Result<Vec<Fragment>> {
        let (row, of) = access::deployment(&app.db, caller, Action::View, self.id).await?;
        fragments(app, (caller, &self.csrf), &row, &of).await
    }
}

#[handler]
pub(super) async fn fresh(Data(app): Data<&Arc<App>>, viewer: Viewer, Path(id): Path<Uuid>) -> poem::Result<Response> {
    let (row, _) = access::deployment(&app.db, &viewer.caller, Action::View, DeploymentId(id)).await?;
    let csrf = viewer.csrf.clone();
    Ok(live::events(app, viewer, LiveDeployment { id: row.id, csrf }))
}

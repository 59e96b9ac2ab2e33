//! The agents of a cluster: which are connected, and the command that starts a new one. Its token is shown once.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use entity::agent;
use entity::cluster::Model;
use entity::id::{AgentId, ClusterId, OrganizationId};
use maud::{Markup, html};
use poem::web::{Data, Path};
use poem::{Response, handler};
use uuid::Uuid;

use super::tabs::{Tab, may, settings, show};
use crate::access::{self, Action};
use crate::app::App;
use crate::console::form::Form;
use crate::console::problems::Problems;
use crate::console::reply;
use crate::console::shell::token;
use crate::console::token_parts::{revoke_button, shown_once, time};
use crate::console::viewer::Viewer;
use crate::console::widgets::{Field, state};
use crate::engine::cluster::agent_status::{AgentStatus, status_of};
use crate::engine::settings::agent_settings;
use crate::error::Result;
use crate::secret::Secret;
use crate::store;

/// An agent, and how many steps it has taken that have not ended.
type Row = (agent::Model, u64);

#[handler]
pub(super) async fn page(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path((id, row)): Path<(Uuid, Uuid)>,
) -> poem::Result<Response> {
    let id = OrganizationId(id);
    let cluster = access::cluster(&app.db, &viewer.caller, Action::ViewCluster, id, ClusterId(row)).await?;
    Ok(listed(app, &viewer, &cluster, None, None).await?)
}

/// The agents. `created` is shown once.
async fn listed(
    app: &App,
    viewer: &Viewer,
    cluster: &Model,
    created: Option<&Secret<String>>,
    refused: Option<(&str, &Problems)>,
) -> Result<Response> {
    let id = cluster.organization_id;
    let mut rows: Vec<Row> = Vec::new();
    for agent in store::agent::list_of(&app.db, cluster.id).await? {
        let open = store::agent_step::count_open(&app.db, agent.id).await?;
        rows.push((agent, open));
    }
    let manages = may(viewer, id, Action::ManageCluster);
    let body = html! {
        h2 { "Agents of " (cluster.name) }
        @if let Some(token) = created { (command(app, cluster, token)) }
        @if rows.is_empty() { p.card { "There are no agents yet. An agent is a program on a machine that the server cannot reach: it fetches the steps of this cluster by outbound requests." } }
        @else { (table(app, (viewer, cluster, manages), &rows, app.clock.now())) }
        @if manages { (create_form(viewer, cluster, refused)) }
    };
    let api = format!("/organization/{id}/cluster/{}/agent", cluster.id);
    show(app, viewer, id, (Tab::Clusters, Some(api)), &body).await
}

/// How a new agent is started.
fn command(app: &App, cluster: &Model, token: &Secret<String>) -> Markup {
    let said = "The agent was created. Copy the command now: its token is not shown again. Start it on the machine that is to run the steps.";
    let command = format!("WINDLASS_AGENT_TOKEN={} windlass agent --url {}", token.expose(), app.public_url());
    let list = format!("{}/cluster/{}/agents", settings(cluster.organization_id), cluster.id);
    shown_once(&list, said, &command, None)
}

fn table(app: &App, (viewer, cluster, manages): (&Viewer, &Model, bool), rows: &[Row], now: DateTime<Utc>) -> Markup {
    let path = format!("{}/cluster/{}/agent", settings(cluster.organization_id), cluster.id);
    html! {
        div.scroll { table.stacked {
            caption { "Agents" }
            thead { tr {
                th scope="col" { "Name" } th scope="col" { "State" } th scope="col" { "Heard of" } th scope="col" { "Version" }
                th scope="col" { "Steps" } @if manages { th scope="col" { span.hidden { "Actions" } } }
            } }
            tbody { @for (agent, open) in rows { tr {
                td data-label="Name" { (agent.name) }
                td data-label="State" { (agent_state(app, agent)) }
                td data-label="Heard of" { (time(agent.seen_at, "never", now)) }
                td data-label="Version" { (agent.version.as_deref().unwrap_or("unknown")) @if let Some(runner) = &agent.runner { div.soft { (runner) } } }
                td data-label="Steps" { (open) @if let Some(capacity) = agent.capacity { " of " (capacity) } }
                @if manages { td data-label="Actions" { (revoke_button(viewer, &format!("{path}/{}", agent.id), &agent.name)) } }
            } } }
        } }
    }
}

fn agent_state(app: &App, agent: &agent::Model) -> Markup {
    state(match status_of(app, agent) {
        AgentStatus::NeverConnected => ("queued", "not connected yet"),
        AgentStatus::Connected => ("ok", "connected"),
        AgentStatus::Disconnected => ("failed", "disconnected"),
    })
}

fn create_form(viewer: &Viewer, cluster: &Model, refused: Option<(&str, &Problems)>) -> Markup {
    let none = Problems::default();
    let (name, problems) = refused.unwrap_or(("", &none));
    html! {
        section.card {
            h2 { "Create an agent" }
            form method="post" action={ (settings(cluster.organization_id)) "/cluster/" (cluster.id) "/agents" } {
                (token(viewer))
                (problems.others(&["name"]))
                (Field::text("name", "Name", name).required().hint("Such as the name of the machine").show(problems))
                p { button type="submit" { "Create" } }
            }
        }
    }
}

#[handler]
pub(super) async fn create(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path((id, row)): Path<(Uuid, Uuid)>,
    form: Form,
) -> poem::Result<Response> {
    let id = OrganizationId(id);
    let cluster = access::cluster(&app.db, &viewer.caller, Action::ManageCluster, id, ClusterId(row)).await?;
    let name = form.text("name").trim();
    match agent_settings::create(app, &viewer.requester(), cluster.clone(), name).await {
        Ok((_, token)) => Ok(listed(app, &viewer, &cluster, Some(&token), None).await?),
        Err(error) => {
            let problems = Problems::of(error)?;
            let mut response = listed(app, &viewer, &cluster, None, Some((name, &problems))).await?;
            response.set_status(poem::http::StatusCode::BAD_REQUEST);
            Ok(response)
        }
    }
}

#[handler]
pub(super) async fn remove(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path((id, row, agent)): Path<(Uuid, Uuid, Uuid)>,
    _form: Form,
) -> poem::Result<Response> {
    let place = (OrganizationId(id), ClusterId(row));
    let row = access::agent(&app.db, &viewer.caller, Action::ManageCluster, place, AgentId(agent)).await?;
    let cluster = row.cluster_id;
    agent_settings::remove(app, &viewer.requester(), row).await?;
    Ok(reply::redirect(&format!("{}/cluster/{cluster}/agents", settings(OrganizationId(id)))))
}

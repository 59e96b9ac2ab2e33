//! The clusters of an organization, with their states and the reasons.

use std::sync::Arc;

use entity::cluster::{ClusterKind, Model};
use entity::id::OrganizationId;
use maud::{Markup, html};
use poem::web::{Data, Path, Query};
use poem::{Response, handler};
use uuid::Uuid;

use super::tabs::{Tab, may, settings, show};
use crate::access::{self, Action};
use crate::app::App;
use crate::console::notice::Noticed;
use crate::console::viewer::Viewer;
use crate::console::widgets::state;
use crate::engine::cluster::usable::{Usable, usable};
use crate::error::Error;
use crate::store;

#[handler]
pub(super) async fn page(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path(id): Path<Uuid>,
    Query(noticed): Query<Noticed>,
) -> poem::Result<Response> {
    let id = OrganizationId(id);
    access::organization(&app.db, &viewer.caller, Action::ViewCluster, id).await?;
    let rows = store::cluster::list_by_organization(&app.db, id).await.map_err(Error::from)?;
    let manages = may(&viewer, id, Action::ManageCluster);
    let body = html! {
        (noticed.show())
        @if manages { p { a.button href={ (settings(id)) "/clusters/new" } { "New cluster" } } }
        div.scroll { table.stacked {
            caption { "Clusters" }
            thead { tr { th scope="col" { "Name" } th scope="col" { "State" } th scope="col" { "Kind" } th scope="col" { "At most for one job" } } }
            tbody { @for row in &rows { tr {
                td data-label="Name" { div {
                    @if manages { a href={ (settings(id)) "/cluster/" (row.id) "/edit" } { (row.name) } } @else { (row.name) }
                    @if row.is_default { " " span.soft { "(default)" } } @if let Some(text) = &row.description { div.soft { (text) } } } }
                td data-label="State" { (cluster_state(app, row)) }
                td data-label="Kind" { (kind(row)) }
                td data-label="At most" { (row.maximum_cpu_milli) " m CPU, " (row.maximum_memory_mib) " MiB" }
            } } }
        } }
        @if rows.is_empty() { p.card { "There are no clusters yet: nothing can run." } }
    };
    Ok(show(app, &viewer, id, (Tab::Clusters, Some(format!("/organization/{id}/cluster"))), &body).await?)
}

/// What a cluster is. One without a kubeconfig may get agents.
fn kind(row: &Model) -> Markup {
    let agents = format!("{}/cluster/{}/agents", settings(row.organization_id), row.id);
    html! {
        @match row.kind {
            ClusterKind::Local => "this machine",
            ClusterKind::Kubernetes => {
                "Kubernetes"
                @if row.kubeconfig.is_none() { div { a href=(agents) { "use agents instead" } } }
            },
            ClusterKind::Agent => { a href=(agents) { "agents" } },
        }
    }
}

fn cluster_state(app: &App, row: &Model) -> Markup {
    let (shown, reason) = match usable(app, row) {
        Usable::Yes => (("ok", "ready"), None),
        Usable::Unregistered if row.kind == ClusterKind::Agent => (("queued", "no agent has connected yet"), None),
        Usable::Unregistered => (("queued", "no kubeconfig yet"), None),
        Usable::Connecting => (("running", "connecting"), None),
        Usable::Unreachable(reason) => (("failed", "unreachable"), Some(reason)),
        Usable::Refused(reason) => (("failed", "credentials refused"), Some(reason)),
    };
    html! { div { (state(shown)) @if let Some(reason) = reason { div { (reason) } } } }
}

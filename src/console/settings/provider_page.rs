//! A provider of the private registry: its versions with their platforms, each of which can be deleted. Files are uploaded by the command
//! line or the API, since they are larger than a form.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use entity::id::{OrganizationId, ProviderPlatformId, ProviderVersionId, TerraformProviderId};
use entity::{provider_platform, provider_version, terraform_provider};
use maud::{Markup, html};
use poem::web::{Data, Path, Query};
use poem::{Response, handler};
use uuid::Uuid;

use super::private_registry::{MOST, RegistryPlace, how_to_upload, offered_by};
use super::setting_form::listed;
use super::tabs::{Tab, settings, show};
use crate::access::{self, require_right};
use crate::app::App;
use crate::console::form::Form;
use crate::console::notice::{self, Noticed};
use crate::console::viewer::Viewer;
use crate::console::when::distance;
use crate::console::widgets::button;
use crate::engine::private_registry::provider_versions;
use crate::engine::settings::provider_settings;
use crate::error::Error;
use crate::store;

/// How many versions the page shows, the newest first.
const SHOWN: usize = 100;
/// How many digits of a checksum are shown.
const SHORT: usize = 12;

/// Where a provider is shown, and to whom.
struct Shelf<'a> {
    viewer: &'a Viewer,
    id: OrganizationId,
    /// Whether the viewer may delete something.
    may: bool,
    now: DateTime<Utc>,
}

#[handler]
pub(super) async fn page(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path((id, row)): Path<(Uuid, Uuid)>,
    Query(noticed): Query<Noticed>,
) -> poem::Result<Response> {
    let id = OrganizationId(id);
    let (row, may) = access::registry_provider(&app.db, &viewer.caller, (id, TerraformProviderId(row))).await?;
    let place = RegistryPlace::of(app, id).await?;
    let known = store::private_registry::versions_of_provider(&app.db, row.id, MOST).await.map_err(Error::from)?;
    let count = known.len();
    let known: Vec<_> = provider_versions(known).into_iter().take(SHOWN).collect();
    let ids = known.iter().map(|one| one.id).collect();
    let platforms = store::private_registry::list_platforms_of(&app.db, ids).await.map_err(Error::from)?;
    let shelf = Shelf { viewer: &viewer, id, may, now: app.clock.now() };
    let is_own = row.hostname.is_empty();
    let address = place.address_of(&row);
    let body = html! {
        (noticed.show())
        h2 { "Provider " code { (address) } }
        @if let Some(text) = row.description.as_deref().filter(|text| !text.is_empty()) { p { (text) } }
        @if known.is_empty() { p.card { "There are no versions yet." } }
        @for version in &known {
            (version_card(&shelf, version, (is_own, &platforms)))
        }
        @if count > SHOWN { p.soft { "These are the newest " (SHOWN) " of " (count) " versions. The API lists all." } }
        @if may {
            (how_to_upload(is_own))
            p { (button(&viewer, &format!("{}/provider/{}/delete", settings(id), row.id), "Delete the provider", "danger",
                Some(&format!("Delete {address} with all its versions?")))) }
        }
    };
    let api = format!("/api/v1/organization/{id}/provider/{}", row.id);
    Ok(show(app, &viewer, id, (Tab::PrivateRegistry, Some(api)), &body).await?)
}

fn version_card(
    shelf: &Shelf<'_>,
    version: &provider_version::Model,
    (is_own, platforms): (bool, &[provider_platform::Model]),
) -> Markup {
    let own: Vec<_> = platforms.iter().filter(|platform| platform.provider_version_id == version.id).collect();
    let to = format!("{}/provider-version/{}/delete", settings(shelf.id), version.id);
    html! {
        section.card {
            h3 { (version.version) }
            p { "Protocols " (version.protocols) ", offered by " (offered_by(is_own, version)) }
            @if own.is_empty() { p.soft { "There are no platforms yet." } } @else { (platform_table(shelf, version, &own)) }
            @if shelf.may {
                p { (button(shelf.viewer, &to, "Delete the version", "danger",
                    Some(&format!("Delete version {}? Who uses it cannot install it any more.", version.version)))) }
            }
        }
    }
}

fn platform_table(shelf: &Shelf<'_>, version: &provider_version::Model, rows: &[&provider_platform::Model]) -> Markup {
    html! {
        div.scroll { table.stacked {
            caption.hidden { "Platforms of " (version.version) }
            thead { tr {
                th scope="col" { "Platform" } th scope="col" { "Checksum" } th scope="col" { "Uploaded" }
                @if shelf.may { th scope="col" { span.hidden { "Actions" } } }
            } }
            tbody { @for row in rows {
                @let platform = format!("{}_{}", row.os, row.arch);
                @let to = format!("{}/provider-platform/{}/delete", settings(shelf.id), row.id);
                tr {
                    td data-label="Platform" { (platform) }
                    td data-label="Checksum" { code title=(row.shasum) { (row.shasum.get(..SHORT).unwrap_or(&row.shasum)) "…" } }
                    td data-label="Uploaded" { (distance(row.created_at, shelf.now)) }
                    @if shelf.may { td data-label="Actions" {
                        (button(shelf.viewer, &to, "Delete", "danger", Some(&format!("Delete {platform} of version {}?", version.version))))
                    } }
                }
            } }
        } }
    }
}

/// Leads to the page of a provider.
fn back(id: OrganizationId, provider: TerraformProviderId) -> Response {
    notice::lead(&format!("{}/provider/{provider}", settings(id)), "deleted")
}

#[handler]
pub(super) async fn delete(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path((id, row)): Path<(Uuid, Uuid)>,
    _sent: Form,
) -> poem::Result<Response> {
    let id = OrganizationId(id);
    let (row, may) = access::registry_provider(&app.db, &viewer.caller, (id, TerraformProviderId(row))).await?;
    require_right(may)?;
    provider_settings::delete::<terraform_provider::Model>(app, row.id).await?;
    Ok(listed(id, "private-registry", "deleted"))
}

#[handler]
pub(super) async fn remove_version(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path((id, row)): Path<(Uuid, Uuid)>,
    _sent: Form,
) -> poem::Result<Response> {
    let id = OrganizationId(id);
    let row = access::registry_version(&app.db, &viewer.caller, (id, ProviderVersionId(row))).await?;
    let provider = row.provider_id;
    provider_settings::delete::<provider_version::Model>(app, row.id).await?;
    Ok(back(id, provider))
}

#[handler]
pub(super) async fn remove_platform(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path((id, row)): Path<(Uuid, Uuid)>,
    _sent: Form,
) -> poem::Result<Response> {
    let id = OrganizationId(id);
    let row = access::registry_platform(&app.db, &viewer.caller, (id, ProviderPlatformId(row))).await?;
    let version = access::registry_version(&app.db, &viewer.caller, (id, row.provider_version_id)).await?;
    provider_settings::delete::<provider_platform::Model>(app, row.id).await?;
    Ok(back(id, version.provider_id))
}

//! The private registry of an organization: its modules and providers, the copies of other providers, and how all of them are used.

use std::sync::Arc;

use entity::id::OrganizationId;
use entity::{provider_key, provider_version, terraform_module, terraform_provider};
use maud::{Markup, html};
use poem::web::{Data, Path, Query};
use poem::{Response, handler};
use uuid::Uuid;

use super::tabs::{Tab, settings, show};
use crate::access;
use crate::app::App;
use crate::console::notice::Noticed;
use crate::console::viewer::Viewer;
use crate::console::when::distance;
use crate::console::widgets::button;
use crate::engine::private_registry::{check_module_name, module_versions, provider_versions};
use crate::error::{Error, Result};
use crate::store;

/// How many versions of a module or a provider the page shows.
const SHOWN: usize = 10;
/// The most versions that are read.
pub(super) const MOST: u64 = 1000;

#[handler]
pub(super) async fn page(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path(id): Path<Uuid>,
    Query(noticed): Query<Noticed>,
) -> poem::Result<Response> {
    let id = OrganizationId(id);
    let rights = access::workspace_rights(&app.db, &viewer.caller, id).await?;
    let place = RegistryPlace::of(app, id).await?;
    let modules = store::private_registry::list_modules(&app.db, id).await.map_err(Error::from)?;
    let providers = store::private_registry::list_providers(&app.db, id).await.map_err(Error::from)?;
    let keys = store::private_registry::list_keys(&app.db, id).await.map_err(Error::from)?;
    let shown = (&viewer, rights.modules);
    let body = html! {
        (noticed.show())
        @if rights.modules { p.row { a.button href={ (settings(id)) "/modules/new" } { "New module" } } }
        (module_table(app, &place, &modules, shown).await?)
        (provider_table(app, &place, &providers).await?)
        @if rights.providers {
            (how_to_upload(true))
            p.row { a.button href={ (settings(id)) "/signing-keys/new" } { "New signing key" } }
        }
        (key_table(app, &keys, (&viewer, rights.providers)))
    };
    let api = format!("/api/v1/organization/{id}/module");
    Ok(show(app, &viewer, id, (Tab::PrivateRegistry, Some(api)), &body).await?)
}

/// How addresses of the registry begin.
pub(super) struct RegistryPlace {
    id: OrganizationId,
    /// The name of the server.
    host: String,
    /// The name of the organization, or its id if addresses cannot contain the name.
    namespace: String,
}

impl RegistryPlace {
    pub(super) async fn of(app: &App, id: OrganizationId) -> Result<Self> {
        let row = access::shown_organization(&app.db, id).await?;
        let url = app.public_url();
        let host = url.split_once("://").map_or(url.as_str(), |(_, rest)| rest).trim_end_matches('/').to_owned();
        let is_name = check_module_name(&row.name).is_ok();
        Ok(Self { id, host, namespace: if is_name { row.name } else { id.to_string() } })
    }

    /// The address of a provider, as programs have it.
    pub(super) fn address_of(&self, row: &terraform_provider::Model) -> String {
        match row.hostname.is_empty() {
            true => format!("{}/{}/{}", self.host, self.namespace, row.name),
            false => format!("{}/{}/{}", row.hostname, row.namespace, row.name),
        }
    }
}

/// The constraint that a snippet suggests.
fn constraint(version: &str) -> String {
    let minor = version.split('.').take(2).collect::<Vec<_>>().join(".");
    format!("~> {minor}")
}

async fn module_table(
    app: &App,
    place: &RegistryPlace,
    rows: &[terraform_module::Model],
    (viewer, may): (&Viewer, bool),
) -> Result<Markup> {
    let now = app.clock.now();
    let mut lines = Vec::new();
    for row in rows {
        let known = store::private_registry::versions_of_module(&app.db, row.id, MOST).await?;
        let known: Vec<String> = module_versions(known).into_iter().take(SHOWN).map(|one| one.version).collect();
        let of = format!("{}/module/{}", settings(place.id), row.id);
        lines.push(html! { tr {
            td data-label="Module" { div {
                @if may { a href={ (of) "/edit" } { (row.name) "/" (row.provider) } } @else { (row.name) "/" (row.provider) }
                @if let Some(text) = row.description.as_deref().filter(|text| !text.is_empty()) { div.soft { (text) } }
                (snippet(place, row))
            } }
            td data-label="Versions" { @if known.is_empty() { span.soft { "none yet" } } @else { (known.join(", ")) } }
            td data-label="Repository" { div {
                code { (row.source) }
                @if let Some(folder) = row.folder.as_deref().filter(|text| !text.is_empty()) { div.soft { "folder " (folder) } }
                @if let Some(prefix) = row.tag_prefix.as_deref().filter(|text| !text.is_empty()) { div.soft { "tags " (prefix) "…" } }
            } }
            td data-label="Tags read" { div {
                @if let Some(at) = row.refreshed_at { (distance(at, now)) } @else { span.soft { "never" } }
                @if let Some(reason) = &row.refresh_error { div.problem { (reason) } }
                @if may { (button(viewer, &format!("{of}/refresh"), "Refresh", "", None)) }
            } }
        } });
    }
    Ok(html! {
        div.scroll { table.stacked {
            caption { "Modules" }
            thead { tr { th scope="col" { "Module" } th scope="col" { "Versions" } th scope="col" { "Repository" } th scope="col" { "Tags read" } } }
            tbody { @for line in &lines { (line) } }
        } }
        @if rows.is_empty() { p.card { "There are no modules yet. The tags of a repository, such as v1.2.3, are the versions of its module." } }
    })
}

fn snippet(place: &RegistryPlace, row: &terraform_module::Model) -> Markup {
    let Some(version) = &row.latest_version else { return html! {} };
    let source = format!("{}/{}/{}/{}", place.host, place.namespace, row.name, row.provider);
    html! {
        details { summary { "Use it" } pre {
            "module \"" (row.name) "\" {\n  source  = \"" (source) "\"\n  version = \"" (constraint(version)) "\"\n}"
        } }
    }
}

async fn provider_table(app: &App, place: &RegistryPlace, rows: &[terraform_provider::Model]) -> Result<Markup> {
    let mut lines = Vec::new();
    for row in rows {
        let known = store::private_registry::versions_of_provider(&app.db, row.id, MOST).await?;
        let known: Vec<_> = provider_versions(known).into_iter().take(SHOWN).collect();
        let ids = known.iter().map(|one| one.id).collect();
        let platforms = store::private_registry::list_platforms_of(&app.db, ids).await?;
        let is_own = row.hostname.is_empty();
        let name = html! { a href={ (settings(place.id)) "/provider/" (row.id) } { code { (place.address_of(row)) } } };
        if known.is_empty() {
            lines.push(html! { tr {
                td data-label="Provider" { (name) }
                td data-label="Version" { span.soft { "none yet" } }
                td data-label="Platforms" {}
                td data-label="Offered by" {}
            } });
        }
        for version in known {
            let own = platforms.iter().filter(|platform| platform.provider_version_id == version.id);
            let own: Vec<String> = own.map(|platform| format!("{}_{}", platform.os, platform.arch)).collect();
            lines.push(html! { tr {
                td data-label="Provider" { (name) }
                td data-label="Version" { (version.version) }
                td data-label="Platforms" { @if own.is_empty() { span.soft { "none yet" } } @else { (own.join(" ")) } }
                td data-label="Offered by" { (offered_by(is_own, &version)) }
            } });
        }
    }
    let mirror = format!("https://{}/v1/mirror/{}/", place.host, place.namespace);
    Ok(html! {
        div.scroll { table.stacked {
            caption { "Providers" }
            thead { tr { th scope="col" { "Provider" } th scope="col" { "Version" } th scope="col" { "Platforms" } th scope="col" { "Offered by" } } }
            tbody { @for line in &lines { (line) } }
        } }
        @if lines.is_empty() { p.card { "There are no providers yet. Upload them with " code { "windlass registry provider upload" } "." } }
        details { summary { "Use the mirror" } pre {
            "provider_installation {\n  network_mirror {\n    url = \"" (mirror) "\"\n  }\n}"
        } }
    })
}

/// How files of providers get here.
pub(super) fn how_to_upload(is_own: bool) -> Markup {
    html! {
        details { summary { "Upload versions" }
            p { "A version has an archive for each platform, the file SHA256SUMS, and its signature by one of the signing keys. Upload the folder with these files:" }
            pre {
                @if is_own { "windlass registry provider upload dist/ --protocols 6.0" }
                @else { "terraform providers mirror -platform=linux_amd64 copies/\nwindlass registry provider upload --mirror copies/" }
            }
        }
    }
}

/// What programs find a version in.
pub(super) fn offered_by(is_own: bool, version: &provider_version::Model) -> Markup {
    html! {
        @if !is_own { "mirror" } @else if version.signature.is_some() { "registry" } @else { span.soft { "nobody: not signed yet" } }
    }
}

fn key_table(app: &App, rows: &[provider_key::Model], (viewer, may): (&Viewer, bool)) -> Markup {
    let now = app.clock.now();
    html! {
        div.scroll { table.stacked {
            caption { "Signing keys" }
            thead { tr {
                th scope="col" { "Key" } th scope="col" { "Added" } th scope="col" { "By" }
                @if may { th scope="col" { span.hidden { "Actions" } } }
            } }
            tbody { @for row in rows {
                @let to = format!("{}/signing-key/{}/delete", settings(row.organization_id), row.id);
                @let question = format!("Delete the key {}? Providers that only it has signed cannot be installed any more.", row.key_id);
                tr {
                    td data-label="Key" { code { (row.key_id) } }
                    td data-label="Added" { (distance(row.created_at, now)) }
                    td data-label="By" { (row.created_by) }
                    @if may { td data-label="Actions" { (button(viewer, &to, "Delete", "danger", Some(&question))) } }
                }
            } }
        } }
        @if rows.is_empty() { p.card { "There are no signing keys yet. Providers of the organization need one." } }
    }
}

#[cfg(test)]
mod tests {
    use super::constraint;

    #[test]
    fn a_snippet_accepts_later_minor_versions() {
        assert_eq!(constraint("1.2.3"), "~> 1.2");
        assert_eq!(constraint("2.0.0-rc.1"), "~> 2.0");
    }
}

//! What the pages of the settings have in common.

use entity::id::OrganizationId;
use maud::{Markup, html};
use poem::Response;

use crate::access::{Action, Location, reach};
use crate::app::App;
use crate::console::shell::{Page, Section};
use crate::console::viewer::Viewer;
use crate::console::widgets::place;
use crate::console::{paths, reply};
use crate::error::Result;

/// A page of the settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tab {
    Members,
    Roles,
    Tokens,
    Logins,
    Clusters,
    Webhooks,
    PushHooks,
    Calendars,
    Terraform,
    PrivateRegistry,
    /// A section of its own.
    Alerts,
    Events,
}

impl Tab {
    const ALL: [(Self, &'static str, &'static str, Action); 11] = [
        (Self::Members, "Members", "", Action::ViewOrganization),
        (Self::Roles, "Roles", "/roles", Action::ViewOrganization),
        (Self::Tokens, "Tokens", "/tokens", Action::ManageTokens),
        (Self::Logins, "Registries and git", "/logins", Action::ViewSettings),
        (Self::Clusters, "Clusters", "/clusters", Action::ViewCluster),
        (Self::Webhooks, "Webhooks", "/webhooks", Action::ViewSettings),
        (Self::PushHooks, "Push hooks", "/push-hooks", Action::ViewSettings),
        (Self::Calendars, "Calendars", "/calendars", Action::ViewSettings),
        (Self::Terraform, "Terraform", "/terraform", Action::View),
        (Self::PrivateRegistry, "Private registry", "/private-registry", Action::View),
        (Self::Events, "Events", "/events", Action::ViewEvents),
    ];
}

/// The address of the settings of an organization.
pub(super) fn settings(id: OrganizationId) -> String {
    format!("{}/settings", paths::organization(id))
}

/// Whether the viewer may do something in the organization.
pub(super) fn may(viewer: &Viewer, id: OrganizationId, action: Action) -> bool {
    viewer.caller.may(id, action, &Location::default())
}

/// A page of the settings. `api` is the path that answers the same in the API.
pub(super) async fn show(
    app: &App,
    viewer: &Viewer,
    id: OrganizationId,
    (tab, api): (Tab, Option<String>),
    body: &Markup,
) -> Result<Response> {
    let name = Tab::ALL.iter().find(|(one, ..)| *one == tab).map_or("Settings", |(_, name, ..)| name);
    if tab == Tab::Alerts {
        let place = Some(place(app, id, Section::Alerts).await?);
        let body = html! { h1 { "Alerts" } (body) };
        let page = Page { title: "Alerts".into(), place, trail: Vec::new(), body, api, live: None };
        return Ok(reply::page(app, viewer, &page));
    }
    // What workspaces share is seen by teams, too, and not by everybody who sees projects.
    let sees_workspaces = reach::reach(&app.db, &viewer.caller).await?.knows(id);
    let sees = |of: Tab, action| {
        if matches!(of, Tab::Terraform | Tab::PrivateRegistry) { sees_workspaces } else { may(viewer, id, action) }
    };
    let body = html! {
        h1 { "Organization" }
        nav.tabs aria-label="Settings" {
            @for (one, name, path, action) in Tab::ALL {
                @if sees(one, action) {
                    a href={ (settings(id)) (path) } aria-current=[(one == tab).then_some("page")] { (name) }
                }
            }
        }
        (body)
    };
    let page = Page {
        title: name.to_owned(),
        place: Some(place(app, id, Section::Organization).await?),
        trail: Vec::new(),
        body,
        api,
        live: None,
    };
    Ok(reply::page(app, viewer, &page))
}

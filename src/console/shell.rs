//! What all pages have in common: the head, the navigation, and the line that shows the same thing in the API.

use entity::id::OrganizationId;
use maud::{DOCTYPE, Markup, html};

use super::assets;
use super::paths::{self, ROOT};
use super::post_button;
use super::viewer::Viewer;

/// The organization that a page belongs to.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) organization: OrganizationId,
    pub(super) name: String,
    pub(super) section: Section,
}

/// The entries of the navigation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Section {
    Overview,
    Timeline,
    Forecast,
    Environments,
    Workspaces,
    Alerts,
    Organization,
}

impl Section {
    const ALL: [(Self, &'static str, &'static str); 7] = [
        (Self::Overview, "Overview", ""),
        (Self::Timeline, "Timeline", "/timeline"),
        (Self::Forecast, "Forecast", "/forecast"),
        (Self::Environments, "Environments", "/environments"),
        (Self::Workspaces, "Workspaces", "/workspaces"),
        (Self::Alerts, "Alerts", "/settings/alerts"),
        (Self::Organization, "Organization", "/settings"),
    ];
}

/// A page.
pub(super) struct Page {
    pub(super) title: String,
    pub(super) place: Option<Place>,
    /// The rows that lead here, from the outside in: names and addresses.
    pub(super) trail: Vec<(String, String)>,
    pub(super) body: Markup,
    /// The path that answers the same in the API.
    pub(super) api: Option<String>,
    /// The address of the events that keep the page fresh.
    pub(super) live: Option<String>,
}

/// The whole page. `url` is where clients reach the server.
pub(super) fn whole(page: &Page, viewer: Option<&Viewer>, url: &str) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (page.title) " – Windlass" }
                link rel="icon" type="image/svg+xml" href=(assets::icon());
                link rel="stylesheet" href=(assets::style());
                script src=(assets::script()) defer {}
            }
            body data-live=[page.live.as_deref()] {
                a.skip href="#main" { "Skip to the content" }
                (top(page, viewer))
                main #main tabindex="-1" {
                    (trail(&page.trail))
                    (page.body)
                }
                footer { (api_line(page, url)) }
            }
        }
    }
}

fn top(page: &Page, viewer: Option<&Viewer>) -> Markup {
    html! {
        header.top {
            a.brand href=(ROOT) { img src=(assets::icon()) alt="" width="24" height="24"; "Windlass" }
            @if let Some(place) = &page.place {
                a.organization href=(paths::organization(place.organization)) { (place.name) }
                nav aria-label="Sections" {
                    @for (section, name, path) in Section::ALL {
                        @let current = (section == place.section).then_some("page");
                        a href={ (paths::organization(place.organization)) (path) } aria-current=[current] { (name) }
                    }
                }
            }
            @if let Some(viewer) = viewer {
                div.me {
                    span #connection role="status" {}
                    a href={ (ROOT) "/account" } { (viewer.caller.name()) }
                    form method="post" action={ (ROOT) "/sign-out" } {
                        (token(viewer))
                        button.quiet type="submit" { "Sign out" }
                    }
                }
            }
        }
    }
}

fn trail(steps: &[(String, String)]) -> Markup {
    html! {
        @if !steps.is_empty() {
            nav.trail aria-label="Breadcrumb" {
                ol { @for (name, path) in steps { li { a href=(path) { (name) } } } }
            }
        }
    }
}

/// The hidden field without which a form is refused.
pub(super) fn token(viewer: &Viewer) -> Markup {
    post_button::token(&viewer.csrf)
}

fn api_line(page: &Page, url: &str) -> Markup {
    html! {
        @if let Some(path) = &page.api {
            details.api {
                summary { "The same in the API" }
                pre { code { "curl -H \"Authorization: Token $WINDLASS_TOKEN\" '" (url) (path) "'" } }
            }
        }
        p { a href="/docs" { "API reference" } " · Windlass " (env!("CARGO_PKG_VERSION")) }
    }
}

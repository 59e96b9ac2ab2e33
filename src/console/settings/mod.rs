//! The settings of an organization: who belongs to it, what may be used, and who changed what.

mod clusters;
mod event_list;
mod logins;
mod members;
mod roles;
mod tabs;
mod tokens;
mod webhooks;

use poem::{Route, get, post};

/// Adds the pages.
pub(super) fn routes(route: Route) -> Route {
    route
        .at("/organization/:id/settings", get(members::page).post(members::invite))
        .at("/organization/:id/settings/member/:person", post(members::change))
        .at("/organization/:id/settings/invitation/:invitation", post(members::withdraw))
        .at("/organization/:id/settings/roles", get(roles::page))
        .at("/organization/:id/settings/tokens", get(tokens::page).post(tokens::create))
        .at("/organization/:id/settings/token/:token", post(tokens::revoke))
        .at("/organization/:id/settings/access-token/:token", post(tokens::revoke_access_token))
        .at("/organization/:id/settings/logins", get(logins::page))
        .at("/organization/:id/settings/clusters", get(clusters::page))
        .at("/organization/:id/settings/webhooks", get(webhooks::page))
        .at("/organization/:id/settings/events", get(event_list::page))
}

//! The settings of an organization: who belongs to it, what may be used, and who changed what.

mod cluster_form;
mod clusters;
mod event_list;
mod git_login_form;
mod logins;
mod member_list;
mod registry_form;
mod role_form;
mod roles;
mod setting_form;
mod tabs;
mod tokens;
mod webhook_form;
mod webhooks;

use poem::{Route, get, post};

/// Adds the pages.
pub(super) fn routes(route: Route) -> Route {
    forms(route)
        .at("/organization/:id/settings", get(member_list::page).post(member_list::invite))
        .at("/organization/:id/settings/member/:person", post(member_list::change))
        .at("/organization/:id/settings/invitation/:invitation", post(member_list::withdraw))
        .at("/organization/:id/settings/roles", get(roles::page))
        .at("/organization/:id/settings/tokens", get(tokens::page).post(tokens::create))
        .at("/organization/:id/settings/token/:token", post(tokens::revoke))
        .at("/organization/:id/settings/access-token/:token", post(tokens::revoke_access_token))
        .at("/organization/:id/settings/logins", get(logins::page))
        .at("/organization/:id/settings/clusters", get(clusters::page))
        .at("/organization/:id/settings/webhooks", get(webhooks::page))
        .at("/organization/:id/settings/events", get(event_list::page))
}

/// Each row has a form, an address that deletes it, and a form for a new one.
fn forms(route: Route) -> Route {
    route
        .at("/organization/:id/settings/roles/new", get(role_form::new).post(role_form::create))
        .at("/organization/:id/settings/role/:row/edit", get(role_form::edit).post(role_form::save))
        .at("/organization/:id/settings/role/:row/delete", post(role_form::delete))
        .at("/organization/:id/settings/registries/new", get(registry_form::new).post(registry_form::create))
        .at("/organization/:id/settings/registry/:row/edit", get(registry_form::edit).post(registry_form::save))
        .at("/organization/:id/settings/registry/:row/delete", post(registry_form::delete))
        .at("/organization/:id/settings/git-logins/new", get(git_login_form::new).post(git_login_form::create))
        .at("/organization/:id/settings/git-login/:row/edit", get(git_login_form::edit).post(git_login_form::save))
        .at("/organization/:id/settings/git-login/:row/delete", post(git_login_form::delete))
        .at("/organization/:id/settings/clusters/new", get(cluster_form::new).post(cluster_form::create))
        .at("/organization/:id/settings/cluster/:row/edit", get(cluster_form::edit).post(cluster_form::save))
        .at("/organization/:id/settings/cluster/:row/kubeconfig", post(cluster_form::set_kubeconfig))
        .at("/organization/:id/settings/cluster/:row/delete", post(cluster_form::delete))
        .at("/organization/:id/settings/webhooks/new", get(webhook_form::new).post(webhook_form::create))
        .at("/organization/:id/settings/webhook/:row/edit", get(webhook_form::edit).post(webhook_form::save))
        .at("/organization/:id/settings/webhook/:row/delete", post(webhook_form::delete))
}

//! The settings of an organization: who belongs to it, what may be used, and who changed what.

mod alert_page;
mod alert_words;
mod calendar_form;
mod calendars;
mod cluster_agents;
mod cluster_form;
mod clusters;
mod event_list;
mod git_login_form;
mod global_variable_form;
mod logins;
mod member_list;
mod module_form;
mod private_registry;
mod provider_page;
mod push_hooks;
mod quiet_fields;
mod receiver_form;
mod registry_form;
mod role_form;
mod roles;
mod rule_form;
mod setting_form;
mod signing_key_form;
mod silence_form;
mod ssh_key_form;
mod tabs;
mod template_form;
mod terraform;
mod tokens;
mod vcs_form;
mod webhook_form;
mod webhooks;

use poem::{Route, get, post};

/// Adds the pages.
pub(super) fn routes(route: Route) -> Route {
    alert_forms(workspace_forms(forms(route)))
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
        .at("/organization/:id/settings/push-hooks", get(push_hooks::page).post(push_hooks::create))
        .at("/organization/:id/settings/push-hook/:row/secret", post(push_hooks::replace_secret))
        .at("/organization/:id/settings/push-hook/:row/delete", post(push_hooks::delete))
        .at("/organization/:id/settings/calendars", get(calendars::page))
        .at("/organization/:id/settings/terraform", get(terraform::page))
        .at("/organization/:id/settings/private-registry", get(private_registry::page))
        .at("/organization/:id/settings/alerts", get(alert_page::page))
        .at("/organization/:id/settings/alerts/live", get(alert_page::fresh))
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
        .at("/organization/:id/settings/cluster/:row/agents", get(cluster_agents::page).post(cluster_agents::create))
        .at("/organization/:id/settings/cluster/:row/agent/:agent", post(cluster_agents::remove))
        .at("/organization/:id/settings/webhooks/new", get(webhook_form::new).post(webhook_form::create))
        .at("/organization/:id/settings/webhook/:row/edit", get(webhook_form::edit).post(webhook_form::save))
        .at("/organization/:id/settings/webhook/:row/delete", post(webhook_form::delete))
        .at("/organization/:id/settings/calendars/new", get(calendar_form::new).post(calendar_form::create))
        .at("/organization/:id/settings/calendar/:row/edit", get(calendar_form::edit).post(calendar_form::save))
        .at("/organization/:id/settings/calendar/:row/delete", post(calendar_form::delete))
}

/// The forms of what workspaces share.
fn workspace_forms(route: Route) -> Route {
    route
        .at("/organization/:id/settings/templates/new", get(template_form::new).post(template_form::create))
        .at("/organization/:id/settings/template/:row/edit", get(template_form::edit).post(template_form::save))
        .at("/organization/:id/settings/template/:row/delete", post(template_form::delete))
        .at(
            "/organization/:id/settings/global-variables/new",
            get(global_variable_form::new).post(global_variable_form::create),
        )
        .at(
            "/organization/:id/settings/global-variable/:row/edit",
            get(global_variable_form::edit).post(global_variable_form::save),
        )
        .at("/organization/:id/settings/global-variable/:row/delete", post(global_variable_form::delete))
        .at("/organization/:id/settings/vcs-connections/new", get(vcs_form::new).post(vcs_form::create))
        .at("/organization/:id/settings/vcs-connection/:row/edit", get(vcs_form::edit).post(vcs_form::save))
        .at("/organization/:id/settings/vcs-connection/:row/delete", post(vcs_form::delete))
        .at("/organization/:id/settings/modules/new", get(module_form::new).post(module_form::create))
        .at("/organization/:id/settings/module/:row/edit", get(module_form::edit).post(module_form::save))
        .at("/organization/:id/settings/module/:row/refresh", post(module_form::refresh_now))
        .at("/organization/:id/settings/module/:row/delete", post(module_form::delete))
        .at("/organization/:id/settings/signing-keys/new", get(signing_key_form::new).post(signing_key_form::create))
        .at("/organization/:id/settings/signing-key/:row/delete", post(signing_key_form::delete))
        .at("/organization/:id/settings/provider/:row", get(provider_page::page))
        .at("/organization/:id/settings/provider/:row/delete", post(provider_page::delete))
        .at("/organization/:id/settings/provider-version/:row/delete", post(provider_page::remove_version))
        .at("/organization/:id/settings/provider-platform/:row/delete", post(provider_page::remove_platform))
        .at("/organization/:id/settings/ssh-keys/new", get(ssh_key_form::new).post(ssh_key_form::create))
        .at("/organization/:id/settings/ssh-key/:row/edit", get(ssh_key_form::edit).post(ssh_key_form::save))
        .at("/organization/:id/settings/ssh-key/:row/delete", post(ssh_key_form::delete))
}

fn alert_forms(route: Route) -> Route {
    route
        .at("/organization/:id/settings/alert-rules/new", get(rule_form::new).post(rule_form::create))
        .at("/organization/:id/settings/alert-rule/:row/edit", get(rule_form::edit).post(rule_form::save))
        .at("/organization/:id/settings/alert-rule/:row/delete", post(rule_form::delete))
        .at("/organization/:id/settings/alert-receivers/new", get(receiver_form::new).post(receiver_form::create))
        .at("/organization/:id/settings/alert-receiver/:row/edit", get(receiver_form::edit).post(receiver_form::save))
        .at("/organization/:id/settings/alert-receiver/:row/test", post(receiver_form::test))
        .at("/organization/:id/settings/alert-receiver/:row/delete", post(receiver_form::delete))
        .at("/organization/:id/settings/alert-silences/new", get(silence_form::new).post(silence_form::create))
        .at("/organization/:id/settings/alert-silence/:row/edit", get(silence_form::edit).post(silence_form::save))
        .at("/organization/:id/settings/alert-silence/:row/delete", post(silence_form::delete))
}

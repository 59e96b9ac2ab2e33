//! The settings of an organization: registries, git tokens, clusters, calendars, webhooks, push hooks and custom roles; templates and logins of workspaces; modules and providers.
//! Callers have checked that the requester may change them. Each change is one transaction, with its event; the rows of workspaces
//! record themselves who changed them.

pub mod agent_settings;
pub mod calendar_settings;
pub mod cluster_settings;
pub mod git_token_settings;
pub mod module_settings;
pub mod provider_settings;
pub mod push_hook_settings;
pub mod quiet_check;
pub mod registry_address;
pub mod registry_settings;
pub mod registry_tags;
pub mod repository_login;
pub mod role_settings;
pub mod template_settings;
pub mod webhook_settings;

use chrono::{DateTime, SecondsFormat, Utc};

/// A time as events record it.
fn at(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Micros, true)
}

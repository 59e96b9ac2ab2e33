//! Authentication and authorization.
//!
//! Every row with a URL is loaded through a function of this folder, which also decides whether the caller may use it:
//! a row that the caller may not see is reported as missing, and an action that they may not take as forbidden.

pub use self::access_tokens::{access_token, access_tokens};
pub use self::alert_settings::{alert_receiver, alert_rule, alert_silence};
pub use self::caller::{Caller, Identity, Subject};
pub use self::environment::{deployment, environment, environment_mode, stage};
pub use self::job::{check, job, job_answer, job_or_check, job_row, run};
pub use self::location::location;
pub use self::named::{named_organization, named_workspace, seen_workspaces, shown_organization};
pub use self::organization_settings::{
    agent, calendar, cluster, custom_role, git_token, group, invitation, push_hook, registry, restriction, token,
    webhook,
};
pub use self::project::{new_environment, organization, project, project_rule};
pub use self::role::{Grant, Location};
pub use self::role_action::Action;
pub use self::sight::sight;
pub use self::workspace::{ReadWorkspace, require_right, workspace, workspace_job};
pub use self::workspace_settings::{
    global_variable, registry_module, registry_platform, registry_provider, registry_version, signing_key, ssh_key,
    template, vcs, workspace_rights,
};

mod access_tokens;
mod alert_settings;
pub mod authenticate;
mod caller;
pub mod code_flow;
mod environment;
mod job;
mod jwks;
pub mod jwt;
mod last_use;
mod location;
mod membership;
mod named;
mod organization_settings;
pub mod own_jwt;
pub mod principal;
mod project;
pub mod reach;
pub mod read_guard;
mod rights;
pub mod role;
mod role_action;
mod sight;
mod workspace;
mod workspace_settings;

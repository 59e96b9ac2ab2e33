//! Authentication and authorization.
//!
//! Every row with a URL is loaded through a function of this folder, which also decides whether the caller may use it:
//! a row that the caller may not see is reported as missing, and an action that they may not take as forbidden.

pub use self::caller::{Caller, Identity, Subject};
pub use self::environment::{deployment, environment, stage};
pub use self::job::{job, job_row, run};
pub use self::location::location;
pub use self::organization_settings::{
    cluster, custom_role, git_token, group, invitation, registry, restriction, token, webhook,
};
pub use self::project::{new_environment, organization, project, project_rule};
pub use self::role::{Grant, Location};
pub use self::role_action::Action;

pub mod authenticate;
mod caller;
mod environment;
mod job;
mod jwks;
pub mod jwt;
mod location;
mod organization_settings;
mod project;
pub mod reach;
mod rights;
pub mod role;
mod role_action;

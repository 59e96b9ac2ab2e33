//! Who calls, and what they may reach.
//!
//! A row that has a URL reaches a handler only through a function of this folder, which loads it and decides:
//! what the caller may not see is not found, what they may see but not do is forbidden.

pub use self::caller::{Caller, Identity, Subject};
pub use self::environment::{deployment, environment, stage};
pub use self::job::{job, job_row, run};
pub use self::location::location;
pub use self::organization_settings::{
    cluster, custom_role, git_token, group, invitation, registry, restriction, token, webhook,
};
pub use self::project::{new_environment, organization, project, project_rule};
pub use self::role::{Action, Grant, Location};

pub mod authenticate;
mod caller;
mod environment;
mod job;
mod jwks;
pub mod jwt;
mod location;
mod organization_settings;
mod project;
mod rights;
pub mod role;
pub mod team;

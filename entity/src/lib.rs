//! Rows and the values stored in them: one table per file, its enums beside it.
//!
//! No HTTP, no queries, no logic.

pub mod api_token;
pub mod cluster;
pub mod counter;
pub mod deployment;
pub mod deployment_job;
pub mod environment;
pub mod id;
pub mod job;
pub mod log_line;
pub mod member;
pub mod organization;
pub mod person;
pub mod project;
pub mod registry;
pub mod run;

/// The key that makes a name unique ignoring case: trimmed and lower-cased.
#[must_use]
pub fn name_key(name: &str) -> String {
    name.trim().to_lowercase()
}

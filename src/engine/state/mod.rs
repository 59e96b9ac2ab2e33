//! The states, parts and logs of environments and their deployments, read from what was recorded.

mod deployment_parts;
mod log_composer;
mod log_of_deployment;
mod part_runs;
mod snapshot;

pub use self::deployment_parts::DeploymentParts;
pub use self::log_composer::{DeploymentLogEntry, action_noun};
pub use self::log_of_deployment::deployment_log;
pub use self::part_runs::{PartRuns, doing, run_ids};
pub use self::snapshot::{Configuration, EnvironmentSnapshot, Freshness, JobSnapshot, needs_part_before};

//! The effects of a deployment on its jobs, pure.

mod build_spec;
mod outdated;
mod plan;
mod run_spec;
mod stages;

pub use self::build_spec::build_spec;
pub use self::outdated::{effective, is_outdated, runs_alike};
pub use self::plan::{Deployed, Past, Plan, command, events, needs_build, plan};
pub use self::run_spec::run_spec;
pub use self::stages::{NextStage, next_stage};

//! Advances workspace jobs step by step, and turns each workspace step into a step for a runner.

pub(super) mod advance;
pub(super) mod ended;
pub mod files;
mod inputs;
pub(super) mod place;
mod plan_to_show;
mod registry_login;
mod run_names;
mod saved_plan;
pub(super) mod schedule;
mod source;
pub(super) mod step;
pub(super) mod step_result;
mod subject;
mod uploaded_source;
pub(super) mod withdrawn;
mod work;

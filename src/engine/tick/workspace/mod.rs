//! What the engine does with workspace jobs: advances them step by step, and turns a step into what a runner executes.

pub(super) mod advance;
pub(super) mod ended;
pub mod files;
mod inputs;
pub(super) mod left;
pub(super) mod place;
pub(super) mod schedule;
mod source;
pub(super) mod step;
mod subject;
mod work;

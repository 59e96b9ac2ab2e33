//! What the engine does with deployments.

mod carry_out;
pub(super) mod finish;
mod part;
pub(super) mod start;
mod walk;

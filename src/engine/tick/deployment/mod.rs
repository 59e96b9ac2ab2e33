//! What the engine does with deployments.

pub(super) mod advance;
mod carry_out;
mod part;

//! The passes that start and finish deployments, and what they do with each job.

mod carry_out;
pub(super) mod finish;
mod part;
pub(super) mod start;
mod walk;

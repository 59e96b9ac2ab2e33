//! The state machine of a run, pure.

pub mod decide;

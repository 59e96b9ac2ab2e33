//! The variables of a run, pure.

pub mod built_in;
mod resolve;

pub use self::resolve::{ResolvedVariable, Variable, VariableScope, resolve};

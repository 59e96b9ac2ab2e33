//! The variables of a run, pure.

pub mod built_in;
mod key;
mod resolve;

pub use self::key::{MAX_ENTRY, check_environment, check_key, hides_file};
pub use self::resolve::{ResolvedVariable, Variable, VariableScope, resolve};

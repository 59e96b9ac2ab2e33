//! The variables of a run, pure.

pub mod built_in;
mod dotenv;
mod hcl_value;
mod key;
mod resolve;
mod workspace_key;

pub use self::dotenv::{DotenvEntry, parse_dotenv};
pub use self::hcl_value::check_hcl;
pub use self::key::{MAX_ENTRY, check_environment, check_key, hides_file};
pub use self::resolve::{ResolvedVariable, Variable, VariableScope, resolve};
pub use self::workspace_key::check_workspace_key;

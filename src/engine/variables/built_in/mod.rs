//! Built-in variables, which are derived and have no row. Pure.

mod environment;
mod list;
mod run;
mod short_id;

pub use self::environment::EnvironmentContext;
pub use self::list::{BuiltInVariable, JobContext, ListContext, for_list};
pub use self::run::{RunContext, for_run};
pub use self::short_id::short_id;

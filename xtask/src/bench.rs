//! `cargo xtask bench`: builds the release and runs the benchmark beside a PostgreSQL of its own.

use crate::command::{self, Result};
use crate::services;

/// Prints one table from one run.
pub(crate) fn run() -> Result<()> {
    let services = services::start()?;
    let mut command = command::cargo();
    command.args(["bench", "--bench", "http"]);
    command.envs(services.variables.iter().map(|(name, value)| (*name, value)));
    command::run(&mut command)
}

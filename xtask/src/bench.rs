//! `cargo xtask bench`: builds the release and runs the benchmark beside a PostgreSQL of its own.

use std::process::Command;

use crate::command::{self, Result, root};
use crate::services;

/// Prints one table from one run.
pub(crate) fn run() -> Result<()> {
    let services = services::start()?;
    let mut command = Command::new("cargo");
    command.current_dir(root()).args(["bench", "--quiet", "--bench", "http"]);
    command.envs(services.variables.iter().map(|(name, value)| (*name, value)));
    command::run(&mut command)
}

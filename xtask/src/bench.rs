//! `cargo xtask bench`: builds the release and runs the benchmark beside a PostgreSQL of its own.

use crate::command::{self, Result};
use crate::services;

/// Prints two tables, each from one run: requests, and the engine.
pub(crate) fn run() -> Result<()> {
    let services = services::start()?;
    for bench in ["http", "engine"] {
        let mut command = command::cargo();
        command.args(["bench", "--bench", bench]);
        command.envs(services.variables.iter().map(|(name, value)| (*name, value)));
        command::run(&mut command)?;
    }
    Ok(())
}

//! `cargo xtask bench`: runs the benchmarks of the release build, with a PostgreSQL server of their own.

use crate::command::{self, Result};
use crate::services;

/// Prints two tables: requests, and the engine.
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

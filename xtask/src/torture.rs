//! `cargo xtask torture`: servers are killed while containers run.

use crate::command::{self, Result};
use crate::services::{self, Services};

/// Kills servers on SQLite and on PostgreSQL.
pub(crate) fn run(words: &[&str]) -> Result<()> {
    let kills = match words.first() {
        Some(word) => word.parse::<u32>().map_err(|_| format!("{word:?} is not a number"))?,
        None => 50,
    };
    with(&services::start()?, kills)
}

/// Does so with services that are running already.
pub(crate) fn with(services: &Services, kills: u32) -> Result<()> {
    let mut command = command::cargo();
    command.args(["test", "--test", "it", "torture", "--", "--ignored", "--nocapture", "--test-threads=1"]);
    command.env("WINDLASS_TORTURE_KILLS", kills.to_string());
    command.envs(services.variables.iter().map(|(name, value)| (*name, value)));
    command::run(&mut command)
}

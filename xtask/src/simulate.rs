//! `cargo xtask simulate`: simulates the engine with any number of seeds.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::command::{self, Result};

/// Runs seeds; the test names one that fails.
pub(crate) fn run(words: &[&str]) -> Result<()> {
    let number = |place: usize, default: u64| match words.get(place) {
        Some(word) => word.parse::<u64>().map_err(|_| format!("{word:?} is not a number")),
        None => Ok(default),
    };
    #[expect(clippy::disallowed_methods, reason = "other seeds every day")]
    let days = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs() / 86_400);
    let mut command = command::cargo();
    command.args(["test", "--test", "it", "simulation", "--", "--nocapture"]);
    command.env("WINDLASS_SIMULATION_SEEDS", number(0, 10_000)?.to_string());
    command.env("WINDLASS_SIMULATION_FIRST", number(1, days * 1_000_000)?.to_string());
    command::run(&mut command)
}

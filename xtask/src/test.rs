//! `cargo xtask test`: all tests, on SQLite and then on PostgreSQL, with a Docker engine and a registry; then the clients, and
//! fuzzing.

use std::process::Command;

use crate::command::{self, Missing, Result};
use crate::timing::Timing;
use crate::{chart, clients, fuzz, services, torture};

/// The number of seeds to simulate on SQLite, and on PostgreSQL: two minutes. `cargo xtask simulate` takes as many as there is time for.
const SEEDS: [&str; 2] = ["100", "40"];
/// The number of times that servers are killed.
const KILLS: u32 = 20;
/// Modules of tests that read files or run processes, and do the same on every database.
const WITHOUT_DATABASE: [&str; 5] = ["architecture::", "documentation::", "processes::", "runner::", "words::"];

/// Fuzzes in a process of its own, which gives way to others.
fn fuzz_nicely() -> Result<()> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    command::run(Command::new("nice").arg(program).arg("fuzz"))
}

/// Runs all tests.
pub(crate) fn run(missing: Missing) -> Result<()> {
    let mut timing = Timing::of("cargo xtask test");
    let mut services = timing.part("services", services::start)?;
    let fuzzing = fuzz::missing();
    let touring = clients::missing(&services);
    services.missing.extend(fuzzing.clone());
    services.missing.extend(touring.clone());
    if missing == Missing::Fail && !services.missing.is_empty() {
        return Err(format!("missing, and --strict forbids to skip tests:\n  {}", services.missing.join("\n  ")));
    }
    let database = "WINDLASS_TEST_DATABASE_URL";
    let threads = 2 * std::thread::available_parallelism().map_or(1, usize::from);
    let cargo = |words: &[&str], with_database: bool| {
        let mut command = command::cargo();
        command.arg("test").args(words).env("INSTA_UPDATE", "no");
        for (name, value) in services.variables.iter().filter(|(name, _)| with_database || *name != database) {
            command.env(name, value);
        }
        if missing == Missing::Fail {
            command.env("WINDLASS_TEST_STRICT", "1");
        }
        // Many tests wait: for the engine, for a container, for a program that is slow.
        command.env("RUST_TEST_THREADS", threads.to_string());
        let [on_sqlite, on_postgres] = SEEDS;
        command.env("WINDLASS_SIMULATION_SEEDS", if with_database { on_postgres } else { on_sqlite });
        command::run(&mut command)
    };
    eprintln!("== unit tests, and all others on SQLite");
    timing.part("unit tests, and all others on SQLite", || cargo(&["--workspace"], false))?;
    if services.variables.iter().any(|(name, _)| *name == database) {
        eprintln!("== the same on PostgreSQL");
        let skipped = WITHOUT_DATABASE.iter().flat_map(|module| ["--skip", module]);
        let words: Vec<&str> = ["--test", "it", "--"].into_iter().chain(skipped).collect();
        timing.part("PostgreSQL", || cargo(&words, true))?;
    }
    if services.variables.iter().any(|(name, _)| *name == "WINDLASS_TEST_DOCKER") {
        eprintln!("== servers are killed while containers run");
        timing.part("torture", || torture::with(&services, KILLS))?;
    }
    // Both wait for servers most of the time, each for its own ones.
    std::thread::scope(|scope| {
        let fuzzing = fuzzing.is_none().then(|| {
            eprintln!("== fuzzing, beside the clients, in the time that they leave");
            scope.spawn(fuzz_nicely)
        });
        let mut toured = Ok(());
        if touring.is_empty() {
            eprintln!("== clients");
            toured = timing.part("clients", clients::tour);
            if toured.is_ok() {
                // Its program is built with the Go of the clients.
                toured = timing.part("the Helm chart", chart::run_all);
            }
        }
        let fuzzed = fuzzing.map_or(Ok(()), |fuzzing| {
            let end = || fuzzing.join().unwrap_or_else(|_| Err("fuzzing panicked".into()));
            timing.part("what was left of fuzzing", end)
        });
        toured.and(fuzzed)
    })?;
    match services.missing.as_slice() {
        [] => eprintln!("== all tests passed, none were skipped"),
        left => eprintln!("== passed, but tests were SKIPPED that need:\n  {}", left.join("\n  ")),
    }
    Ok(())
}

//! `cargo xtask lint`: all checks that run no test. Formatting, lints, documentation, dependencies.
//!
//! `cargo deny` and `cargo machete` are built with cargo into target/tools, once for each version.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::command::{self, Result, read, root, run};
use crate::timing::Timing;
use crate::tools::{TOOLS, installed};

/// Pinned, so that a new release of a linter does not fail an old commit. Each is built without optional features.
const DENY: (&str, &str) = ("cargo-deny", "0.20.2");
const MACHETE: (&str, &str) = ("cargo-machete", "0.9.2");

/// Whether clippy is part of the checks.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Clippy {
    Included,
    /// It has compiled the tests, as in `.ci/run`.
    Elsewhere,
}

/// Runs every check; the first that fails ends it.
pub(crate) fn run_all(clippy: Clippy) -> Result<()> {
    let mut timing = Timing::of("cargo xtask lint");
    timing.part("formatting", || run(command::cargo().args(["fmt", "--all", "--", "--check"])))?;
    if clippy == Clippy::Included {
        let words = ["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"];
        timing.part("clippy", || run(command::cargo().args(words)))?;
    }
    // With the features that it is shipped with: tests have more, which would hide that one is missing.
    timing.part("the program alone", || run(command::cargo().args(["check", "--bin", "windlass", "--locked"])))?;
    timing.part("documentation", || {
        let words = ["doc", "--workspace", "--no-deps", "--document-private-items", "--locked", "--quiet"];
        run(command::cargo().args(words).env("RUSTDOCFLAGS", "-D warnings"))
    })?;
    let [deny, machete] = timing.part("tools for dependencies", || {
        let programs = [installed(DENY)?, installed(MACHETE)?];
        // Half a GiB that nothing needs any more.
        let _removed = fs::remove_dir_all(root().join(TOOLS).join("build"));
        Ok(programs)
    })?;
    timing.part("bans, licenses, sources", || {
        run(cargo_deny(&deny).args(["--locked", "check", "bans", "licenses", "sources"]))
    })?;
    let skipped = timing.part("advisories", || advisories(&deny))?;
    // Reads the imports of all files; what it takes for unused wrongly is listed in the Cargo.toml that it is in.
    timing.part("unused dependencies", || run(Command::new(&machete).arg(".").current_dir(root())))?;
    match skipped {
        None => eprintln!("== all checks passed"),
        Some(reason) => eprintln!("== all other checks passed; SKIPPED: known vulnerabilities: {reason}"),
    }
    Ok(())
}

fn cargo_deny(program: &Path) -> Command {
    let mut command = Command::new(program);
    // Without a terminal a git host that wants a password would be waited for.
    command.current_dir(root()).env("GIT_TERMINAL_PROMPT", "0");
    command
}

/// Holds the dependencies against the database of known vulnerabilities, or says why it cannot: the database is in a git
/// repository, and a machine that builds from a registry mirror may not reach it.
fn advisories(deny: &Path) -> Result<Option<String>> {
    if let Err(reason) = read(cargo_deny(deny).args(["fetch", "db"])) {
        // The last line is git's own.
        let last = reason.lines().last().unwrap_or_default();
        return Ok(Some(format!("the advisory database cannot be fetched: {last}")));
    }
    run(cargo_deny(deny).args(["--locked", "check", "advisories"]))?;
    Ok(None)
}

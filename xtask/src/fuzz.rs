//! `cargo xtask fuzz`: Schemathesis calls every operation of the API, on a server that cannot run anything. Each run has another seed,
//! which is printed.

use std::path::PathBuf;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::command::{Result, find, root, run};
use crate::{python, server};

/// Pinned, so that the same seed makes the same calls.
const SCHEMATHESIS: &str = "schemathesis==4.32.5";

/// The reason why fuzzing is not possible, if there is one.
pub(crate) fn missing() -> Option<String> {
    match find("python3") {
        None => Some("fuzzing: python3 is not installed".into()),
        Some(_) => tool().err().map(|reason| format!("fuzzing: {reason}")),
    }
}

/// Fuzzes with the seed in `words`, or a fresh one; calls that failed are logged in target/fuzz/fuzz.log.
pub(crate) fn run_all(words: &[&str]) -> Result<()> {
    let seed = match words {
        [] => fresh_seed(),
        [word] => word.parse().map_err(|_| format!("{word:?} is not a number"))?,
        _ => return Err("at most one seed".into()),
    };
    let python = tool()?;
    let folder = root().join("target/fuzz");
    // Random commands must never run.
    let nowhere = ["--runner", "docker", "--docker-host", "unix:///nonexistent/docker.sock", "--log", "error"];
    let server = server::start(&folder, &nowhere)?;
    run(Command::new(python)
        .arg(root().join("tests/fuzz/run.py"))
        .args([&server.url, &server.token])
        .arg(&folder)
        .arg(seed.to_string()))
}

/// Another number at every run.
fn fresh_seed() -> u64 {
    #[expect(clippy::disallowed_methods, reason = "another seed at every run")]
    let now = SystemTime::now();
    now.duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs())
}

/// A Python with Schemathesis, installed once.
fn tool() -> Result<PathBuf> {
    python::with(&root().join("target/fuzz/venv"), &[SCHEMATHESIS])
}

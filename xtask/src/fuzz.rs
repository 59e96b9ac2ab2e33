//! `cargo xtask fuzz`: Schemathesis calls every operation of the API, on a server that cannot run anything.

use std::path::PathBuf;
use std::process::Command;

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

/// Fuzzes; calls that failed are logged in target/fuzz/fuzz.log.
pub(crate) fn run_all() -> Result<()> {
    let python = tool()?;
    let folder = root().join("target/fuzz");
    // Random commands must never run.
    let nowhere = ["--runner", "docker", "--docker-host", "unix:///nonexistent/docker.sock", "--log", "error"];
    let server = server::start(&folder, &nowhere)?;
    run(Command::new(python).arg(root().join("tests/fuzz/run.py")).args([&server.url, &server.token]).arg(&folder))
}

/// A Python with Schemathesis, installed once.
fn tool() -> Result<PathBuf> {
    python::with(&root().join("target/fuzz/venv"), SCHEMATHESIS)
}

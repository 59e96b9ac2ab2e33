//! `cargo xtask fuzz`: schemathesis over the whole contract, against a server of its own that can run nothing.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::command::{self, Result, find, read, root, run};

/// Pinned, so that the same seed makes the same calls.
const SCHEMATHESIS: &str = "schemathesis==4.32.5";
const PATIENCE: Duration = Duration::from_secs(60);

struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _killed = self.0.kill();
        let _ended = self.0.wait();
    }
}

/// Whether the tools are there, or can be had.
pub(crate) fn missing() -> Option<String> {
    match find("python3") {
        None => Some("fuzzing: python3 is not installed".into()),
        Some(_) => tool().err().map(|reason| format!("fuzzing: {reason}")),
    }
}

/// Fuzzes; the log of the calls that failed is target/fuzz/fuzz.log.
pub(crate) fn run_all() -> Result<()> {
    let python = tool()?;
    let folder = root().join("target/fuzz");
    run(command::cargo().args(["build", "--bin", "windlass"]))?;
    let data = folder.join("data");
    let _old = fs::remove_dir_all(&data);
    let out = folder.join("out");
    let file = fs::File::create(&out).map_err(|e| format!("{}: {e}", out.display()))?;
    let mut command = Command::new(target_folder().join("debug/windlass"));
    command.args(["serve", "--listen", "127.0.0.1:0", "--data-dir"]).arg(&data);
    // Random commands must find no place where they could run.
    command.args(["--runner", "docker", "--docker-host", "unix:///nonexistent/docker.sock", "--log", "error"]);
    command.stdout(file).stdin(Stdio::null());
    let _server = Server(command.spawn().map_err(|e| format!("windlass: {e}"))?);
    let (url, token) = greeting(&out)?;
    run(Command::new(python).arg(root().join("tests/fuzz/run.py")).args([&url, &token]).arg(&folder))
}

/// Where cargo builds.
fn target_folder() -> PathBuf {
    #[expect(clippy::disallowed_methods, reason = "cargo's own variable, not a setting of the server")]
    let named = std::env::var_os("CARGO_TARGET_DIR");
    named.map_or_else(|| root().join("target"), PathBuf::from)
}

/// The address and the token that a first start prints.
fn greeting(out: &Path) -> Result<(String, String)> {
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        let text = fs::read_to_string(out).unwrap_or_default();
        let url = text.split_whitespace().find(|word| word.starts_with("http"));
        let token = text.split("TOKEN=").nth(1).and_then(|rest| rest.split_once('\n')).map(|(token, _)| token.trim());
        if let (Some(url), Some(token)) = (url, token) {
            return Ok((url.to_owned(), token.to_owned()));
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Err("the server did not start".into())
}

/// A Python with the tool, made once.
fn tool() -> Result<PathBuf> {
    let folder = root().join("target/fuzz");
    fs::create_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let python = folder.join("venv/bin/python");
    let (_, version) = SCHEMATHESIS.split_once("==").unwrap_or_default();
    let check = format!("import importlib.metadata as m; assert m.version('schemathesis') == '{version}'");
    if read(Command::new(&python).args(["-c", &check])).is_err() {
        read(Command::new("python3").args(["-m", "venv", "--clear"]).arg(folder.join("venv")))?;
        read(Command::new(&python).args(["-m", "pip", "install", "-q", SCHEMATHESIS]))?;
    }
    Ok(python)
}

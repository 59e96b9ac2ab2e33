//! A server built from this repository, for tools that call it over HTTP.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::command::{self, Result, root, run};

const PATIENCE: Duration = Duration::from_secs(60);

/// A running server; killed when dropped.
pub(crate) struct Server {
    child: Child,
    pub(crate) url: String,
    /// The API token that it printed at its first start.
    pub(crate) token: String,
    /// The link that signs in to its console, once.
    pub(crate) link: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _killed = self.child.kill();
        let _ended = self.child.wait();
    }
}

/// Builds the server, and starts it with an empty database in `folder`.
pub(crate) fn start(folder: &Path, words: &[&str]) -> Result<Server> {
    // The program that the tests have built: built alone, it and twenty libraries would have other features, and be built again.
    run(command::cargo().args(["test", "--workspace", "--no-run"]))?;
    let data = folder.join("data");
    let _old = fs::remove_dir_all(&data);
    fs::create_dir_all(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let out = folder.join("out");
    let file = fs::File::create(&out).map_err(|e| format!("{}: {e}", out.display()))?;
    let mut command = Command::new(target_folder().join("debug/windlass"));
    command.args(["serve", "--listen", "127.0.0.1:0", "--data-dir"]).arg(&data).args(words);
    command.stdout(file).stdin(Stdio::null());
    let child = command.spawn().map_err(|e| format!("windlass: {e}"))?;
    let mut server = Server { child, url: String::new(), token: String::new(), link: String::new() };
    (server.url, server.link, server.token) = greeting(&out)?;
    Ok(server)
}

/// Cargo's target folder.
fn target_folder() -> PathBuf {
    #[expect(clippy::disallowed_methods, reason = "cargo's own variable, not a setting of the server")]
    let named = std::env::var_os("CARGO_TARGET_DIR");
    named.map_or_else(|| root().join("target"), PathBuf::from)
}

/// The address, the link to the console and the token that a first start prints.
fn greeting(out: &Path) -> Result<(String, String, String)> {
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        let text = fs::read_to_string(out).unwrap_or_default();
        let url = text.split_whitespace().find(|word| word.starts_with("http"));
        let token = text.split("TOKEN=").nth(1).and_then(|rest| rest.split_once('\n')).map(|(token, _)| token.trim());
        let link = text.split_whitespace().find(|word| word.contains("/console/sign-in/link?"));
        if let (Some(url), Some(link), Some(token)) = (url, link, token) {
            return Ok((url.to_owned(), link.to_owned(), token.to_owned()));
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Err("the server did not start".into())
}

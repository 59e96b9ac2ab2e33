//! Runs `git` without a terminal, with a timeout and with the login in the environment.
//!
//! Git asks for the login when a server requires one, and gets it only for the origins that it belongs to: not after a redirect to
//! another host, and not for a submodule elsewhere. The same holds for SSH keys.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;

use super::failure::{Failure, Given, failure};
use super::ssh::KeyFile;
use crate::config::inherited_environment;
use crate::secret::{Origin, Secret};

/// The timeout of one call.
const PATIENCE: Duration = Duration::from_secs(30);
/// The size limit of output, in bytes.
const FILE: usize = 1024 * 1024;

/// Clones are used once: there is nothing to maintain, and nothing to save from a power failure.
const ONE_USE: [&str; 6] = ["-c", "maintenance.auto=false", "-c", "gc.auto=0", "-c", "core.fsync=none"];

/// The credential helper. Git runs it in a shell, which reads the login from the environment.
const HELPER: &str = "!login() { [ \"$1\" != get ] || printf 'username=%s\\npassword=%s\\n' \
    \"$WINDLASS_GIT_USERNAME\" \"$WINDLASS_GIT_PASSWORD\"; }; login";

/// A login to a git host.
#[derive(Clone, Debug)]
pub struct Login {
    pub username: String,
    pub token: Secret<String>,
    /// Where it may be sent.
    pub origins: Vec<Origin>,
}

impl Login {
    /// The configuration with which git asks for the login, for its own origins only.
    fn configure(&self, command: &mut Command) -> Result<(), Failure> {
        let Self { username, token, origins } = self;
        let token = token.expose().trim();
        if [username.as_str(), token].iter().any(|text| text.contains(['\0', '\r', '\n'])) {
            return Err("the login for the repository contains line breaks or NUL characters".to_owned().into());
        }
        command.env("WINDLASS_GIT_USERNAME", username).env("WINDLASS_GIT_PASSWORD", token);
        command.env("GIT_CONFIG_COUNT", origins.len().to_string());
        for (number, origin) in origins.iter().enumerate() {
            command
                .env(format!("GIT_CONFIG_KEY_{number}"), format!("credential.{origin}.helper"))
                .env(format!("GIT_CONFIG_VALUE_{number}"), HELPER);
        }
        Ok(())
    }
}

/// How git connects to a repository.
#[derive(Clone, Copy, Default)]
pub(super) struct Transport<'a> {
    pub(super) login: Option<&'a Login>,
    pub(super) key: Option<&'a KeyFile>,
    pub(super) local: bool,
}

impl<'a> From<Option<&'a Login>> for Transport<'a> {
    fn from(login: Option<&'a Login>) -> Self {
        Self { login, ..Self::default() }
    }
}

pub(super) async fn run<'a>(
    folder: &Path,
    words: &[&str],
    transport: impl Into<Transport<'a>>,
) -> Result<String, Failure> {
    run_for(folder, words, transport, PATIENCE).await
}

pub(super) async fn run_for<'a>(
    folder: &Path,
    words: &[&str],
    transport: impl Into<Transport<'a>>,
    patience: Duration,
) -> Result<String, Failure> {
    let Transport { login, key, local } = transport.into();
    let given = login.map_or(Given::Nothing, |login| Given::Login(&login.origins));
    let protocols = ["http:https", if key.is_some() { ":ssh" } else { "" }, if local { ":file" } else { "" }].concat();
    let mut command = Command::new("git");
    command.env_clear().envs(inherited_environment());
    if let Some(key) = key {
        key.configure(&mut command);
    }
    command
        .args(ONE_USE)
        .args(words)
        .current_dir(folder)
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GIT_ALLOW_PROTOCOL", protocols)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .kill_on_drop(true);
    if let Some(login) = login {
        login.configure(&mut command)?;
    }
    let output = match tokio::time::timeout(patience, command.output()).await {
        Err(_) => return Err(format!("the repository did not respond within {} seconds", patience.as_secs()).into()),
        Ok(Err(_)) => return Err("git is not installed on the server".to_owned().into()),
        Ok(Ok(output)) => output,
    };
    if !output.status.success() {
        return Err(failure(&String::from_utf8_lossy(&output.stderr), given));
    }
    if output.stdout.len() > FILE {
        return Err("the file is too large".to_owned().into());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

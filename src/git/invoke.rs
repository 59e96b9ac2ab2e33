//! Runs `git` without a terminal, with a timeout and with the login in the environment.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::process::Command;

use super::failure::{Failure, Given, failure};
use crate::secret::{SECRET_VARIABLES, Secret};

/// The timeout of one call.
const PATIENCE: Duration = Duration::from_secs(30);
/// The size limit of output, in bytes.
const FILE: usize = 1024 * 1024;

/// A login to a git host.
#[derive(Clone, Debug)]
pub struct Login {
    pub username: String,
    pub token: Secret<String>,
}

/// How git connects to a repository.
#[derive(Clone, Copy, Default)]
pub(super) struct Transport<'a> {
    pub(super) login: Option<&'a Login>,
    /// The file of a private key.
    pub(super) key: Option<&'a Path>,
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
    let given = if login.is_some() { Given::Login } else { Given::Nothing };
    let protocols = ["http:https", if key.is_some() { ":ssh" } else { "" }, if local { ":file" } else { "" }].concat();
    let mut command = Command::new("git");
    for variable in SECRET_VARIABLES {
        command.env_remove(variable);
    }
    if let Some(key) = key {
        // Trust the host key on first use, because nobody can confirm it.
        let ssh = format!(
            "ssh -i '{}' -o IdentitiesOnly=yes -o BatchMode=yes -o StrictHostKeyChecking=accept-new \
             -o UserKnownHostsFile='{}.hosts'",
            key.display(),
            key.display()
        );
        command.env("GIT_SSH_COMMAND", ssh);
    }
    command
        .args(words)
        .current_dir(folder)
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GIT_ALLOW_PROTOCOL", protocols)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .kill_on_drop(true);
    if let Some(Login { username, token }) = login {
        let pair = STANDARD.encode(format!("{username}:{}", token.expose()));
        command
            .env("GIT_CONFIG_COUNT", "1")
            .env("GIT_CONFIG_KEY_0", "http.extraHeader")
            .env("GIT_CONFIG_VALUE_0", format!("Authorization: Basic {pair}"));
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

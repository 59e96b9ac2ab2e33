//! Asks git repositories, with the machine's `git`: the newest commits of a branch, and a file of it.
//!
//! Only http and https, without a terminal, each call bounded in time; a token reaches git by its environment, never
//! by its command line.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use entity::git_token;
use entity::job::{GitProvider, GitRepository};
use tokio::process::Command;

use crate::app::App;
use crate::error::Result;
use crate::secret::{self, Secret};
use crate::store;

/// For one call.
const PATIENCE: Duration = Duration::from_secs(30);
/// How many commits are listed.
const COMMITS: u32 = 20;
/// The largest file that is read, in bytes.
const FILE: usize = 1024 * 1024;

/// A login to a git host.
pub struct Login {
    username: String,
    token: Secret<String>,
}

/// One commit.
#[derive(Clone, Debug)]
pub struct Commit {
    pub id: String,
    pub at: DateTime<Utc>,
    pub author: String,
    /// The first line.
    pub message: String,
}

/// The login that a repository names; none when it names none, or the token is gone.
///
/// # Errors
/// The database's, or when the token cannot be opened.
pub async fn login(app: &App, repository: &GitRepository) -> Result<Option<Login>> {
    let Some(id) = repository.git_token_id else { return Ok(None) };
    let Some(row) = store::row::by_id::<git_token::Model>(&app.db, id).await? else { return Ok(None) };
    let Some(sealed) = &row.token else { return Ok(None) };
    let token = app.keys.open_text(&secret::place("git_token", row.id.0), sealed)?;
    let username = match row.provider {
        GitProvider::Github => "x-access-token",
        GitProvider::Gitlab => "oauth2",
        GitProvider::Bitbucket => "x-token-auth",
    };
    Ok(Some(Login { username: username.into(), token }))
}

/// The newest commits of a branch, or of the default one.
///
/// # Errors
/// A reason for the caller.
pub async fn commits(url: &str, branch: Option<&str>, login: Option<&Login>) -> Result<Vec<Commit>, String> {
    let folder = Folder::new()?;
    clone(&folder, url, branch, login, COMMITS).await?;
    let count = format!("-n{COMMITS}");
    let words = ["log", count.as_str(), "--format=%H%x1f%ct%x1f%an%x1f%s"];
    let text = run(&folder, &words, None).await?;
    let commit = |line: &str| {
        let mut parts = line.split('\u{1f}');
        let (id, seconds) = (parts.next()?.to_owned(), parts.next()?.parse().ok()?);
        let at = DateTime::from_timestamp(seconds, 0)?;
        Some(Commit { id, at, author: parts.next()?.to_owned(), message: parts.next().unwrap_or_default().to_owned() })
    };
    Ok(text.lines().filter_map(commit).collect())
}

/// The text of a file of a branch, or of the default one.
///
/// # Errors
/// A reason for the caller.
pub async fn file(url: &str, branch: Option<&str>, path: &str, login: Option<&Login>) -> Result<String, String> {
    let folder = Folder::new()?;
    clone(&folder, url, branch, login, 1).await?;
    let text = run(&folder, &["show", &format!("HEAD:{path}")], login).await;
    text.map_err(|_| format!("the repository has no file {path}"))
}

/// The history without its files, which are asked for when they are read.
async fn clone(
    folder: &Folder,
    url: &str,
    branch: Option<&str>,
    login: Option<&Login>,
    depth: u32,
) -> Result<(), String> {
    let depth = format!("--depth={depth}");
    let mut words = vec!["clone", "--quiet", "--bare", "--single-branch", "--filter=blob:none", depth.as_str()];
    if let Some(branch) = branch {
        words.extend(["--branch", branch]);
    }
    words.extend(["--", url, "."]);
    run(folder, &words, login).await.map(|_| ())
}

async fn run(folder: &Folder, words: &[&str], login: Option<&Login>) -> Result<String, String> {
    let mut command = Command::new("git");
    command
        .args(words)
        .current_dir(folder.path())
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GIT_ALLOW_PROTOCOL", "http:https")
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
    let output = match tokio::time::timeout(PATIENCE, command.output()).await {
        Err(_) => return Err(format!("the repository did not answer in {} seconds", PATIENCE.as_secs())),
        Ok(Err(_)) => return Err("git is not installed on the machine of the server".into()),
        Ok(Ok(output)) => output,
    };
    if !output.status.success() {
        return Err(reason(&String::from_utf8_lossy(&output.stderr)));
    }
    if output.stdout.len() > FILE {
        return Err("the file is too large".into());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// What git says, without what could be in an address.
fn reason(text: &str) -> String {
    let text = text.to_lowercase();
    if text.contains("authentication failed") || text.contains("could not read username") || text.contains("403") {
        "the repository refuses the login".into()
    } else if text.contains("remote branch") {
        "the repository does not have this branch".into()
    } else if text.contains("not found") || text.contains("404") {
        "there is no such repository, or it needs a git token".into()
    } else {
        "the repository does not answer".into()
    }
}

/// A folder that is removed with its value.
struct Folder(std::path::PathBuf);

impl Folder {
    fn new() -> Result<Self, String> {
        use std::os::unix::fs::DirBuilderExt as _;
        let path = std::env::temp_dir().join(format!("windlass-git-{}", uuid::Uuid::now_v7()));
        let made = std::fs::DirBuilder::new().mode(0o700).create(&path);
        made.map(|()| Self(path)).map_err(|error| format!("the server cannot make a folder: {error}"))
    }

    fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What stays behind is in the folder for temporary files.
        let _removed = std::fs::remove_dir_all(&self.0);
    }
}

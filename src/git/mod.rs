//! Calls of the machine's `git`: the newest commits of a branch, a file of it, and a whole checkout.
//!
//! Only http and https, without a terminal, each call bounded in time; a token reaches git by its environment, never
//! by its command line.

/// The login that a repository names.
pub mod login;

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use tokio::process::Command;

use crate::secret::Secret;

/// For one call.
const PATIENCE: Duration = Duration::from_secs(30);
/// How many commits are listed.
const COMMITS: u32 = 20;
/// For the fetch of a checkout; the build that it is for has its own limit.
const CHECKOUT: Duration = Duration::from_secs(1800);
/// Hash, seconds, author and first line.
const FORMAT: &str = "--format=%H%x1f%ct%x1f%an%x1f%s";
/// The largest file that is read, in bytes.
const FILE: usize = 1024 * 1024;

/// A login to a git host.
#[derive(Clone, Debug)]
pub struct Login {
    pub username: String,
    pub token: Secret<String>,
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

/// The newest commits of a branch, or of the default one.
///
/// # Errors
/// A reason for the caller.
pub async fn commits(url: &str, branch: Option<&str>, login: Option<&Login>) -> Result<Vec<Commit>, String> {
    let folder = Folder::new()?;
    clone(&folder, url, branch, login, COMMITS).await?;
    let count = format!("-n{COMMITS}");
    let text = run(folder.path(), &["log", count.as_str(), FORMAT], None).await?;
    Ok(text.lines().filter_map(commit_of).collect())
}

/// The text of a file of a branch, or of the default one.
///
/// # Errors
/// A reason for the caller.
pub async fn file(url: &str, branch: Option<&str>, path: &str, login: Option<&Login>) -> Result<String, String> {
    let folder = Folder::new()?;
    clone(&folder, url, branch, login, 1).await?;
    let text = run(folder.path(), &["show", &format!("HEAD:{path}")], login).await;
    text.map_err(|_| format!("the repository has no file {path}"))
}

/// What is to be checked out.
#[derive(Clone, Debug)]
pub struct Wanted {
    pub url: String,
    pub branch: Option<String>,
    /// A whole hash; without it the newest commit of the branch.
    pub commit: Option<String>,
    pub submodules: bool,
    pub login: Option<Login>,
    /// A private key, for an address of SSH.
    pub key: Option<Secret<String>>,
    /// Whether it may be on this machine, as `file://`.
    pub local: bool,
}

/// How a repository is reached.
#[derive(Clone, Copy, Default)]
struct Way<'a> {
    login: Option<&'a Login>,
    /// The file of a private key.
    key: Option<&'a Path>,
    local: bool,
}

impl<'a> From<Option<&'a Login>> for Way<'a> {
    fn from(login: Option<&'a Login>) -> Self {
        Self { login, ..Self::default() }
    }
}

/// Checks a commit out into a new folder, without the history before it.
///
/// # Errors
/// A reason for the reader.
pub async fn checkout(wanted: &Wanted) -> Result<(Folder, Commit), String> {
    let folder = Folder::new()?;
    let commit = checkout_into(folder.path(), wanted).await?;
    Ok((folder, commit))
}

/// Checks a commit out into an empty folder, without the history before it.
///
/// # Errors
/// A reason for the reader.
pub async fn checkout_into(folder: &Path, wanted: &Wanted) -> Result<Commit, String> {
    let keys = Folder::new()?;
    let key = keys.path().join("key");
    if let Some(text) = &wanted.key {
        write_key(&key, text).map_err(|error| format!("the key could not be written: {error}"))?;
    }
    let key = wanted.key.is_some().then_some(key.as_path());
    let way = Way { login: wanted.login.as_ref(), key, local: wanted.local };
    run(folder, &["init", "--quiet"], None).await?;
    run(folder, &["remote", "add", "--", "origin", &wanted.url], None).await?;
    let whole = |branch: &String| {
        if branch.starts_with("refs/") { branch.clone() } else { format!("refs/heads/{branch}") }
    };
    let branch = wanted.branch.as_ref().map(whole);
    let what = wanted.commit.as_deref().or(branch.as_deref()).unwrap_or("HEAD");
    let fetch = ["fetch", "--quiet", "--depth=1", "--", "origin", what];
    let fetched = run_for(folder, &fetch, way, CHECKOUT).await;
    if wanted.commit.is_some() && fetched.is_err() {
        // A host may refuse to be asked for a commit by its hash: then the whole branch has to do.
        let what = branch.as_deref().unwrap_or("HEAD");
        run_for(folder, &["fetch", "--quiet", "--", "origin", what], way, CHECKOUT).await?;
    } else {
        fetched?;
    }
    let commit = wanted.commit.as_deref().unwrap_or("FETCH_HEAD");
    let missing = |_| format!("the branch has no commit {commit}");
    run(folder, &["checkout", "--quiet", "--detach", commit], way).await.map_err(missing)?;
    if wanted.submodules && folder.join(".gitmodules").exists() {
        let words = ["submodule", "--quiet", "update", "--init", "--recursive", "--depth=1"];
        let asked = run_for(folder, &words, way, CHECKOUT).await;
        asked.map_err(|reason| format!("the submodules could not be fetched: {reason}"))?;
    }
    let text = run(folder, &["log", "-n1", FORMAT], None).await?;
    text.lines().find_map(commit_of).ok_or_else(|| "the repository has no commit".to_owned())
}

fn commit_of(line: &str) -> Option<Commit> {
    let mut parts = line.split('\u{1f}');
    let (id, seconds) = (parts.next()?.to_owned(), parts.next()?.parse().ok()?);
    let at = DateTime::from_timestamp(seconds, 0)?;
    Some(Commit { id, at, author: parts.next()?.to_owned(), message: parts.next().unwrap_or_default().to_owned() })
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
    run(folder.path(), &words, login).await.map(|_| ())
}

async fn run<'a>(folder: &Path, words: &[&str], way: impl Into<Way<'a>>) -> Result<String, String> {
    run_for(folder, words, way, PATIENCE).await
}

/// Writes a private key so that only this user can read it, with the end of line that ssh wants.
fn write_key(path: &Path, text: &Secret<String>) -> std::io::Result<()> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text.expose().trim_end().as_bytes())?;
    file.write_all(b"\n")
}

async fn run_for<'a>(
    folder: &Path,
    words: &[&str],
    way: impl Into<Way<'a>>,
    patience: Duration,
) -> Result<String, String> {
    let Way { login, key, local } = way.into();
    let protocols = ["http:https", if key.is_some() { ":ssh" } else { "" }, if local { ":file" } else { "" }].concat();
    let mut command = Command::new("git");
    if let Some(key) = key {
        // The host is known by its first key: there is nobody to be asked.
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
        Err(_) => return Err(format!("the repository did not answer in {} seconds", patience.as_secs())),
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
    if text.contains("authentication failed")
        || text.contains("permission denied")
        || text.contains("could not read username")
        || text.contains("403")
    {
        "the repository refuses the login".into()
    } else if text.contains("remote branch") || text.contains("find remote ref") {
        "the repository does not have this branch".into()
    } else if text.contains("not found") || text.contains("404") {
        "there is no such repository, or it needs a git token".into()
    } else {
        "the repository does not answer".into()
    }
}

/// A folder that is removed with its value.
pub struct Folder(std::path::PathBuf);

impl Folder {
    /// Makes one that only this user can open.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn new() -> Result<Self, String> {
        use std::os::unix::fs::DirBuilderExt as _;
        let path = std::env::temp_dir().join(format!("windlass-git-{}", uuid::Uuid::now_v7()));
        let made = std::fs::DirBuilder::new().mode(0o700).create(&path);
        made.map(|()| Self(path)).map_err(|error| format!("the server cannot make a folder: {error}"))
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What stays behind is in the folder for temporary files.
        let _removed = std::fs::remove_dir_all(&self.0);
    }
}

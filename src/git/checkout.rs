//! Checks out one commit without its history.

use std::path::Path;
use std::time::Duration;

use super::commit::{Commit, FORMAT, commit_of, revision};
use super::failure::Failure;
use super::invoke::{Login, Transport, run, run_for};
use super::ssh::{KeyFile, SshKey};
use super::temp_folder::TempFolder;

/// The timeout of a fetch; the build itself has its own limit.
const CHECKOUT: Duration = Duration::from_secs(1800);

/// A request for a checkout.
#[derive(Clone, Debug)]
pub struct Checkout {
    pub url: String,
    pub branch: Option<String>,
    /// A hash, full or abbreviated; by default the newest commit of the branch.
    pub commit: Option<String>,
    pub submodules: bool,
    pub login: Option<Login>,
    /// For SSH URLs.
    pub key: Option<SshKey>,
    /// Whether `file://` URLs are allowed.
    pub local: bool,
}

/// Checks out a commit into a new folder, without its history.
///
/// # Errors
/// A reason for the caller.
pub async fn checkout(wanted: &Checkout) -> Result<(TempFolder, Commit), String> {
    let folder = TempFolder::new()?;
    let commit = checkout_into(folder.path(), wanted).await?;
    Ok((folder, commit))
}

/// Checks out a commit into an empty folder, without its history.
///
/// # Errors
/// A reason for the caller.
pub async fn checkout_into(folder: &Path, wanted: &Checkout) -> Result<Commit, String> {
    let wanted_commit = wanted.commit.as_deref().map(revision).transpose()?;
    let key = wanted.key.as_ref().map(|key| KeyFile::new(key, &wanted.url)).transpose()?;
    let transport = Transport { login: wanted.login.as_ref(), key: key.as_ref(), local: wanted.local };
    run(folder, &["init", "--quiet", "--template="], None).await?;
    // The fetch is told about the remote, which is written down beside the checkout: each process of git costs milliseconds.
    let origin = format!("remote.origin.url={}", wanted.url);
    let origin = ["-c", &origin, "-c", "remote.origin.fetch=+refs/heads/*:refs/remotes/origin/*"];
    let whole = |branch: &String| {
        if branch.starts_with("refs/") { branch.clone() } else { format!("refs/heads/{branch}") }
    };
    let branch = wanted.branch.as_ref().map(whole);
    let what = wanted_commit.or(branch.as_deref()).unwrap_or("HEAD");
    let fetch = [&origin[..], &["fetch", "--quiet", "--depth=1", "--", "origin", what]].concat();
    let fetched = run_for(folder, &fetch, transport, CHECKOUT).await;
    if wanted_commit.is_some() && fetched.is_err() {
        // Some hosts refuse to serve a commit by its hash: fetch the whole branch instead.
        let what = branch.as_deref().unwrap_or("HEAD");
        let fetch = [&origin[..], &["fetch", "--quiet", "--", "origin", what]].concat();
        run_for(folder, &fetch, transport, CHECKOUT).await?;
    } else {
        fetched?;
    }
    let commit = wanted_commit.unwrap_or("FETCH_HEAD");
    let missing = |failure: Failure| Failure { reason: format!("the branch has no commit {commit}"), ..failure };
    let check_out = ["checkout", "--quiet", "--detach", commit];
    let remember = ["remote", "add", "--", "origin", &wanted.url];
    let read = ["log", "-n1", FORMAT, commit];
    let (checked_out, remembered, text) =
        tokio::join!(run(folder, &check_out, transport), run(folder, &remember, None), run(folder, &read, None));
    checked_out.map_err(missing)?;
    remembered?;
    if wanted.submodules && folder.join(".gitmodules").exists() {
        let words = ["submodule", "--quiet", "update", "--init", "--recursive", "--depth=1"];
        let asked = run_for(folder, &words, transport, CHECKOUT).await;
        asked.map_err(|reason| format!("cannot fetch the submodules: {reason}"))?;
    }
    text?.lines().find_map(commit_of).ok_or_else(|| "the repository has no commit".to_owned())
}

//! What changed in a repository, without a checkout: the commits of its branches, and the paths between two commits.

use std::collections::BTreeMap;

use super::checkout::Checkout;
use super::commit::revision;
use super::invoke::{Transport, run};
use super::ssh::KeyFile;
use super::temp_folder::TempFolder;

/// How much history is fetched to find where a branch began.
const DEPTH: &str = "--depth=200";

/// The commits of all branches, by branch. The answer is bounded like that of each call of git.
///
/// # Errors
/// A reason for the caller.
pub async fn heads(of: &Checkout) -> Result<BTreeMap<String, String>, String> {
    let folder = TempFolder::new()?;
    let key = of.key.as_ref().map(|key| KeyFile::new(key, &of.url)).transpose()?;
    let transport = Transport { login: of.login.as_ref(), key: key.as_ref(), local: of.local };
    let text = run(folder.path(), &["ls-remote", "--quiet", "--heads", "--", &of.url], transport).await?;
    let head = |line: &str| {
        let (commit, name) = line.split_once('\t')?;
        Some((name.strip_prefix("refs/heads/")?.to_owned(), commit.to_owned()))
    };
    Ok(text.lines().filter_map(head).collect())
}

/// The newest commit of the branch, by default of the default branch.
///
/// # Errors
/// A reason for the caller.
pub async fn head(of: &Checkout) -> Result<String, String> {
    let folder = TempFolder::new()?;
    let key = of.key.as_ref().map(|key| KeyFile::new(key, &of.url)).transpose()?;
    let transport = Transport { login: of.login.as_ref(), key: key.as_ref(), local: of.local };
    let name = of.branch.as_ref().map_or_else(|| "HEAD".to_owned(), |branch| format!("refs/heads/{branch}"));
    let text = run(folder.path(), &["ls-remote", "--quiet", "--", &of.url, &name], transport).await?;
    let found = text.lines().filter_map(|line| line.split_once('\t')).find(|(_, of)| *of == name);
    found.map(|(commit, _)| commit.to_owned()).ok_or_else(|| "the repository has no such branch".to_owned())
}

/// Where the changes begin.
#[derive(Clone, Copy, Debug)]
pub enum Since<'a> {
    /// At this commit.
    Commit(&'a str),
    /// Where the branch left this one.
    Branch(&'a str),
}

/// The paths that differ between two commits. File contents are not fetched.
///
/// # Errors
/// A reason for the caller.
pub async fn changed_paths(of: &Checkout, since: Since<'_>, commit: &str) -> Result<Vec<String>, String> {
    let commit = revision(commit)?;
    let folder = TempFolder::new()?;
    let path = folder.path();
    let key = of.key.as_ref().map(|key| KeyFile::new(key, &of.url)).transpose()?;
    let transport = Transport { login: of.login.as_ref(), key: key.as_ref(), local: of.local };
    run(path, &["init", "--quiet", "--bare", "--template="], None).await?;
    run(path, &["remote", "add", "--", "origin", &of.url], None).await?;
    let branch = of.branch.as_ref().map(|branch| format!("refs/heads/{branch}"));
    let newest = branch.as_deref().unwrap_or(commit);
    let fetch = async |what: &str| {
        run(path, &["fetch", "--quiet", "--filter=blob:none", DEPTH, "--", "origin", what], transport).await
    };
    fetch(newest).await?;
    let begin = match since {
        Since::Commit(id) => {
            let id = revision(id)?;
            // It is usually part of the history that was fetched.
            let known = run(path, &["cat-file", "-e", &format!("{id}^{{commit}}")], None).await;
            if known.is_err() {
                fetch(id).await?;
            }
            id.to_owned()
        }
        Since::Branch(name) => {
            fetch(&format!("+refs/heads/{name}:refs/base")).await?;
            let base = run(path, &["merge-base", "refs/base", commit], None).await;
            base.map_or_else(|_| "refs/base".to_owned(), |id| id.trim().to_owned())
        }
    };
    let words = ["diff", "--name-only", "--no-renames", "-z", &begin, commit, "--"];
    let text = run(path, &words, transport).await?;
    Ok(text.split('\0').filter(|path| !path.is_empty()).map(str::to_owned).collect())
}

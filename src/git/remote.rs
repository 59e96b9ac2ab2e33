//! Reads commits and single files of a repository without a checkout.

use super::commit::{Commit, FORMAT, commit_of};
use super::failure::Failure;
use super::invoke::{Login, run};
use super::temp_folder::TempFolder;

/// The number of commits to list.
const COMMITS: u32 = 20;

/// The newest commits of a branch, by default of the default branch.
///
/// # Errors
/// A reason for the caller.
pub async fn commits(url: &str, branch: Option<&str>, login: Option<&Login>) -> Result<Vec<Commit>, String> {
    let folder = TempFolder::new()?;
    clone(&folder, url, branch, login, COMMITS).await.map_err(|failure| failure.reason)?;
    let count = format!("-n{COMMITS}");
    let text = run(folder.path(), &["log", count.as_str(), FORMAT], None).await?;
    Ok(text.lines().filter_map(commit_of).collect())
}

/// The text of a file on a branch, by default on the default branch.
///
/// # Errors
/// A reason for the caller.
pub async fn file(url: &str, branch: Option<&str>, path: &str, login: Option<&Login>) -> Result<String, String> {
    let folder = TempFolder::new()?;
    clone(&folder, url, branch, login, 1).await.map_err(|failure| failure.reason)?;
    let text = run(folder.path(), &["show", &format!("HEAD:{path}")], login).await;
    text.map_err(|_| format!("the repository has no file {path}"))
}

/// Clones the history without file contents, which git fetches on demand.
async fn clone(
    folder: &TempFolder,
    url: &str,
    branch: Option<&str>,
    login: Option<&Login>,
    depth: u32,
) -> Result<(), Failure> {
    let depth = format!("--depth={depth}");
    let mut words = vec!["clone", "--quiet", "--bare", "--single-branch", "--filter=blob:none", depth.as_str()];
    if let Some(branch) = branch {
        words.extend(["--branch", branch]);
    }
    words.extend(["--", url, "."]);
    run(folder.path(), &words, login).await.map(|_| ())
}

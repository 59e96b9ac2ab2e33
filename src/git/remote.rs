//! Reads commits, tags and single files of a repository without a checkout.

use super::checkout::Checkout;
use super::commit::{Commit, FORMAT, commit_of};
use super::failure::Failure;
use super::invoke::{Login, Transport, run};
use super::ssh::KeyFile;
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

/// A tag of a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tag {
    pub name: String,
    pub commit: String,
}

/// The tags of a repository, each with the commit that it leads to. Of what is wanted, only the place and the logins count.
///
/// # Errors
/// A reason for the caller.
pub async fn tags(of: &Checkout) -> Result<Vec<Tag>, String> {
    let folder = TempFolder::new()?;
    let key = of.key.as_ref().map(|key| KeyFile::new(key, &of.url)).transpose()?;
    let transport = Transport { login: of.login.as_ref(), key: key.as_ref(), local: of.local };
    let text = run(folder.path(), &["ls-remote", "--quiet", "--tags", "--", &of.url], transport).await?;
    Ok(tags_in(&text))
}

/// The tags that `git ls-remote` lists. An annotated tag is listed twice; the second line, which ends in `^{}`, has its commit.
fn tags_in(text: &str) -> Vec<Tag> {
    let mut found: Vec<Tag> = Vec::new();
    for line in text.lines() {
        let Some((commit, name)) = line.split_once('\t') else { continue };
        let Some(name) = name.strip_prefix("refs/tags/") else { continue };
        match (name.strip_suffix("^{}"), found.last_mut()) {
            (Some(peeled), Some(last)) if last.name == peeled => commit.clone_into(&mut last.commit),
            _ => found.push(Tag { name: name.to_owned(), commit: commit.to_owned() }),
        }
    }
    found
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

#[cfg(test)]
mod tests {
    use super::{Tag, tags_in};

    #[test]
    fn an_annotated_tag_leads_to_its_commit() {
        let text = "aa\trefs/tags/v1.0.0\nbb\trefs/tags/v1.1.0\ncc\trefs/tags/v1.1.0^{}\nnoise\ndd\trefs/heads/main\n";
        let tag = |name: &str, commit: &str| Tag { name: name.into(), commit: commit.into() };
        assert_eq!(tags_in(text), [tag("v1.0.0", "aa"), tag("v1.1.0", "cc")]);
    }
}

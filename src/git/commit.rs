//! Pure: parses commits from the output of `git log`, and checks hashes.

use chrono::{DateTime, Utc};

use crate::input::commit_hash::is_hash;

/// A commit.
#[derive(Clone, Debug)]
pub struct Commit {
    pub id: String,
    pub at: DateTime<Utc>,
    pub author: String,
    /// The subject line.
    pub message: String,
}

/// The hash of a commit, for a command line of `git`.
pub(super) fn revision(text: &str) -> Result<&str, String> {
    if is_hash(text) { Ok(text) } else { Err(format!("{text:?} is not the hash of a commit")) }
}

/// Hash, Unix timestamp, author and subject.
pub(super) const FORMAT: &str = "--format=%H%x1f%ct%x1f%an%x1f%s";

pub(super) fn commit_of(line: &str) -> Option<Commit> {
    let mut parts = line.split('\u{1f}');
    let (id, seconds) = (parts.next()?.to_owned(), parts.next()?.parse().ok()?);
    let at = DateTime::from_timestamp(seconds, 0)?;
    Some(Commit { id, at, author: parts.next()?.to_owned(), message: parts.next().unwrap_or_default().to_owned() })
}

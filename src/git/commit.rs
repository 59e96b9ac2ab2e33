//! Pure: parses commits from the output of `git log`.

use chrono::{DateTime, Utc};

/// A commit.
#[derive(Clone, Debug)]
pub struct Commit {
    pub id: String,
    pub at: DateTime<Utc>,
    pub author: String,
    /// The subject line.
    pub message: String,
}

/// Hash, Unix timestamp, author and subject.
pub(super) const FORMAT: &str = "--format=%H%x1f%ct%x1f%an%x1f%s";

pub(super) fn commit_of(line: &str) -> Option<Commit> {
    let mut parts = line.split('\u{1f}');
    let (id, seconds) = (parts.next()?.to_owned(), parts.next()?.parse().ok()?);
    let at = DateTime::from_timestamp(seconds, 0)?;
    Some(Commit { id, at, author: parts.next()?.to_owned(), message: parts.next().unwrap_or_default().to_owned() })
}

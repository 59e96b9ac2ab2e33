//! Pure: a commit, as `git log` prints it.

use chrono::{DateTime, Utc};

/// One commit.
#[derive(Clone, Debug)]
pub struct Commit {
    pub id: String,
    pub at: DateTime<Utc>,
    pub author: String,
    /// The first line.
    pub message: String,
}

/// Hash, seconds, author and first line.
pub(super) const FORMAT: &str = "--format=%H%x1f%ct%x1f%an%x1f%s";

pub(super) fn commit_of(line: &str) -> Option<Commit> {
    let mut parts = line.split('\u{1f}');
    let (id, seconds) = (parts.next()?.to_owned(), parts.next()?.parse().ok()?);
    let at = DateTime::from_timestamp(seconds, 0)?;
    Some(Commit { id, at, author: parts.next()?.to_owned(), message: parts.next().unwrap_or_default().to_owned() })
}

//! Pure: what was heard of a repository, whoever told it.

use entity::workspace_push::{PushEvent, PushProvider};

/// The most paths of a push that are looked at. A push with more counts as one whose paths are not known.
pub const MOST_PATHS: usize = 20_000;

/// The paths that a push changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChangedPaths {
    Known(Vec<String>),
    /// The provider does not list them, or not all.
    NotListed,
}

/// A push to a branch, or a new commit of a pull request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    pub provider: PushProvider,
    pub event: PushEvent,
    /// Why it starts nothing, whatever the webhook follows.
    pub ignored: Option<String>,
    /// The path of the repository at the provider.
    pub repository: Option<String>,
    pub branch: Option<String>,
    /// The branch that a pull request is to be merged into.
    pub base: Option<String>,
    /// The commit that the changes are compared with.
    pub before: Option<String>,
    pub commit: Option<String>,
    pub pr_number: Option<i32>,
    pub title: Option<String>,
    pub author: Option<String>,
    pub paths: ChangedPaths,
}

impl Heard {
    /// Something that starts nothing.
    #[must_use]
    pub fn nothing(provider: PushProvider, reason: impl Into<String>) -> Self {
        Self {
            provider,
            event: PushEvent::Other,
            ignored: Some(reason.into()),
            repository: None,
            branch: None,
            base: None,
            before: None,
            commit: None,
            pr_number: None,
            title: None,
            author: None,
            paths: ChangedPaths::NotListed,
        }
    }
}

/// The reason why a pull request of a fork starts nothing.
pub const FORK: &str =
    "the pull request comes from a fork, whose code must not run with the variables of the workspace";

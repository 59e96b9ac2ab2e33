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

    /// Whether this was done once more, and not delivered once more, although the same body was received before. `newest` is the commit at
    /// which the branch was when something was heard of it last, if anything was. GitHub and Gitea say a time in each body, so that none
    /// comes twice. Bitbucket says none about pushes: it was done again if the branch is back where it began. So whoever
    /// replays a body with another id starts nothing, unless all that came after it was taken back.
    #[must_use]
    pub fn was_done_again(&self, newest: Option<Option<&str>>) -> bool {
        match (self.provider, self.event) {
            (PushProvider::Bitbucket, PushEvent::Push) => newest.is_some_and(|newest| newest == self.before.as_deref()),
            // It starts nothing, and may stand beside a push in a body.
            (PushProvider::Bitbucket, PushEvent::Other) => true,
            _ => false,
        }
    }
}

/// The reason why a pull request of a fork starts nothing.
pub const FORK: &str =
    "the pull request comes from a fork, whose code must not run with the variables of the workspace";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_done_again() {
        let of = |provider, event| Heard {
            event,
            before: Some("a".into()),
            commit: Some("b".into()),
            ..Heard::nothing(provider, "")
        };
        let push = of(PushProvider::Bitbucket, PushEvent::Push);
        assert!(push.was_done_again(Some(Some("a"))));
        for newest in [None, Some(None), Some(Some("b")), Some(Some("c"))] {
            assert!(!push.was_done_again(newest), "{newest:?}");
        }
        let created = Heard { before: None, ..push };
        assert!(created.was_done_again(Some(None)) && !created.was_done_again(None));
        assert!(!of(PushProvider::Bitbucket, PushEvent::PullRequest).was_done_again(Some(Some("a"))));
        for provider in [PushProvider::Github, PushProvider::Gitea, PushProvider::Gitlab, PushProvider::Poll] {
            assert!(!of(provider, PushEvent::Push).was_done_again(Some(Some("a"))), "{provider:?}");
        }
    }
}

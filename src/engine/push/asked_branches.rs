//! Pure: which of the branches that jobs with auto-deploy are built from a push is about.

use entity::id::RepositoryHeadId;
use entity::repository_head::Model;
use entity::workspace_push::PushEvent;

use super::heard::Heard;
use super::repository_path;

/// The branches that have to be polled now.
///
/// # Errors
/// Why there are none.
pub(super) fn asked_for(heard: &Heard, heads: &[Model]) -> Result<Vec<RepositoryHeadId>, String> {
    if heard.event == PushEvent::PullRequest {
        return Err("a pull request deploys nothing; a push does".into());
    }
    if let Some(reason) = &heard.ignored {
        return Err(reason.clone());
    }
    let Some((repository, branch)) = heard.repository.as_deref().zip(heard.branch.as_deref()) else {
        return Err("the delivery does not name its repository and branch".into());
    };
    let of_repository: Vec<&Model> =
        heads.iter().filter(|head| repository_path::names(&head.url, repository)).collect();
    if of_repository.is_empty() {
        return Err(format!("no deployed job with auto-deploy is built from {repository}"));
    }
    // Which branch is the default one, only the repository says.
    let is_asked = |head: &&Model| head.branch == branch || head.branch.is_empty();
    let asked: Vec<RepositoryHeadId> = of_repository.into_iter().filter(is_asked).map(|head| head.id).collect();
    if asked.is_empty() {
        return Err(format!("no deployed job with auto-deploy is built from the branch {branch} of {repository}"));
    }
    Ok(asked)
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use entity::id::OrganizationId;
    use entity::workspace_push::PushProvider;

    use super::*;
    use crate::engine::push::heard::ChangedPaths;

    fn head(url: &str, branch: &str) -> Model {
        Model {
            id: RepositoryHeadId::create(),
            organization_id: OrganizationId::create(),
            url: url.into(),
            branch: branch.into(),
            commit_id: None,
            next_poll_at: DateTime::UNIX_EPOCH,
            asked_at: None,
            claimed_until: None,
            updated_at: DateTime::UNIX_EPOCH,
            error: None,
        }
    }

    fn push(repository: &str, branch: &str) -> Heard {
        Heard {
            event: PushEvent::Push,
            ignored: None,
            repository: Some(repository.into()),
            branch: Some(branch.into()),
            paths: ChangedPaths::NotListed,
            ..Heard::nothing(PushProvider::Github, "")
        }
    }

    #[test]
    fn all_addresses_of_a_repository_are_the_same() {
        let heads = [
            head("https://git.example/acme/shop.git", "main"),
            head("ssh://git@git.example:2222/acme/shop", "main"),
            head("git@git.example:Acme/Shop.git", ""),
            head("https://git.example/acme/shop.git", "next"),
            head("https://git.example/acme/shop2.git", "main"),
        ];
        let all: Vec<RepositoryHeadId> = heads.iter().map(|head| head.id).collect();
        assert_eq!(asked_for(&push("acme/shop", "main"), &heads), Ok(all[..3].to_vec()));
        assert_eq!(asked_for(&push("acme/shop", "next"), &heads), Ok(all[2..4].to_vec()));
    }

    #[test]
    fn the_reason_says_what_is_not_followed() {
        let heads = [head("https://git.example/acme/shop.git", "main")];
        let of = |heard: &Heard| asked_for(heard, &heads).unwrap_err();
        assert!(of(&push("acme/shop", "next")).ends_with("from the branch next of acme/shop"));
        assert!(of(&push("acme/tools", "main")).ends_with("from acme/tools"));
        let request = Heard { event: PushEvent::PullRequest, ..push("acme/shop", "main") };
        assert!(of(&request).contains("pull request"));
        let deleted = Heard { ignored: Some("the branch main was deleted".into()), ..push("acme/shop", "main") };
        assert_eq!(of(&deleted), "the branch main was deleted");
        let unnamed = Heard { repository: None, ..push("", "main") };
        assert!(of(&unnamed).contains("does not name"));
    }
}

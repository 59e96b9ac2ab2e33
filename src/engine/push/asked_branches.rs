//! Pure: which of the repositories that are polled a push is about: the branches that jobs with auto-deploy are built from, and the
//! repositories of workspaces.

use entity::id::{RepositoryHeadId, WorkspaceWebhookId};
use entity::repository_head::Model;
use entity::workspace_push::PushEvent;
use entity::workspace_webhook_event::Model as Event;

use super::heard::Heard;
use super::push_filter::is_followed;
use super::repository_path;

/// What is polled, of an organization.
#[derive(Debug, Default)]
pub(super) struct Polled {
    /// The branches that jobs are built from; none if this server polls none.
    pub(super) heads: Option<Vec<Model>>,
    pub(super) workspaces: Vec<Polling>,
}

/// A workspace whose repository is polled.
#[derive(Debug)]
pub(super) struct Polling {
    pub(super) webhook: WorkspaceWebhookId,
    pub(super) source: String,
    pub(super) branch: String,
    pub(super) events: Vec<Event>,
}

/// What has to be polled now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) heads: Vec<RepositoryHeadId>,
    pub(super) webhooks: Vec<WorkspaceWebhookId>,
}

/// What has to be polled now.
///
/// # Errors
/// Why there is nothing.
pub(super) fn asked_for(heard: &Heard, polled: &Polled) -> Result<Asked, String> {
    if heard.event == PushEvent::PullRequest {
        return Err("a pull request deploys nothing; a push does".into());
    }
    if let Some(reason) = &heard.ignored {
        return Err(reason.clone());
    }
    let Some((repository, branch)) = heard.repository.as_deref().zip(heard.branch.as_deref()) else {
        return Err("the delivery does not name its repository and branch".into());
    };
    let heads = heads_of((repository, branch), polled.heads.as_deref());
    let follows = |one: &&Polling| {
        let mut pushes = one.events.iter().filter(|event| event.event == "PUSH");
        repository_path::names(&one.source, repository) && pushes.any(|event| is_followed(event, branch, &one.branch))
    };
    let webhooks: Vec<WorkspaceWebhookId> = polled.workspaces.iter().filter(follows).map(|one| one.webhook).collect();
    match heads {
        Err(reason) if webhooks.is_empty() => Err(format!("{reason}, and no workspace that is polled follows it")),
        heads => Ok(Asked { heads: heads.unwrap_or_default(), webhooks }),
    }
}

fn heads_of((repository, branch): (&str, &str), heads: Option<&[Model]>) -> Result<Vec<RepositoryHeadId>, String> {
    let heads = heads.ok_or("this server polls no branches of jobs, because --auto-deploy-seconds is 0")?;
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
    use entity::id::{OrganizationId, WorkspaceId, WorkspaceWebhookEventId};
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

    fn of_jobs(heads: &[Model]) -> Polled {
        Polled { heads: Some(heads.to_vec()), workspaces: Vec::new() }
    }

    fn workspace(source: &str, branch: &str, followed: Option<&str>) -> Polling {
        let webhook = WorkspaceWebhookId::create();
        let event = Event {
            id: WorkspaceWebhookEventId::create(),
            organization_id: OrganizationId::create(),
            workspace_id: WorkspaceId::create(),
            created_at: DateTime::UNIX_EPOCH,
            updated_at: DateTime::UNIX_EPOCH,
            created_by: String::new(),
            updated_by: String::new(),
            webhook_id: webhook,
            branch: followed.map(str::to_owned),
            path: None,
            path_type: "REGEX".into(),
            template_id: None,
            event: "PUSH".into(),
            priority: None,
            pr_workflow_enabled: false,
            pr_apply_enabled: false,
        };
        Polling { webhook, source: source.into(), branch: branch.into(), events: vec![event] }
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
        let asked = |branch: &str| asked_for(&push("acme/shop", branch), &of_jobs(&heads)).unwrap().heads;
        assert_eq!(asked("main"), all[..3]);
        assert_eq!(asked("next"), all[2..4]);
    }

    #[test]
    fn workspaces_that_follow_the_branch_are_polled() {
        let other = Event { event: "PULL_REQUEST".into(), ..workspace("", "", None).events.remove(0) };
        let workspaces = vec![
            workspace("https://git.example/acme/shop.git", "main", None),
            workspace("git@git.example:acme/shop", "trunk", Some("release/.*,main")),
            workspace("https://git.example/acme/shop.git", "next", None),
            workspace("https://git.example/acme/tools.git", "main", None),
            Polling { events: vec![other], ..workspace("https://git.example/acme/shop.git", "main", None) },
        ];
        let ids: Vec<WorkspaceWebhookId> = workspaces.iter().map(|one| one.webhook).collect();
        let mut polled = Polled { heads: Some(Vec::new()), workspaces };
        let main = Asked { heads: Vec::new(), webhooks: ids[..2].to_vec() };
        assert_eq!(asked_for(&push("acme/shop", "main"), &polled), Ok(main.clone()));
        let reason = asked_for(&push("acme/shop", "more"), &polled).unwrap_err();
        assert_eq!(
            reason,
            "no deployed job with auto-deploy is built from acme/shop, and no workspace that is polled follows it"
        );
        // Whether branches of jobs are polled is another matter.
        polled.heads = None;
        assert_eq!(asked_for(&push("acme/shop", "main"), &polled), Ok(main));
        assert!(asked_for(&push("acme/shop", "more"), &polled).unwrap_err().contains("--auto-deploy-seconds is 0"));
    }

    #[test]
    fn the_reason_says_what_is_not_followed() {
        let heads = [head("https://git.example/acme/shop.git", "main")];
        let of = |heard: &Heard| asked_for(heard, &of_jobs(&heads)).unwrap_err();
        assert!(of(&push("acme/shop", "next")).contains("from the branch next of acme/shop,"));
        assert!(of(&push("acme/tools", "main")).contains("from acme/tools,"));
        let request = Heard { event: PushEvent::PullRequest, ..push("acme/shop", "main") };
        assert!(of(&request).contains("pull request"));
        let deleted = Heard { ignored: Some("the branch main was deleted".into()), ..push("acme/shop", "main") };
        assert_eq!(of(&deleted), "the branch main was deleted");
        let unnamed = Heard { repository: None, ..push("", "main") };
        assert!(of(&unnamed).contains("does not name"));
    }
}

//! Pure: which event of a webhook a push fits, if any.

use entity::workspace_push::PushEvent;
use entity::workspace_webhook_event::Model as Event;

use super::heard::{ChangedPaths, Heard};
use super::path_filter::{Language, Patterns};

/// What a push starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Choice<'a> {
    Start(&'a Event),
    /// The changed paths decide, and are not known.
    NeedsPaths,
    /// Nothing, for this reason.
    Nothing(String),
}

/// The name of an event in the API.
fn name(event: PushEvent) -> &'static str {
    match event {
        PushEvent::Push => "PUSH",
        PushEvent::PullRequest => "PULL_REQUEST",
        PushEvent::Other => "",
    }
}

/// Chooses the event with the smallest priority that a push fits. A pull request fits by its branch or by the one that it is to be
/// merged into. `own` is the branch of the workspace, which counts where an event names none.
#[must_use]
pub fn choose<'a>(heard: &Heard, events: &'a [Event], own: &str) -> Choice<'a> {
    if let Some(reason) = &heard.ignored {
        return Choice::Nothing(reason.clone());
    }
    let Some(branch) = heard.branch.as_deref() else {
        return Choice::Nothing("the delivery names no branch".into());
    };
    if heard.commit.is_none() {
        return Choice::Nothing("the delivery names no commit".into());
    }
    let mut asked: Vec<&Event> = events.iter().filter(|event| event.event == name(heard.event)).collect();
    asked.sort_by_key(|event| (event.priority.unwrap_or(i32::MAX), event.id));
    if asked.is_empty() {
        return Choice::Nothing(format!("the webhook has no event {}", name(heard.event)));
    }
    let mut follows_branch = false;
    for event in asked {
        let names = [Some(branch), heard.base.as_deref()];
        if !names.into_iter().flatten().any(|branch| is_followed(event, branch, own)) {
            continue;
        }
        follows_branch = true;
        let list = event.path.as_deref().unwrap_or_default();
        let Ok(patterns) = Patterns::read(list, Language::named(&event.path_type)) else { continue };
        if patterns.is_empty() {
            return Choice::Start(event);
        }
        match &heard.paths {
            ChangedPaths::Known(paths) if paths.iter().any(|path| patterns.fit(path)) => return Choice::Start(event),
            ChangedPaths::Known(_) => {}
            ChangedPaths::NotListed => return Choice::NeedsPaths,
        }
    }
    Choice::Nothing(if follows_branch {
        "none of the changed paths is followed".into()
    } else {
        format!("the branch {branch} is not followed")
    })
}

/// Whether an event follows a branch.
#[must_use]
pub fn is_followed(event: &Event, branch: &str, own: &str) -> bool {
    let list = event.branch.as_deref().unwrap_or_default();
    match Patterns::read(list, Language::Regex) {
        // The names of the workspace are no patterns.
        Ok(patterns) if patterns.is_empty() => own.split(',').any(|own| own.trim() == branch),
        Ok(patterns) => patterns.fit(branch),
        Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use entity::id::{OrganizationId, WorkspaceId, WorkspaceWebhookEventId, WorkspaceWebhookId};
    use entity::workspace_push::PushProvider;

    use super::*;

    fn event(kind: &str, branch: &str, path: &str, priority: Option<i32>) -> Event {
        Event {
            id: WorkspaceWebhookEventId::create(),
            organization_id: OrganizationId::create(),
            workspace_id: WorkspaceId::create(),
            created_at: chrono::DateTime::UNIX_EPOCH,
            updated_at: chrono::DateTime::UNIX_EPOCH,
            created_by: String::new(),
            updated_by: String::new(),
            webhook_id: WorkspaceWebhookId::create(),
            branch: Some(branch.to_owned()),
            path: Some(path.to_owned()),
            path_type: "REGEX".into(),
            template_id: None,
            event: kind.to_owned(),
            priority,
            pr_workflow_enabled: false,
            pr_apply_enabled: false,
        }
    }

    fn push(branch: &str, paths: &[&str]) -> Heard {
        Heard {
            event: PushEvent::Push,
            ignored: None,
            branch: Some(branch.to_owned()),
            commit: Some("abcdef0".into()),
            paths: ChangedPaths::Known(paths.iter().map(|path| (*path).to_owned()).collect()),
            ..Heard::nothing(PushProvider::Github, "")
        }
    }

    fn reason(choice: Choice<'_>) -> String {
        match choice {
            Choice::Nothing(reason) => reason,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_branch_of_the_workspace_is_followed_by_default() {
        let events = [event("PUSH", "", "", None)];
        assert_eq!(choose(&push("main", &[]), &events, "main"), Choice::Start(&events[0]));
        assert_eq!(choose(&push("next", &[]), &events, "main, next"), Choice::Start(&events[0]));
        assert!(reason(choose(&push("mainly", &[]), &events, "main")).contains("mainly is not followed"));
        assert!(reason(choose(&push("main", &[]), &[], "main")).contains("no event PUSH"));
    }

    #[test]
    fn the_smallest_priority_counts() {
        let events = [
            event("PUSH", ".*", "", None),
            event("PUSH", ".*", "", Some(2)),
            event("PUSH", "main", "a/.*", Some(1)),
            event("PULL_REQUEST", ".*", "", Some(0)),
        ];
        assert_eq!(choose(&push("main", &["a/x"]), &events, ""), Choice::Start(&events[2]));
        assert_eq!(choose(&push("main", &["b/x"]), &events, ""), Choice::Start(&events[1]));
        let unlisted = Heard { paths: ChangedPaths::NotListed, ..push("main", &[]) };
        assert_eq!(choose(&unlisted, &events, ""), Choice::NeedsPaths);
        let elsewhere = Heard { paths: ChangedPaths::NotListed, ..push("next", &[]) };
        assert_eq!(choose(&elsewhere, &events, ""), Choice::Start(&events[1]));
        assert!(reason(choose(&push("main", &["b"]), &events[2..3], "")).contains("paths"));
    }

    #[test]
    fn a_pull_request_fits_by_either_branch() {
        let events = [event("PULL_REQUEST", "main", "", None)];
        let request = Heard { event: PushEvent::PullRequest, base: Some("main".into()), ..push("more", &[]) };
        assert_eq!(choose(&request, &events, ""), Choice::Start(&events[0]));
        let other = Heard { base: Some("next".into()), ..request };
        assert!(reason(choose(&other, &events, "")).contains("more"));
    }

    #[test]
    fn what_is_ignored_anyway() {
        let events = [event("PUSH", ".*", "", None)];
        let deleted = Heard { ignored: Some("deleted".into()), ..push("main", &[]) };
        assert_eq!(reason(choose(&deleted, &events, "")), "deleted");
        assert!(reason(choose(&Heard { commit: None, ..push("main", &[]) }, &events, "")).contains("no commit"));
    }
}

//! Pure: what GitHub, Gitea and Forgejo deliver. The payloads of the latter two have the same shape.

use entity::workspace_push::{PushEvent, PushProvider};
use serde_json::Value;

use super::heard::{ChangedPaths, FORK, Heard};
use super::payload_parts::{changed_paths, commit, number, text, title};

/// GitHub lists at most so many commits of a push.
const LISTED: usize = 2048;

/// Reads an event.
pub(super) fn read(provider: PushProvider, event: &str, payload: &Value) -> Heard {
    match event {
        "push" => push(provider, payload),
        "pull_request" | "pull_request_sync" => pull_request(provider, payload),
        "ping" => Heard::nothing(provider, "the webhook is set up"),
        other => Heard::nothing(provider, format!("the event {other} brings no commits")),
    }
}

fn push(provider: PushProvider, payload: &Value) -> Heard {
    let reference = text(payload, "/ref").unwrap_or_default();
    let repository = text(payload, "/repository/full_name");
    let Some(branch) = reference.strip_prefix("refs/heads/") else {
        let reason = format!("{reference} is not a branch");
        return Heard { repository, ..Heard::nothing(provider, reason) };
    };
    let after = commit(payload, "/after");
    let before = commit(payload, "/before");
    let commits = payload.get("commits").unwrap_or(&Value::Null);
    let listed = commits.as_array().map_or(0, Vec::len);
    let total = payload.get("total_commits").and_then(Value::as_u64).unwrap_or(listed as u64);
    let is_forced = payload.get("forced").and_then(Value::as_bool).unwrap_or_default();
    let is_complete = before.is_some() && !is_forced && listed < LISTED && total == listed as u64;
    Heard {
        provider,
        event: PushEvent::Push,
        ignored: after.is_none().then(|| format!("the branch {branch} was deleted")),
        repository,
        branch: Some(branch.to_owned()),
        base: None,
        before,
        commit: after,
        pr_number: None,
        title: title(payload, "/head_commit/message"),
        author: text(payload, "/sender/login").or_else(|| text(payload, "/pusher/name")),
        paths: changed_paths(commits, is_complete),
    }
}

fn pull_request(provider: PushProvider, payload: &Value) -> Heard {
    let action = text(payload, "/action").unwrap_or_default();
    let from = |pointer: &str| text(payload, pointer);
    let is_new = matches!(action.as_str(), "opened" | "synchronize" | "synchronized" | "reopened" | "ready_for_review");
    let (head, base) = (
        from("/pull_request/head/repo/full_name"),
        from("/pull_request/base/repo/full_name").or(from("/repository/full_name")),
    );
    let ignored = if !is_new {
        Some(format!("the action {action} of a pull request brings no new commits"))
    } else if head.is_none() || head != base {
        Some(FORK.to_owned())
    } else {
        None
    };
    Heard {
        provider,
        event: PushEvent::PullRequest,
        ignored,
        repository: base,
        branch: from("/pull_request/head/ref"),
        base: from("/pull_request/base/ref"),
        before: commit(payload, "/pull_request/base/sha"),
        commit: commit(payload, "/pull_request/head/sha"),
        pr_number: number(payload, "/number").or_else(|| number(payload, "/pull_request/number")),
        title: title(payload, "/pull_request/title"),
        author: from("/sender/login"),
        paths: ChangedPaths::NotListed,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const OLD: &str = "6113728f27ae82c7b1a177c8d03f9e96e0adf246";
    const NEW: &str = "76ae82c7b1a177c8d03f9e96e0adf2466113728f";
    const ZERO: &str = "0000000000000000000000000000000000000000";

    #[test]
    fn a_push_lists_its_paths() {
        let payload = json!({
            "ref": "refs/heads/release/1", "before": OLD, "after": NEW, "forced": false, "deleted": false,
            "repository": {"full_name": "acme/infra"}, "sender": {"login": "ann"},
            "head_commit": {"message": "Two nodes\n\nmore"},
            "commits": [
                {"added": ["a/new.tf"], "modified": ["a/main.tf"], "removed": []},
                {"added": [], "modified": ["a/main.tf"], "removed": ["b"]},
            ],
        });
        let heard = read(PushProvider::Github, "push", &payload);
        assert_eq!((heard.branch.as_deref(), heard.commit.as_deref()), (Some("release/1"), Some(NEW)));
        assert_eq!((heard.title.as_deref(), heard.author.as_deref()), (Some("Two nodes"), Some("ann")));
        assert_eq!(heard.paths, ChangedPaths::Known(vec!["a/main.tf".into(), "a/new.tf".into(), "b".into()]));
        assert_eq!(heard.ignored, None);
        for (key, value) in [("forced", json!(true)), ("before", json!(ZERO)), ("total_commits", json!(30))] {
            let mut cut = payload.clone();
            cut[key] = value;
            assert_eq!(read(PushProvider::Gitea, "push", &cut).paths, ChangedPaths::NotListed, "{key}");
        }
        let mut gone = payload.clone();
        gone["after"] = json!(ZERO);
        assert!(read(PushProvider::Github, "push", &gone).ignored.unwrap().contains("was deleted"));
        let mut tag = payload;
        tag["ref"] = json!("refs/tags/v1");
        assert!(read(PushProvider::Github, "push", &tag).ignored.unwrap().contains("not a branch"));
    }

    #[test]
    fn a_pull_request_of_the_repository_and_one_of_a_fork() {
        let of = |action: &str, head: &str| {
            let payload = json!({
                "action": action, "number": 7, "sender": {"login": "ann"}, "repository": {"full_name": "acme/infra"},
                "pull_request": {
                    "title": "More", "head": {"ref": "more", "sha": NEW, "repo": {"full_name": head}},
                    "base": {"ref": "main", "sha": OLD, "repo": {"full_name": "acme/infra"}},
                },
            });
            read(PushProvider::Github, "pull_request", &payload)
        };
        let own = of("synchronize", "acme/infra");
        assert_eq!((own.event, own.pr_number, own.ignored), (PushEvent::PullRequest, Some(7), None));
        assert_eq!((own.branch.as_deref(), own.base.as_deref()), (Some("more"), Some("main")));
        assert_eq!(of("opened", "eve/infra").ignored.as_deref(), Some(FORK));
        assert!(of("closed", "acme/infra").ignored.unwrap().contains("closed"));
    }

    #[test]
    fn other_events_start_nothing() {
        assert_eq!(read(PushProvider::Github, "ping", &json!({})).event, PushEvent::Other);
        assert!(read(PushProvider::Github, "star", &json!({})).ignored.unwrap().contains("star"));
        assert!(read(PushProvider::Github, "push", &json!([1])).ignored.is_some());
        assert!(read(PushProvider::Github, "pull_request", &json!("x")).ignored.is_some());
    }
}

//! Pure: what GitLab delivers.

use entity::workspace_push::{PushEvent, PushProvider};
use serde_json::Value;

use super::heard::{ChangedPaths, FORK, Heard};
use super::payload_parts::{changed_paths, commit, number, text, title};

const PROVIDER: PushProvider = PushProvider::Gitlab;

/// Reads an event.
pub(super) fn read(event: &str, payload: &Value) -> Heard {
    match event {
        "Push Hook" => push(payload),
        "Merge Request Hook" => merge_request(payload),
        other => Heard::nothing(PROVIDER, format!("the event {other} brings no commits")),
    }
}

fn push(payload: &Value) -> Heard {
    let reference = text(payload, "/ref").unwrap_or_default();
    let repository = text(payload, "/project/path_with_namespace");
    let Some(branch) = reference.strip_prefix("refs/heads/") else {
        return Heard { repository, ..Heard::nothing(PROVIDER, format!("{reference} is not a branch")) };
    };
    let (before, after) = (commit(payload, "/before"), commit(payload, "/after"));
    let commits = payload.get("commits").unwrap_or(&Value::Null);
    let listed = commits.as_array().map_or(0, Vec::len) as u64;
    let is_complete =
        before.is_some() && payload.get("total_commits_count").and_then(Value::as_u64).is_some_and(|all| all == listed);
    let newest = commits.as_array().and_then(|commits| commits.last()).unwrap_or(&Value::Null);
    Heard {
        provider: PROVIDER,
        event: PushEvent::Push,
        ignored: after.is_none().then(|| format!("the branch {branch} was deleted")),
        repository,
        branch: Some(branch.to_owned()),
        base: None,
        before,
        commit: after,
        pr_number: None,
        title: title(newest, "/message"),
        author: text(payload, "/user_username").or_else(|| text(payload, "/user_name")),
        paths: changed_paths(commits, is_complete),
    }
}

fn merge_request(payload: &Value) -> Heard {
    let of = |name: &str| payload.pointer(&format!("/object_attributes/{name}"));
    let word = |name: &str| text(payload, &format!("/object_attributes/{name}"));
    let action = word("action").unwrap_or_default();
    // An update with an older revision brings commits; others change the description or the labels.
    let is_new = matches!(action.as_str(), "open" | "reopen") || (action == "update" && of("oldrev").is_some());
    let is_fork = of("source_project_id").is_none() || of("source_project_id") != of("target_project_id");
    let ignored = if !is_new {
        Some(format!("the action {action} of a merge request brings no new commits"))
    } else if is_fork {
        Some(FORK.to_owned())
    } else {
        None
    };
    Heard {
        provider: PROVIDER,
        event: PushEvent::PullRequest,
        ignored,
        repository: text(payload, "/project/path_with_namespace"),
        branch: word("source_branch"),
        base: word("target_branch"),
        before: None,
        commit: commit(payload, "/object_attributes/last_commit/id"),
        pr_number: number(payload, "/object_attributes/iid"),
        title: title(payload, "/object_attributes/title"),
        author: text(payload, "/user/username"),
        paths: ChangedPaths::NotListed,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const OLD: &str = "95790bf891e76fee5e1747ab589903a6a1f80f22";
    const NEW: &str = "da1560886d4f094c3e6c9ef40349f7d38b5d27d7";

    #[test]
    fn a_push() {
        let payload = |total: u64| {
            json!({
                "object_kind": "push", "ref": "refs/heads/main", "before": OLD, "after": NEW, "user_username": "ann",
                "project": {"path_with_namespace": "acme/tools/infra"}, "total_commits_count": total,
                "commits": [{"message": "Two\n", "added": ["a"], "modified": ["b"], "removed": []}],
            })
        };
        let heard = read("Push Hook", &payload(1));
        assert_eq!(heard.paths, ChangedPaths::Known(vec!["a".into(), "b".into()]));
        assert_eq!((heard.repository.as_deref(), heard.title.as_deref()), (Some("acme/tools/infra"), Some("Two")));
        assert_eq!(read("Push Hook", &payload(21)).paths, ChangedPaths::NotListed);
        assert!(read("Tag Push Hook", &payload(1)).ignored.is_some());
    }

    #[test]
    fn merge_requests() {
        let of = |action: &str, source: u64, more: serde_json::Value| {
            let mut payload = json!({
                "user": {"username": "ann"}, "project": {"path_with_namespace": "acme/infra"},
                "object_attributes": {
                    "iid": 3, "title": "More", "source_branch": "more", "target_branch": "main", "action": action,
                    "source_project_id": source, "target_project_id": 14, "last_commit": {"id": NEW},
                },
            });
            payload["object_attributes"].as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            read("Merge Request Hook", &payload)
        };
        let opened = of("open", 14, json!({}));
        assert_eq!((opened.pr_number, opened.commit.as_deref(), opened.ignored), (Some(3), Some(NEW), None));
        assert_eq!(of("update", 14, json!({"oldrev": OLD})).ignored, None);
        assert!(of("update", 14, json!({})).ignored.unwrap().contains("no new commits"));
        assert!(of("merge", 14, json!({})).ignored.is_some());
        assert_eq!(of("open", 15, json!({})).ignored.as_deref(), Some(FORK));
    }
}

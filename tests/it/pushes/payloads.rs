//! Payloads in the shapes of the providers, cut to what matters and some of what does not.

use serde_json::{Value, json};

pub(crate) const OLD: &str = "95790bf891e76fee5e1747ab589903a6a1f80f22";
pub(crate) const NEW: &str = "da1560886d4f094c3e6c9ef40349f7d38b5d27d7";
pub(crate) const NEWER: &str = "6113728f27ae82c7b1a177c8d03f9e96e0adf246";

/// A push as GitHub, Gitea and Forgejo deliver it.
pub(crate) fn push(branch: &str, commit: &str, paths: &[&str]) -> Value {
    json!({
        "ref": format!("refs/heads/{branch}"), "before": OLD, "after": commit, "created": false, "deleted": false,
        "forced": false, "base_ref": null, "compare": "https://git.example/acme/infra/compare/a...b",
        "repository": {"id": 1, "name": "infra", "full_name": "acme/infra", "clone_url": "https://git.example/acme/infra.git"},
        "pusher": {"name": "ann", "email": "ann@example.com"}, "sender": {"login": "ann", "id": 7},
        "head_commit": {"id": commit, "message": "Add a node\n\nAnd more."},
        "commits": [{"id": commit, "message": "Add a node", "added": [], "modified": paths, "removed": []}],
    })
}

/// A pull request as GitHub, Gitea and Forgejo deliver it.
pub(crate) fn pull_request(action: &str, number: u64, commit: &str, repository: &str) -> Value {
    json!({
        "action": action, "number": number, "sender": {"login": "ben"}, "repository": {"full_name": "acme/infra"},
        "pull_request": {
            "number": number, "title": "More nodes", "state": "open", "draft": false,
            "head": {"ref": "more", "sha": commit, "repo": {"full_name": repository}},
            "base": {"ref": "main", "sha": OLD, "repo": {"full_name": "acme/infra"}},
        },
    })
}

pub(crate) fn gitlab_push(branch: &str, commit: &str, paths: &[&str]) -> Value {
    json!({
        "object_kind": "push", "event_name": "push", "before": OLD, "after": commit, "ref": format!("refs/heads/{branch}"),
        "checkout_sha": commit, "user_id": 4, "user_username": "ann", "project_id": 15,
        "project": {"id": 15, "path_with_namespace": "acme/infra", "default_branch": "main"},
        "commits": [{"id": commit, "message": "Add a node\n", "added": paths, "modified": [], "removed": []}],
        "total_commits_count": 1,
    })
}

pub(crate) fn gitlab_merge_request(action: &str, commit: &str) -> Value {
    json!({
        "object_kind": "merge_request", "user": {"username": "ben"}, "project": {"path_with_namespace": "acme/infra"},
        "object_attributes": {
            "iid": 3, "title": "More nodes", "source_branch": "more", "target_branch": "main", "source_project_id": 15,
            "target_project_id": 15, "state": "opened", "action": action, "last_commit": {"id": commit},
        },
    })
}

pub(crate) fn bitbucket_push(branch: &str, commit: &str) -> Value {
    let head = |commit: &str| json!({"type": "branch", "name": branch, "target": {"type": "commit", "hash": commit, "message": "Add a node\n"}});
    json!({
        "actor": {"nickname": "ann", "display_name": "Ann"}, "repository": {"full_name": "acme/infra"},
        "push": {"changes": [{"created": false, "closed": false, "forced": false, "old": head(OLD), "new": head(commit)}]},
    })
}

pub(crate) fn bitbucket_pull_request(commit: &str) -> Value {
    let side = |branch: &str, commit: &str| json!({"branch": {"name": branch}, "commit": {"hash": commit}, "repository": {"full_name": "acme/infra"}});
    json!({
        "actor": {"nickname": "ben"}, "repository": {"full_name": "acme/infra"},
        "pullrequest": {
            "id": 5, "title": "More nodes", "state": "OPEN", "source": side("more", &commit[..12]),
            "destination": side("main", &OLD[..12]),
        },
    })
}

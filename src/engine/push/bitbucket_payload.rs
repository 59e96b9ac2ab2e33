//! Pure: what Bitbucket Cloud delivers. One delivery may be about several branches, and lists no paths.

use entity::workspace_push::{PushEvent, PushProvider};
use serde_json::Value;

use super::heard::{ChangedPaths, FORK, Heard};
use super::payload_parts::{commit, number, text, title};

const PROVIDER: PushProvider = PushProvider::Bitbucket;
/// The most branches of one delivery that are looked at; Bitbucket names at most five.
const BRANCHES: usize = 10;

/// Reads an event.
pub(super) fn read(event: &str, payload: &Value) -> Vec<Heard> {
    match event {
        "repo:push" => {
            let changes = payload.pointer("/push/changes").and_then(Value::as_array).map(Vec::as_slice);
            let heard: Vec<Heard> =
                changes.unwrap_or_default().iter().take(BRANCHES).map(|change| push(payload, change)).collect();
            if heard.is_empty() { vec![Heard::nothing(PROVIDER, "the push changes no branch")] } else { heard }
        }
        "pullrequest:created" | "pullrequest:updated" => vec![pull_request(payload)],
        other => vec![Heard::nothing(PROVIDER, format!("the event {other} brings no commits"))],
    }
}

fn push(payload: &Value, change: &Value) -> Heard {
    let repository = text(payload, "/repository/full_name");
    let (new, old) = (text(change, "/new/name"), text(change, "/old/name"));
    let kind = text(change, "/new/type").or_else(|| text(change, "/old/type")).unwrap_or_default();
    let name = new.clone().or(old).unwrap_or_default();
    if kind != "branch" {
        return Heard { repository, ..Heard::nothing(PROVIDER, format!("{name} is not a branch")) };
    }
    Heard {
        provider: PROVIDER,
        event: PushEvent::Push,
        ignored: new.is_none().then(|| format!("the branch {name} was deleted")),
        repository,
        branch: Some(name),
        base: None,
        before: commit(change, "/old/target/hash"),
        commit: commit(change, "/new/target/hash"),
        pr_number: None,
        title: title(change, "/new/target/message"),
        author: text(payload, "/actor/nickname").or_else(|| text(payload, "/actor/display_name")),
        paths: ChangedPaths::NotListed,
    }
}

fn pull_request(payload: &Value) -> Heard {
    let from = |name: &str| text(payload, &format!("/pullrequest/{name}"));
    let repository = from("destination/repository/full_name").or_else(|| text(payload, "/repository/full_name"));
    let source = from("source/repository/full_name");
    Heard {
        provider: PROVIDER,
        event: PushEvent::PullRequest,
        ignored: (source.is_none() || source != repository).then(|| FORK.to_owned()),
        repository,
        branch: from("source/branch/name"),
        base: from("destination/branch/name"),
        before: commit(payload, "/pullrequest/destination/commit/hash"),
        commit: commit(payload, "/pullrequest/source/commit/hash"),
        pr_number: number(payload, "/pullrequest/id"),
        title: title(payload, "/pullrequest/title"),
        author: text(payload, "/actor/nickname").or_else(|| text(payload, "/actor/display_name")),
        paths: ChangedPaths::NotListed,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const OLD: &str = "709d658dc5b6d6afcd46049c2f332ee3f515a67d";
    const NEW: &str = "1e65c05c1d5171631d92438a13901ca7dae9618c";

    #[test]
    fn a_push_to_several_branches() {
        let branch = |name: &str, hash: &str| json!({"type": "branch", "name": name, "target": {"hash": hash, "message": "m\n"}});
        let payload = json!({
            "actor": {"nickname": "ann"}, "repository": {"full_name": "acme/infra"},
            "push": {"changes": [
                {"new": branch("main", NEW), "old": branch("main", OLD), "forced": false},
                {"new": null, "old": branch("gone", OLD), "closed": true},
                {"new": {"type": "tag", "name": "v1"}, "old": null},
            ]},
        });
        let heard = read("repo:push", &payload);
        assert_eq!(heard.len(), 3);
        assert_eq!((heard[0].branch.as_deref(), heard[0].before.as_deref()), (Some("main"), Some(OLD)));
        assert_eq!((heard[0].commit.as_deref(), heard[0].ignored.as_deref()), (Some(NEW), None));
        assert!(heard[1].ignored.as_deref().unwrap().contains("deleted"));
        assert!(heard[2].ignored.as_deref().unwrap().contains("not a branch"));
        assert_eq!(read("repo:push", &json!({})).len(), 1);
    }

    #[test]
    fn pull_requests_have_short_commits() {
        let of = |source: &str| {
            let side = |name: &str, hash: &str, repository: &str| json!({"branch": {"name": name}, "commit": {"hash": hash}, "repository": {"full_name": repository}});
            let payload = json!({"actor": {"nickname": "ann"}, "pullrequest": {
                "id": 5, "title": "More", "source": side("more", "d3022fc0ca3d", source),
                "destination": side("main", "ce5965ddd289", "acme/infra"),
            }});
            read("pullrequest:updated", &payload).remove(0)
        };
        let own = of("acme/infra");
        assert_eq!((own.pr_number, own.commit.as_deref(), own.ignored), (Some(5), Some("d3022fc0ca3d"), None));
        assert_eq!(of("eve/infra").ignored.as_deref(), Some(FORK));
        assert!(read("issue:created", &json!({}))[0].ignored.is_some());
    }
}

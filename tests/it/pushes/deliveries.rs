//! Deliveries of each provider: signatures, replays, filters, and the jobs that they start.

use serde_json::json;

use super::payloads::{
    NEW, NEWER, OLD, bitbucket_pull_request, bitbucket_push, gitlab_merge_request, gitlab_push, pull_request, push,
};
use super::{Followed, SECRET, signature};
use crate::terrakube::{change, detail};

#[tokio::test]
async fn a_push_starts_a_job_with_its_template_once() {
    let it = Followed::new().await;
    it.event(json!({"event": "PUSH"})).await;
    let payload = push("main", NEW, &["infra/main.tf"]);
    let job = Followed::started(it.github("push", "72d3162e", &payload).await);
    let found = it.job(&job).await;
    let of = |name: &str| found[name].as_str().unwrap_or_default().to_owned();
    assert_eq!((of("commitId"), of("overrideBranch"), of("via")), (NEW.into(), "main".into(), "Github".into()));
    assert_eq!((of("createdBy"), of("comments")), ("ann".into(), "Add a node".into()));
    assert_eq!(found["templateReference"], it.house.template("Plan and apply").await);
    // The id of a delivery is not signed, so its body is remembered, too.
    for delivery in ["72d3162e", "another"] {
        let text = detail(it.github("push", delivery, &payload).await, 409);
        assert!(text.contains("received before"), "{text}");
    }
    let other = push("main", NEWER, &["x"]);
    assert!(detail(it.github("push", "72d3162e", &other).await, 409).contains("received before"));
    assert_eq!(it.house.get("job").await["data"].as_array().unwrap().len(), 1);
}

/// A push that is taken back and made again has the same body, because GitLab says no time in it.
#[tokio::test]
async fn a_push_of_gitlab_that_is_made_again_starts_a_job() {
    let it = Followed::new().await;
    it.event(json!({"event": "PUSH"})).await;
    let none = "0".repeat(40);
    let send = async |delivery: &str, before: &str, after: &str| {
        let mut payload = gitlab_push("main", after, &["a"]);
        payload["before"] = json!(before);
        let headers = [("x-gitlab-event", "Push Hook"), ("x-gitlab-event-uuid", delivery), ("x-gitlab-token", SECRET)];
        it.send(&headers, &payload.to_string()).await
    };
    let mut jobs = Vec::new();
    for (delivery, before, after) in [("1", OLD, NEW), ("2", NEW, OLD), ("3", OLD, NEW)] {
        jobs.push(Followed::started(send(delivery, before, after).await));
    }
    assert_eq!(it.job(&jobs[2]).await["commitId"], NEW);
    assert!(detail(send("3", OLD, NEW).await, 409).contains("received before"));
    // So has a branch that is deleted and created again.
    for (gone, back) in [("4", "5"), ("6", "7")] {
        assert_eq!(Followed::result(send(gone, NEW, &none).await, 200).0, "IGNORED");
        Followed::started(send(back, &none, NEW).await);
    }
    assert_eq!(it.house.get("job").await["data"].as_array().unwrap().len(), 5);
}

/// Bitbucket says no time either, but signs the body: it is a replay unless the branch is back where the push began.
#[tokio::test]
async fn a_push_of_bitbucket_that_is_made_again_starts_a_job_and_a_replay_does_not() {
    let it = Followed::new().await;
    it.event(json!({"event": "PUSH"})).await;
    let send = async |delivery: &str, before: &str, after: &str| {
        let mut payload = bitbucket_push("main", after);
        let changes = payload["push"]["changes"].as_array_mut().unwrap();
        changes[0]["old"]["target"]["hash"] = json!(before);
        changes.push(json!({"new": {"type": "tag", "name": "v1"}, "old": null}));
        let body = payload.to_string();
        let signed = format!("sha256={}", signature(SECRET, &body));
        let headers =
            [("x-event-key", "repo:push"), ("x-request-uuid", delivery), ("x-hub-signature", signed.as_str())];
        it.send(&headers, &body).await
    };
    let replayed = async |delivery: &str, before: &str, after: &str| {
        let text = detail(send(delivery, before, after).await, 409);
        assert!(text.contains("received before"), "{text}");
    };
    Followed::started(send("1", OLD, NEW).await);
    replayed("2", OLD, NEW).await;
    Followed::started(send("3", NEW, OLD).await);
    let again = Followed::started(send("4", OLD, NEW).await);
    assert_eq!(it.job(&again).await["commitId"], NEW);
    replayed("5", OLD, NEW).await;
    Followed::started(send("6", NEW, NEWER).await);
    // Neither leads on from where the branch is.
    replayed("7", OLD, NEW).await;
    replayed("8", NEW, OLD).await;
    // An id that is known is a replay, whatever comes with it.
    replayed("4", NEWER, OLD).await;
    assert_eq!(it.house.get("job").await["data"].as_array().unwrap().len(), 4);
}

#[tokio::test]
async fn what_is_not_signed_right_is_refused() {
    let it = Followed::new().await;
    it.event(json!({"event": "PUSH"})).await;
    let body = push("main", NEW, &[]).to_string();
    let wrong = format!("sha256={}", signature("another secret", &body));
    let right = format!("sha256={}", signature(SECRET, &body));
    let of = [("x-github-event", "push"), ("x-github-delivery", "1")];
    let with = |more: (&'static str, String)| {
        [of[0], of[1]].map(|(name, value)| (name, value.to_owned())).into_iter().chain([more]).collect::<Vec<_>>()
    };
    for (headers, expected) in [
        (with(("x-hub-signature-256", wrong)), "the signature is wrong"),
        (with(("x-hub-signature", "sha1=0011".into())), "HMAC-SHA256"),
        (with(("x-other", String::new())), "not signed"),
    ] {
        let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let text = detail(it.send(&headers, &body).await, 401);
        assert!(text.contains(expected), "{text}");
    }
    let changed = body.replace("main", "evil");
    let headers = [of[0], of[1], ("x-hub-signature-256", right.as_str())];
    assert!(detail(it.send(&headers, &changed).await, 401).contains("wrong"));
    assert!(
        detail(it.send(&[("x-gitlab-event", "Push Hook"), ("x-gitlab-event-uuid", "1")], &body).await, 401)
            .contains("X-Gitlab-Token")
    );
    assert!(detail(it.send(&[], &body).await, 400).contains("X-GitHub-Event"));
    assert_eq!(
        it.send(&[of[0], of[1], ("x-hub-signature-256", &format!("sha256={}", signature(SECRET, "{")))], "{")
            .await
            .status,
        400
    );
    let unknown = format!("/webhook/v2/{}", uuid::Uuid::now_v7());
    let client = it.house.app.client(None);
    assert_eq!(client.call_with(poem::http::Method::POST, &unknown, Some(&body), &headers).await.status, 404);
    assert_eq!(it.house.get("job").await["data"], json!([]));
    // The same body with the right signature is no replay: nothing of what was refused is remembered.
    assert_eq!(it.send(&headers, &body).await.status, 200);
}

#[tokio::test]
async fn each_provider_delivers_pushes_and_pull_requests() {
    let it = Followed::new().await;
    it.event(json!({"event": "PUSH"})).await;
    it.event(json!({"event": "PULL_REQUEST"})).await;
    let mut started = Vec::new();
    for (event, payload) in
        [("Push Hook", gitlab_push("main", NEW, &["a"])), ("Merge Request Hook", gitlab_merge_request("open", NEW))]
    {
        let headers = [("x-gitlab-event", event), ("x-gitlab-event-uuid", event), ("x-gitlab-token", SECRET)];
        started.push(Followed::started(it.send(&headers, &payload.to_string()).await));
    }
    for (event, payload) in
        [("repo:push", bitbucket_push("main", NEW)), ("pullrequest:created", bitbucket_pull_request(NEW))]
    {
        let body = payload.to_string();
        let signed = format!("sha256={}", signature(SECRET, &body));
        let headers = [("x-event-key", event), ("x-request-uuid", event), ("x-hub-signature", signed.as_str())];
        started.push(Followed::started(it.send(&headers, &body).await));
    }
    for (event, payload) in
        [("push", push("main", NEW, &["a"])), ("pull_request", pull_request("opened", 7, NEW, "acme/infra"))]
    {
        let body = payload.to_string();
        let signed = signature(SECRET, &body);
        let headers = [
            ("x-gitea-event", event),
            ("x-github-event", event),
            ("x-gitea-delivery", event),
            ("x-gitea-signature", signed.as_str()),
        ];
        started.push(Followed::started(it.send(&headers, &body).await));
    }
    let mut told = Vec::new();
    for job in &started {
        let job = it.job(job).await;
        told.push((job["via"].as_str().unwrap().to_owned(), job["prNumber"].clone()));
    }
    let expected = [
        ("Gitlab", json!(null)),
        ("Gitlab", json!(3)),
        ("Bitbucket", json!(null)),
        ("Bitbucket", json!(5)),
        ("Gitea", json!(null)),
        ("Gitea", json!(7)),
    ];
    assert_eq!(told, expected.map(|(via, number)| (via.to_owned(), number)));
}

#[tokio::test]
async fn branches_and_paths_are_filtered() {
    let it = Followed::new().await;
    let plan = it.house.template("Plan").await;
    it.event(json!({"event": "PUSH", "branch": "release/.*", "priority": 2, "templateId": plan})).await;
    it.event(json!({"event": "PUSH", "path": "infra/**,*.tf", "pathType": "PATTERN", "priority": 1})).await;
    let ignored = async |delivery: &str, payload| {
        let (outcome, reason) = Followed::result(it.github("push", delivery, &payload).await, 200);
        assert_eq!(outcome, "IGNORED");
        reason
    };
    assert_eq!(ignored("1", push("next", NEW, &["infra/a"])).await, "the branch next is not followed");
    assert_eq!(ignored("2", push("main", NEW, &["docs/a.md"])).await, "none of the changed paths is followed");
    let mut elsewhere = push("main", NEW, &["infra/a"]);
    elsewhere["repository"]["full_name"] = json!("acme/other");
    assert_eq!(ignored("3", elsewhere).await, "acme/other is not the repository of the workspace");
    let mut tag = push("main", NEW, &["infra/a"]);
    tag["ref"] = json!("refs/tags/v1");
    assert_eq!(ignored("4", tag).await, "refs/tags/v1 is not a branch");
    let (outcome, reason) = Followed::result(it.github("ping", "5", &json!({"zen": "x"})).await, 200);
    assert_eq!((outcome.as_str(), reason.as_str()), ("IGNORED", "the webhook is set up"));
    let release = Followed::started(it.github("push", "6", &push("release/1", NEW, &["docs/a.md"])).await);
    assert_eq!(it.job(&release).await["templateReference"], plan);
    let main = Followed::started(it.github("push", "7", &push("main", NEW, &["docs/a.md", "infra/net/a"])).await);
    assert_eq!(it.job(&main).await["overrideBranch"], "main");
}

#[tokio::test]
async fn a_pull_request_is_planned_and_a_fork_is_not() {
    let it = Followed::new().await;
    it.event(json!({"event": "PULL_REQUEST", "branch": "main"})).await;
    let fork = it.github("pull_request", "1", &pull_request("opened", 7, NEW, "eve/infra")).await;
    assert!(Followed::result(fork, 200).1.contains("comes from a fork"));
    let job = Followed::started(it.github("pull_request", "2", &pull_request("opened", 7, NEW, "acme/infra")).await);
    let found = it.job(&job).await;
    assert_eq!((found["prNumber"].clone(), found["overrideBranch"].clone()), (json!(7), json!("more")));
    it.house.app.settle().await;
    it.house.end(0, r#"{"changes":true}"#).await;
    assert_eq!(it.house.status(&job).await, ("completed".into(), vec!["completed".into(), "notExecuted".into()]));
    // Providers tell of a new title like of a new commit.
    let again = it.github("pull_request", "3", &pull_request("synchronize", 7, NEW, "acme/infra")).await;
    assert_eq!(Followed::result(again, 200).1, format!("job {job} has planned this commit"));
    let closed = it.github("pull_request", "4", &pull_request("closed", 7, NEWER, "acme/infra")).await;
    assert!(Followed::result(closed, 200).1.contains("closed"));
}

const PLAN_AND_ASK: &str =
    "flow:\n- {type: terraformPlan, step: 100}\n- {type: approval, step: 150}\n- {type: terraformApply, step: 200}\n";

#[tokio::test]
async fn a_newer_push_supersedes_the_waiting_plan_of_its_branch() {
    let it = Followed::new().await;
    let flow = crate::terrakube::tcl(PLAN_AND_ASK);
    let ask = it.house.create("template", "template", json!({"name": "ask", "tcl": flow})).await;
    it.event(json!({"event": "PUSH", "branch": ".*", "templateId": ask})).await;
    let push_to = async |delivery: &str, branch: &str, commit: &str| {
        Followed::started(it.github("push", delivery, &push(branch, commit, &[delivery])).await)
    };
    let first = push_to("1", "main", NEW).await;
    it.house.app.settle().await;
    it.house.end(0, r#"{"changes":true}"#).await;
    assert_eq!(it.house.status(&first).await.0, "waitingApproval");
    let other = push_to("2", "next", NEW).await;
    assert_eq!(it.house.status(&first).await.0, "waitingApproval", "another branch supersedes nothing");
    let second = push_to("3", "main", NEWER).await;
    assert_eq!(it.house.status(&first).await.0, "cancelled");
    let said = format!("superseded by job {second}: the branch main has newer commits");
    assert_eq!(it.job(&first).await["output"], said);
    // One that has not begun is superseded, too; one that is being executed goes on until it would ask.
    let third = push_to("4", "main", NEW).await;
    assert_eq!(it.house.status(&second).await.0, "cancelled");
    assert_eq!(it.house.status(&other).await.0, "pending");
    it.house.app.settle().await;
    it.house.end(0, r#"{"changes":true}"#).await;
    it.house.give(&other, "rejected").await.expect(204);
    it.house.app.settle().await;
    assert_eq!(it.house.status(&third).await.0, "running");
    let fourth = push_to("5", "main", NEWER).await;
    assert_eq!(it.house.status(&third).await.0, "running");
    it.house.end(0, r#"{"changes":true}"#).await;
    assert_eq!(it.house.status(&third).await.0, "cancelled");
    assert!(it.job(&third).await["output"].as_str().unwrap().contains(&format!("job {fourth}")));
}

#[tokio::test]
async fn a_webhook_acts_with_the_rights_of_whoever_set_it_up() {
    let it = Followed::new().await;
    it.house.create("team", "team", json!({"name": "OPS", "manageWorkspace": true, "planJob": true})).await;
    let planner = it.house.of_groups(&["OPS"]).await;
    let template = it.house.template("Plan and apply").await;
    let path = format!("/api/v1/webhook/{}/events", it.hook);
    let wanted = crate::terrakube::new("webhook_event", json!({"event": "PUSH", "templateId": template}));
    assert!(detail(planner.post(&path, wanted).await, 403).contains("approveJob"));
    let plan = json!({"event": "PUSH", "templateId": it.house.template("Plan").await});
    planner.post(&path, crate::terrakube::new("webhook_event", plan)).await.expect(201);
    let job = Followed::started(it.github("push", "1", &push("main", NEW, &["a"])).await);
    assert_eq!(it.house.status(&job).await.0, "pending");
    // The team loses its rights.
    let team = it.house.get("team?filter[team]=name==OPS").await["data"][0]["id"].as_str().unwrap().to_owned();
    let less = change("team", &team, json!({"planJob": false}));
    it.house.client.patch(&it.house.path(&format!("team/{team}")), less).await.expect(204);
    let (outcome, reason) = Followed::result(it.github("push", "2", &push("main", NEWER, &["b"])).await, 200);
    assert_eq!(outcome, "FAILED");
    assert!(reason.contains("whoever set up the webhook may no longer do this"), "{reason}");
    let failed = it.house.get("job?sort=-id").await["data"][0].clone();
    assert_eq!((&failed["attributes"]["status"], &failed["attributes"]["output"]), (&json!("failed"), &json!(reason)));
}

//! Queries to real registries and repositories: tags, images, commits and Dockerfiles.

use serde_json::json;

use crate::git_server::repository;
use crate::harness::{TestApp, id};

/// A real registry with a login, if there is one.
#[tokio::test]
async fn a_registry_lists_tags_and_knows_its_images() {
    let Some((user, password, host, image, tag)) = crate::runner::test_registry() else { return };
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let path = format!("/organization/{}/containerRegistry", it.organization);
    let body = |password: &str| {
        let config = json!({"username": user, "password": password});
        json!({"name": "own", "kind": "GENERIC_CR", "url": format!("https://{host}"), "config": config})
    };
    let registry = id(&it.client.post(&path, body(&password)).await.expect(201));
    let list = it.client.get(&format!("{path}/{registry}/images?imageName={image}")).await.expect(200);
    assert_eq!(list["results"], json!([{"image_name": image, "versions": [tag]}]));
    let check = format!("/environment/{}/checkContainerImage", it.environment);
    let ask = |tag: &str| json!({"registry_id": registry, "image_name": image, "tag": tag});
    it.client.post(&check, ask(&tag)).await.expect(200);
    assert!(it.client.post(&check, ask("none")).await.detail(400).contains("has no such image"));
    it.client.get(&format!("{path}/{registry}/images?imageName=no/such")).await.expect(400);
    it.client.get(&format!("{path}/{registry}/images")).await.expect(400);
    it.client.put(&format!("{path}/{registry}"), body("wrong")).await.expect(200);
    assert!(it.client.post(&check, ask(&tag)).await.detail(400).contains("rejected the login"));
    let job = it.create({
        let mut job = it.cron("job", "@daily");
        job["source"]["image"]["registry_id"] = json!(registry);
        job
    });
    let job = job.await;
    let used = it.client.get(&format!("{path}/{registry}/associatedServices")).await.expect(200);
    assert_eq!((&used["results"][0]["service_id"], &used["results"][0]["service_type"]), (&json!(job), &json!("CRON")));
    assert!(it.client.delete(&format!("{path}/{registry}")).await.detail(409).contains("jobs use this registry"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_repository_lists_commits_and_shows_its_dockerfile() {
    let (_folder, url) = repository().await;
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let token = json!({"name": "g", "type": "GITHUB", "token": "pass", "git_api_url": url});
    let tokens = format!("/organization/{}/gitToken", it.organization);
    let token = id(&it.client.post(&tokens, token).await.expect(201));
    let repository = |token: Option<&str>, branch: Option<&str>| json!({"url": url, "provider": "GITHUB", "git_token_id": token, "branch": branch, "root_path": "/app"});
    let create = async |name: &str, repository: serde_json::Value| {
        let mut job = it.cron(name, "@daily");
        job["source"] = json!({"docker": {"dockerfile_path": "Dockerfile", "git_repository": repository}});
        it.create(job).await
    };
    let job = create("main", repository(Some(&token), None)).await;
    let commits = it.client.get(&format!("/job/{job}/commit")).await.expect(200);
    let messages: Vec<&str> =
        commits["results"].as_array().unwrap().iter().map(|commit| commit["message"].as_str().unwrap()).collect();
    assert_eq!(messages, ["second, with: marks", "first"]);
    let newest = &commits["results"][0];
    assert_eq!((&newest["author_name"], &newest["created_at"]), (&json!("Ann"), &json!("2026-01-02T03:04:05.000000Z")));
    let other = create("other", repository(Some(&token), Some("other"))).await;
    let commits = it.client.get(&format!("/job/{other}/commit")).await.expect(200);
    assert_eq!(commits["results"][0]["message"], "elsewhere");
    let gone = create("gone", repository(Some(&token), Some("gone"))).await;
    assert!(it.client.get(&format!("/job/{gone}/commit")).await.detail(400).contains("branch"));
    let closed = create("closed", repository(None, None)).await;
    assert!(it.client.get(&format!("/job/{closed}/commit")).await.detail(400).contains("login"));
    let image = it.create(it.cron("image", "@daily")).await;
    assert!(
        it.client.get(&format!("/job/{image}/commit")).await.detail(400).contains("not built from a git repository")
    );
    let check = format!("/environment/{}/checkDockerfile", it.environment);
    let ask = |path: &str| json!({"git_repository": repository(Some(&token), None), "dockerfile_path": path});
    let answer = it.client.post(&check, ask("Dockerfile")).await.expect(200);
    assert_eq!(answer, json!({"dockerfile_path": "Dockerfile", "arg": ["VERSION"], "repositories": ["busybox:1"]}));
    for path in ["None", "../notes", "../../etc/passwd"] {
        it.client.post(&check, ask(path)).await.expect(400);
    }
}

//! What cannot be stored, is too deep or too large is refused by the name of its field, before anything is stored; on both databases.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use poem::http::Method;
use serde_json::{Value, json};
use sha2::Digest as _;
use windlass::error::Error;
use windlass::store;

use crate::harness::TestApp;
use crate::jwt::{AUDIENCE, Issuer};
use crate::terrakube::{House, detail, new, tcl};

#[tokio::test]
async fn nul_is_refused_wherever_text_comes_in() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let body = |change: fn(&mut Value)| {
        let mut body = it.lifecycle("a");
        change(&mut body);
        body
    };
    let path = format!("/environment/{}/job", it.environment);
    for (change, field) in [
        (body(|job| job["name"] = json!("a\0")), "name"),
        (body(|job| job["schedule"]["on_start"]["arguments"] = json!(["a", "b\0"])), "schedule.on_start.arguments[1]"),
        (
            body(|job| {
                job["healthchecks"] = json!({"readiness_probe": {"type": {"exec": {"command": ["a\0"]}}}});
            }),
            "healthchecks.readiness_probe.type.exec.command[0]",
        ),
        (body(|job| job["an unknown key"] = json!("\0")), "an unknown key"),
    ] {
        let said = it.client.post(&path, change).await.detail(400);
        assert_eq!(said, format!("{field}: must not contain NUL characters"));
    }
    let said = it.client.get(&format!("/organization/{}/project?name=a%00", it.organization)).await.detail(400);
    assert_eq!(said, "name: must not contain NUL characters");
    let said = it.client.get("/project/a%00b").await.detail(400);
    assert!(said.starts_with("path: "), "{said}");
    assert_eq!(it.client.get(&path).await.expect(200)["results"], json!([]));
}

#[tokio::test]
async fn claims_that_cannot_be_stored_are_refused() {
    let issuer = Issuer::start().await;
    let app = TestApp::with_oidc(&issuer.url, AUDIENCE).await;
    let list = async |change: Value| {
        let bearer = format!("Bearer {}", issuer.token(0, "one", change));
        app.client(Some(bearer)).get("/organization").await
    };
    for (change, claim) in [
        (json!({"sub": "a\0"}), "sub"),
        (json!({"sub": "a".repeat(256)}), "sub"),
        (json!({"email": "a\0@example.com"}), "email"),
        (json!({"email": format!("{}@example.com", "a".repeat(1024))}), "email"),
        (json!({"name": "a\0"}), "name"),
        (json!({"groups": ["a", "b\0"]}), "groups"),
        (json!({"groups": vec!["a"; 1001]}), "groups"),
    ] {
        let said = list(change).await.detail(401);
        assert!(said.starts_with(&format!("the claim {claim} of the JWT must have at most ")), "{said}");
    }
    list(json!({"sub": "é".repeat(255), "groups": vec!["a"; 1000]})).await.expect(200);
}

#[tokio::test]
async fn states_locks_and_steps_with_nul_are_refused() {
    let house = House::new().await;
    let workspace = house.workspace("w").await;
    let base = format!("/tfstate/v1/organization/{}/workspace/{workspace}/backend", house.organization);
    let call =
        async |method: &str, body: Value| house.client.raw_call(method, &base, Some(&body.to_string()), &[]).await;
    let nul = "must not contain NUL characters";
    let state = |lineage: &str| json!({"version": 4, "serial": 1, "lineage": lineage, "outputs": {}, "resources": []});
    for (method, body, field) in [
        ("POST", state("a\0"), "lineage"),
        ("LOCK", json!({"ID": "a\0", "Who": "me"}), "ID"),
        ("LOCK", json!({"ID": "a", "Who": "me\0"}), "Who"),
    ] {
        let (status, text) = call(method, body).await;
        assert!(status == 400 && text.contains(&format!("{field}: {nul}")), "{method}: {status} {text}");
    }
    assert_eq!(call("LOCK", json!({"ID": "a".repeat(1025)})).await.0, 400);
    assert_eq!(call("LOCK", json!({"ID": "a".repeat(1024)})).await.0, 200);
    let path = house.path("template");
    let flow = new("template", json!({"name": "t", "tcl": tcl("flow:\n- {type: approval, team: \"a\\0\"}")}));
    assert_eq!(detail(house.client.post(&path, flow).await, 400), format!("tcl: flow[0].team: {nul}"));
    let named = new("template", json!({"name": "t\0", "tcl": tcl("flow:\n- {type: terraformPlan}")}));
    assert_eq!(detail(house.client.post(&path, named).await, 400), format!("data.attributes.name: {nul}"));
    let listed = house.client.get(&house.path("workspace?filter[workspace]=name==a%00")).await;
    assert_eq!(detail(listed, 400), format!("filter[workspace]: {nul}"));
}

/// In both APIs; the bounds themselves are tested beside the readers.
#[tokio::test]
async fn what_is_too_deep_or_expands_too_far_is_refused() {
    let house = House::new().await;
    let (path, workspace) = (house.path("template"), house.workspace("w").await);
    let deep = format!("flow: {}", "[".repeat(20_000));
    let mut bomb = format!("a: &a0 {}\n", "x".repeat(100));
    for level in 1..8 {
        bomb.push_str(&format!("a{level}: &a{level} [{}]\n", vec![format!("*a{}", level - 1); 10].join(", ")));
    }
    bomb.push_str("flow: [{type: approval}]\n");
    // Somebody else writes all the while: whoever opens a transaction on SQLite has to wait.
    let (written, hold) = tokio::sync::oneshot::channel::<()>();
    let db = house.app.app.db.clone();
    let (begun, beginning) = tokio::sync::oneshot::channel();
    let writer = tokio::spawn(async move {
        let signals = std::sync::Mutex::new(Some((begun, hold)));
        store::write(&db, async |_| {
            let taken = signals.lock().unwrap().take();
            if let Some((begun, hold)) = taken {
                begun.send(()).unwrap();
                hold.await.unwrap();
            }
            Ok::<_, Error>(())
        })
        .await
    });
    beginning.await.unwrap();
    for yaml in [deep, bomb] {
        let said =
            detail(house.client.post(&path, new("template", json!({"name": "t", "tcl": tcl(&yaml)}))).await, 400);
        assert!(said.starts_with("tcl: the template cannot be parsed: "), "{said}");
        let mut job = new("job", json!({"tcl": tcl(&yaml)}));
        job["data"]["relationships"] = json!({"workspace": {"data": {"type": "workspace", "id": workspace}}});
        let said = detail(house.client.post(&house.path("job"), job).await, 400);
        assert!(said.starts_with("tcl: the template cannot be parsed: "), "{said}");
        let add = json!({"op": "add", "href": path, "data": {"type": "template", "attributes": {"name": "t", "tcl": tcl(&yaml)}}});
        let media = "application/vnd.api+json;ext=\"https://jsonapi.org/ext/atomic\"";
        let body = json!({"atomic:operations": [add]}).to_string();
        let headers = [("Content-Type", media), ("Accept", media)];
        let (status, text) = house.client.raw_call("POST", "/api/v1/operations", Some(&body), &headers).await;
        assert!(status == 400 && text.contains("the template cannot be parsed"), "{status} {text}");
    }
    written.send(()).unwrap();
    writer.await.unwrap().unwrap();
    let tree = format!("{}1{}", "{\"a\":".repeat(65), "}".repeat(65));
    let said = house.client.call(Method::POST, "/organization", Some(tree.clone())).await.detail(400);
    assert_eq!(said, "body: a JSON document must be at most 64 levels deep");
    let said = house.client.call(Method::POST, &path, Some(tree)).await;
    assert_eq!(detail(said, 400), "a JSON document must be at most 64 levels deep");
}

/// Every response says that it is not to be stored, and how it may be displayed.
#[tokio::test]
async fn responses_have_security_headers() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let token = json!({"name": "t", "role_id": null}).to_string();
    let organization = format!("/organization/{}/apiToken", it.organization);
    for (method, path, body, status) in [
        ("POST", organization.as_str(), Some(token.as_str()), 201),
        ("GET", "/organization", None, 200),
        ("GET", "/nowhere", None, 404),
        ("GET", "/api/v1/organization", None, 200),
        ("GET", "/pat/v1", None, 403),
        ("GET", "/docs", None, 200),
        ("GET", "/health/live", None, 200),
    ] {
        let (found, headers) = it.client.headers(method, path, body).await;
        let header = |name: &str| headers[name].to_str().unwrap();
        assert_eq!(found, status, "{path}");
        assert_eq!(header("cache-control"), "no-store", "{path}");
        assert_eq!((header("x-content-type-options"), header("referrer-policy")), ("nosniff", "no-referrer"), "{path}");
        let policy = header("content-security-policy");
        assert!(
            policy.starts_with("default-src 'none'") && policy.contains("frame-ancestors 'none'"),
            "{path}: {policy}"
        );
        assert!(!headers.contains_key("strict-transport-security"), "{path} is not under TLS");
    }
}

/// The reference page may run the scripts that are in it, and no others.
#[tokio::test]
async fn the_reference_runs_its_own_scripts_only() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let (_, headers) = it.client.headers("GET", "/docs", None).await;
    let policy = headers["content-security-policy"].to_str().unwrap();
    let scripts = policy.split_once("script-src ").unwrap().1.split_once(';').unwrap().0;
    assert!(scripts.split(' ').all(|one| one.starts_with("'sha256-")), "{scripts}");
    let page = it.client.raw("/docs").await;
    assert_eq!((scripts.split(' ').count(), page.matches("</script>").count()), (2, 2), "{scripts}");
    let last = page.rsplit_once("<script>").unwrap().1.split_once("</script>").unwrap().0;
    let hash = STANDARD.encode(sha2::Sha256::digest(last));
    assert!(scripts.contains(&hash), "{scripts} does not contain {hash}");
}

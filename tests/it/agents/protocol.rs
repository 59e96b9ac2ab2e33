//! What the server answers to requests that are not those of an agent in order.

use serde_json::{Value, json};

use crate::harness::{TestApp, id};

struct Door {
    app: TestApp,
    token: String,
}

async fn door() -> Door {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let path = format!("/organization/{}/cluster", it.organization);
    let body = json!({"name": "far", "region": "r", "cloud_provider": "ON_PREMISE"});
    let cluster = id(&it.client.post(&path, body).await.expect(201));
    let agent = it.client.post(&format!("{path}/{cluster}/agent"), json!({"name": "a"})).await.expect(201);
    let token = agent["token"].as_str().unwrap().to_owned();
    Door { app, token }
}

impl Door {
    async fn send(&self, path: &str, token: &str, body: &str) -> (u16, Value) {
        let authorization = format!("Bearer {token}");
        let headers = [("authorization", authorization.as_str()), ("content-type", "application/json")];
        let path = format!("/agent/v1/{path}");
        let (status, text) = self.app.client(None).raw_call("POST", &path, Some(body), &headers).await;
        (status, serde_json::from_str(&text).unwrap_or(Value::Null))
    }

    async fn call(&self, path: &str, body: Value) -> (u16, Value) {
        self.send(path, &self.token, &body.to_string()).await
    }
}

fn hello(session: &str) -> Value {
    json!({"protocol": 1, "session": session, "version": "x", "runner": "process", "place": "here", "capacity": 2})
}

const ONE: &str = "00000000-0000-4000-8000-000000000001";
const TWO: &str = "00000000-0000-4000-8000-000000000002";

#[tokio::test]
async fn a_token_of_an_agent_is_required_and_opens_nothing_else() {
    let door = door().await;
    let it = door.app.furnished_as("other").await;
    let other = format!("/organization/{}/apiToken", it.organization);
    let other = it.client.post(&other, json!({"name": "t", "role_id": null})).await.expect(201);
    for token in ["", "windlass-agent_0000", other["token"].as_str().unwrap()] {
        for path in ["connect", "poll", "report", "log"] {
            let body = json!({"protocol": 1, "session": ONE, "version": "x", "runner": "docker", "place": "p", "capacity": 1,
                "free": 1, "held": [], "steps": [], "name": "x", "first": 0, "lines": []});
            let (status, answer) = door.send(path, token, &body.to_string()).await;
            assert_eq!(status, 401, "{path}: {answer}");
            assert!(answer["message"].as_str().unwrap().contains("token of an agent"), "{answer}");
        }
    }
    for scheme in ["Token", "Bearer"] {
        let client = door.app.client(Some(format!("{scheme} {}", door.token)));
        client.get("/organization").await.expect(401);
    }
}

#[tokio::test]
async fn what_is_wrong_is_named() {
    let door = door().await;
    for (field, value, word) in [
        ("protocol", json!(2), "protocol"),
        ("runner", json!("magic"), "runner"),
        ("capacity", json!(0), "capacity"),
        ("capacity", json!(100_000), "capacity"),
        ("place", json!("x".repeat(1000)), "place"),
        ("version", json!("a\u{0}"), "version"),
        ("session", json!("no"), "body"),
    ] {
        let mut body = hello(ONE);
        body[field] = value;
        let (status, answer) = door.call("connect", body).await;
        assert_eq!(status, 400, "{answer}");
        assert!(answer["message"].as_str().unwrap().contains(word), "{answer}");
    }
    let (status, _) = door.send("connect", &door.token, "{").await;
    assert_eq!(status, 400);
    let large = "x".repeat(9 * 1024 * 1024);
    let (status, answer) = door.send("log", &door.token, &json!({"name": large}).to_string()).await;
    assert_eq!(status, 413, "{answer}");
}

#[tokio::test]
async fn an_earlier_process_is_told_that_it_was_replaced() {
    let door = door().await;
    let ask = |session: &str| json!({"session": session, "free": 1, "held": []});
    assert_eq!(door.call("poll", ask(ONE)).await.0, 409, "it has not connected");
    assert_eq!(door.call("connect", hello(ONE)).await.0, 200);
    let (status, orders) = door.call("poll", ask(ONE)).await;
    assert_eq!((status, &orders["steps"]), (200, &json!([])));
    assert_eq!(door.call("connect", hello(TWO)).await.0, 200);
    for (path, body) in [
        ("poll", ask(ONE)),
        ("report", json!({"session": ONE})),
        ("log", json!({"session": ONE, "name": "x", "first": 0, "lines": []})),
    ] {
        let (status, answer) = door.call(path, body).await;
        assert_eq!(status, 409, "{path}");
        assert!(answer["message"].as_str().unwrap().contains("another process"), "{answer}");
    }
    assert_eq!(door.call("log", json!({"session": TWO, "name": "x", "first": 0, "lines": []})).await.0, 404);
    // A report about a step that it does not have changes nothing.
    let report = json!({"session": TWO, "steps": [{"name": "x", "state": {"state": "RUNNING"}}], "removed": ["x"]});
    assert_eq!(door.call("report", report).await.0, 204);
}

#[tokio::test]
async fn a_cluster_is_of_one_kind() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let clusters = format!("/organization/{}/cluster", it.organization);
    let all = it.client.get(&clusters).await.expect(200);
    let local = all["results"][0]["id"].as_str().unwrap().to_owned();
    let refused = it.client.post(&format!("{clusters}/{local}/agent"), json!({"name": "a"})).await.expect(409);
    assert!(refused["message"].as_str().unwrap().contains("local cluster"), "{refused}");
    let body = json!({"name": "far", "region": "r", "cloud_provider": "ON_PREMISE"});
    let far = id(&it.client.post(&clusters, body).await.expect(201));
    let agents = format!("{clusters}/{far}/agent");
    it.client.post(&agents, json!({"name": "  "})).await.expect(400);
    it.client.post(&agents, json!({"name": "One"})).await.expect(201);
    it.client.post(&agents, json!({"name": "one "})).await.expect(409);
    // With an agent, it takes no kubeconfig.
    let (path, kubeconfig) = (format!("{clusters}/{far}/kubeconfig"), crate::world::KUBECONFIG);
    let refused = it.client.call(poem::http::Method::PUT, &path, Some(kubeconfig.into())).await.expect(409);
    assert!(refused["message"].as_str().unwrap().contains("agents work for this cluster"), "{refused}");
}

//! Versions of states: announced, uploaded, read, and refused when they do not follow the newest one.

use entity::member::Role;
use md5::{Digest as _, Md5};
use poem::http::Method;
use serde_json::{Value, json};

use super::{detail, document};
use crate::harness::{Answer, Client};
use crate::terrakube::{House, id};

pub(super) fn md5(text: &str) -> String {
    Md5::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A state with an output.
fn state(serial: i64, output: &str) -> String {
    json!({
        "version": 4, "terraform_version": "1.11.4", "serial": serial, "lineage": "one", "resources": [],
        "outputs": {
            "name": {"value": output, "type": "string"},
            "key": {"value": "hidden-value", "type": "string", "sensitive": true},
        },
    })
    .to_string()
}

struct Desk {
    house: House,
    workspace: String,
}

impl Desk {
    async fn new() -> Self {
        let house = House::new().await;
        let workspace = house.workspace("network").await;
        Self { house, workspace }
    }

    fn path(&self, rest: &str) -> String {
        format!("/api/v2/workspaces/{}/{rest}", self.workspace)
    }

    async fn announce(&self, client: &Client, state: &str, more: Value) -> Answer {
        let content: Value = serde_json::from_str(state).unwrap();
        let mut attributes =
            json!({"serial": content["serial"], "md5": md5(state), "lineage": content["lineage"], "force": false});
        attributes.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        client.post(&self.path("state-versions"), document("state-versions", attributes)).await
    }

    /// Uploads to one of the addresses of an answer, as programs do: without credentials.
    async fn upload(&self, announced: &Value, which: &str, content: &str) -> Answer {
        let url = announced["data"]["attributes"][which].as_str().unwrap();
        let path = url.strip_prefix("https://windlass.example").unwrap_or_else(|| panic!("{url}"));
        let nobody = self.house.client.with(None);
        nobody.call_with(Method::PUT, path, Some(content), &[("content-type", "application/octet-stream")]).await
    }

    async fn push(&self, state: &str) -> String {
        let announced = self.announce(&self.house.client, state, json!({})).await.expect(201);
        self.upload(&announced, "hosted-state-upload-url", state).await.expect(200);
        id(&announced)
    }

    async fn get(&self, path: &str) -> Value {
        self.house.client.get(path).await.expect(200)
    }
}

#[tokio::test]
async fn a_state_is_announced_uploaded_and_read() {
    let desk = Desk::new().await;
    let client = &desk.house.client;
    assert_eq!(detail(client.get(&desk.path("current-state-version")).await, 404), "state version not found");
    assert_eq!(desk.get(&desk.path("current-state-version-outputs")).await, json!({"data": []}));
    let first = state(1, "a");
    let announced = desk.announce(client, &first, json!({})).await.expect(201);
    assert_eq!(announced["data"]["attributes"]["status"], "pending");
    // What was only announced is not there.
    assert_eq!(client.get(&desk.path("current-state-version")).await.status, 404);
    assert_eq!(client.get(&format!("/api/v2/state-versions/{}", id(&announced))).await.status, 404);
    desk.upload(&announced, "hosted-json-state-upload-url", "{}").await.expect(200);
    assert_eq!(client.get(&desk.path("current-state-version")).await.status, 404);
    desk.upload(&announced, "hosted-state-upload-url", &first).await.expect(200);
    // A program that got no answer uploads again.
    desk.upload(&announced, "hosted-state-upload-url", &first).await.expect(200);
    let current = desk.get(&desk.path("current-state-version")).await;
    assert_eq!(desk.get(&format!("/api/v2/state-versions/{}", id(&announced))).await, current);
    let shown = &current["data"]["attributes"];
    assert_eq!((&shown["serial"], &shown["status"]), (&json!(1), &json!("finalized")));
    let url = shown["hosted-state-download-url"].as_str().unwrap();
    let path = url.strip_prefix("https://windlass.example").unwrap();
    assert_eq!(client.get(path).await.text, first);
    assert_eq!(client.with(None).get(path).await.status, 401);
    let json_path = format!("/api/v2/state-versions/{}/json-download", id(&current));
    assert_eq!(desk.get(&json_path).await["values"]["outputs"]["name"]["value"], "a");
    let list = desk.get("/api/v2/state-versions?filter[organization][name]=acme&filter[workspace][name]=network").await;
    assert_eq!((list["data"].as_array().unwrap().len(), &list["meta"]["pagination"]["total-count"]), (1, &json!(1)));
    let missing = client.get("/api/v2/state-versions?filter[organization][name]=acme").await;
    assert!(detail(missing, 400).starts_with("filter[workspace][name]: "));
    // The other API has it, too.
    let backend = format!("/tfstate/v1/organization/{}/workspace/{}/backend", desk.house.organization, desk.workspace);
    assert_eq!(client.get(&backend).await.text, first);
}

#[tokio::test]
async fn outputs_are_shown_and_sensitive_ones_alone() {
    let desk = Desk::new().await;
    desk.push(&state(1, "a")).await;
    let list = desk.get(&desk.path("current-state-version-outputs")).await;
    let [key, name] = [0, 1].map(|place| list["data"][place].clone());
    assert_eq!(
        name["attributes"],
        json!({"name": "name", "sensitive": false, "type": "string", "value": "a", "detailed-type": "string"})
    );
    assert_eq!((&key["attributes"]["name"], &key["attributes"]["value"]), (&json!("key"), &Value::Null));
    let one = desk.get(&format!("/api/v2/state-version-outputs/{}", key["id"].as_str().unwrap())).await;
    assert_eq!(one["data"]["attributes"]["value"], "hidden-value");
    let current = desk.get(&desk.path("current-state-version")).await;
    assert_eq!(desk.get(&format!("/api/v2/state-versions/{}/outputs", id(&current))).await, list);
    for wrong in ["x", "00000000-0000-4000-8000-000000000303.bmFtZQ", &format!("{}.bm8", id(&current))] {
        assert_eq!(
            desk.house.client.get(&format!("/api/v2/state-version-outputs/{wrong}")).await.status,
            404,
            "{wrong}"
        );
    }
}

#[tokio::test]
async fn what_does_not_follow_is_refused() {
    let desk = Desk::new().await;
    let client = &desk.house.client;
    desk.push(&state(3, "a")).await;
    for (wrong, words) in [(state(2, "b"), "serial: "), (state(4, "b").replace("one", "two"), "lineage: ")] {
        assert!(detail(desk.announce(client, &wrong, json!({})).await, 409).starts_with(words), "{wrong}");
        // Forced, it is stored.
        let forced = desk.announce(client, &wrong, json!({"force": true})).await.expect(201);
        desk.upload(&forced, "hosted-state-upload-url", &wrong).await.expect(200);
        desk.push(&state(9, "c").replace("one", if words == "serial: " { "one" } else { "two" })).await;
    }
    let next = state(10, "d").replace("one", "two");
    let announced = desk.announce(client, &next, json!({})).await.expect(201);
    for (content, words) in [
        (next.replace("\"d\"", "\"e\""), "md5: the state that was received has the MD5 sum"),
        (next.replace("10", "11"), "serial: the state has the serial 11, and 10 was announced"),
        ("{".to_owned(), "state: the state is not JSON"),
    ] {
        let answer = desk.upload(&announced, "hosted-state-upload-url", &content).await;
        let detail = detail(answer, 422);
        assert!(detail.starts_with(words), "{detail}");
    }
    for (attributes, words) in [
        (json!({"md5": md5("x")}), "data.attributes.serial: is required"),
        (json!({"serial": 11}), "data.attributes.md5: is required"),
        (json!({"serial": 11, "md5": "x"}), "data.attributes.md5: must be"),
        (json!({"serial": "11", "md5": md5("x")}), "data.attributes.serial: invalid type"),
        (json!({"serial": 11, "md5": md5("x"), "state": "?"}), "data.attributes.state: must be in base64"),
    ] {
        let body = document("state-versions", attributes);
        assert!(detail(client.post(&desk.path("state-versions"), body).await, 422).starts_with(words), "{words}");
    }
    let mut of_run = document("state-versions", json!({"serial": 11, "md5": md5("x"), "lineage": "two"}));
    of_run["data"]["relationships"] = json!({"run": {"data": {"type": "runs", "id": "7"}}});
    let answer = client.post(&desk.path("state-versions"), of_run).await;
    assert!(detail(answer, 422).starts_with("data.relationships.run: "));
}

#[tokio::test]
async fn a_state_in_the_request_itself() {
    use base64::Engine as _;
    let desk = Desk::new().await;
    let text = state(1, "a");
    let inline = base64::engine::general_purpose::STANDARD.encode(&text);
    let stored = desk.announce(&desk.house.client, &text, json!({"state": inline})).await.expect(201);
    assert_eq!(stored["data"]["attributes"]["status"], "finalized");
    assert_eq!(desk.get(&desk.path("current-state-version")).await, stored);
}

#[tokio::test]
async fn only_the_holder_of_the_lock_writes() {
    let desk = Desk::new().await;
    let client = &desk.house.client;
    let other = desk.house.app.token(desk.house.organization, Role::Admin).await;
    let first = state(1, "a");
    let early = desk.announce(&other, &first, json!({})).await.expect(201);
    client.post(&desk.path("actions/lock"), json!({})).await.expect(200);
    assert_eq!(desk.announce(&other, &first, json!({})).await.status, 409);
    assert_eq!(desk.upload(&early, "hosted-state-upload-url", &first).await.status, 409);
    desk.push(&first).await;
    // The order is checked again when the state arrives.
    client.post(&desk.path("actions/unlock"), json!({})).await.expect(200);
    let late = desk.announce(client, &state(2, "b"), json!({})).await.expect(201);
    desk.push(&state(3, "c")).await;
    assert!(detail(desk.upload(&late, "hosted-state-upload-url", &state(2, "b")).await, 409).starts_with("serial: "));
}

/// The secret in an address is good for one purpose, for an hour, and as long as whoever asked for it may write the state.
#[tokio::test]
async fn addresses_of_uploads_are_limited() {
    let desk = Desk::new().await;
    let first = state(1, "a");
    let house = &desk.house;
    let tokens = format!("/organization/{}/apiToken", house.organization);
    let token = house.client.post(&tokens, json!({"name": "t", "role_id": null})).await.expect(201);
    let writer = house.client.with(Some(&format!("Token {}", token["token"].as_str().unwrap())));
    let announced = desk.announce(&writer, &first, json!({})).await.expect(201);
    let url = announced["data"]["attributes"]["hosted-state-upload-url"].as_str().unwrap();
    let path = url.strip_prefix("https://windlass.example").unwrap();
    let nobody = house.client.with(None);
    for wrong in [path.replace("/state/", "/json-state/"), format!("{path}x"), "/api/v2/sealed/state/abc".to_owned()] {
        assert_eq!(nobody.call(Method::PUT, &wrong, Some(first.clone())).await.status, 404, "{wrong}");
    }
    house.client.delete(&format!("{tokens}/{}", crate::harness::id(&token))).await.expect(204);
    assert_eq!(desk.upload(&announced, "hosted-state-upload-url", &first).await.status, 403);
    let announced = desk.announce(&house.client, &first, json!({})).await.expect(201);
    house.app.clock.forward(3601);
    assert_eq!(desk.upload(&announced, "hosted-state-upload-url", &first).await.status, 404);
}

#[tokio::test]
async fn who_reads_and_writes_states() {
    let desk = Desk::new().await;
    let version = desk.push(&state(1, "a")).await;
    let list = desk.get(&desk.path("current-state-version-outputs")).await;
    let output = list["data"][0]["id"].as_str().unwrap().to_owned();
    let viewer = desk.house.app.token(desk.house.organization, Role::Viewer).await;
    let other = desk.house.app.organization("other").await;
    let stranger = desk.house.app.token(other, Role::Admin).await;
    for path in [
        desk.path("current-state-version"),
        desk.path("current-state-version-outputs"),
        format!("/api/v2/state-versions/{version}"),
        format!("/api/v2/state-versions/{version}/download"),
        format!("/api/v2/state-versions/{version}/json-download"),
        format!("/api/v2/state-versions/{version}/outputs"),
        format!("/api/v2/state-version-outputs/{output}"),
        "/api/v2/state-versions?filter[organization][name]=acme&filter[workspace][name]=network".to_owned(),
    ] {
        assert_eq!(viewer.get(&path).await.status, 403, "{path}");
        assert_eq!(stranger.get(&path).await.status, 404, "{path}");
    }
    assert_eq!(desk.announce(&viewer, &state(2, "b"), json!({})).await.status, 403);
    assert_eq!(desk.announce(&stranger, &state(2, "b"), json!({})).await.status, 404);
}

/// A large state is stored in pieces, and its outputs are read from them.
#[tokio::test]
async fn a_large_state_is_uploaded() {
    let desk = Desk::new().await;
    let padding = "x".repeat(12 * 1024 * 1024);
    let large = state(1, "a").replace("\"resources\":[]", &format!("\"resources\":[{{\"mode\":\"{padding}\"}}]"));
    let version = desk.push(&large).await;
    let path = format!("/api/v2/state-versions/{version}/download");
    assert!(desk.house.client.bytes(&path).await == large.as_bytes());
    let outputs = desk.get(&desk.path("current-state-version-outputs")).await;
    assert_eq!(outputs["data"][1]["attributes"]["value"], "a");
    assert_eq!(desk.house.client.get(&format!("/api/v2/state-versions/{version}/json-download")).await.status, 409);
}

/// A version names its run as runs are called, and so do programs that know which run they are.
#[tokio::test]
async fn a_version_names_its_run() {
    let desk = Desk::new().await;
    let client = &desk.house.client;
    let job = desk.house.start(&desk.workspace, json!({"command": "plan"})).await;
    let elsewhere = desk.house.start(&desk.house.workspace("other").await, json!({"command": "plan"})).await;
    let run = format!("run-{job}");
    let announce = async |serial: i64, named: &str| {
        let text = state(serial, "a");
        let mut body = document("state-versions", json!({"serial": serial, "md5": md5(&text), "lineage": "one"}));
        body["data"]["relationships"] = json!({"run": {"data": {"type": "runs", "id": named}}});
        (client.post(&desk.path("state-versions"), body).await, text)
    };
    for (serial, named) in [(1, &run), (2, &job)] {
        let (announced, text) = announce(serial, named).await;
        let announced = announced.expect(201);
        let data = json!({"id": run, "type": "runs"});
        assert_eq!(announced["data"]["relationships"]["run"]["data"], data);
        desk.upload(&announced, "hosted-state-upload-url", &text).await.expect(200);
        let current = desk.get(&desk.path("current-state-version")).await;
        assert_eq!(
            (&current["data"]["attributes"]["serial"], &current["data"]["relationships"]["run"]["data"]),
            (&json!(serial), &data)
        );
    }
    assert_eq!(id(&desk.get(&format!("/api/v2/runs/{run}")).await), run);
    for wrong in ["run-", "run-x", "x", &format!("run-0{job}"), &format!("run-{elsewhere}")] {
        let refused = detail(announce(3, wrong).await.0, 422);
        assert!(refused.starts_with("data.relationships.run: "), "{wrong}: {refused}");
    }
}

//! Workspaces: created, found, changed and deleted, with their tags, projects and variables.

use entity::member::Role;
use serde_json::{Value, json};

use super::{detail, document};
use crate::harness::Client;
use crate::terrakube::{House, id};

/// The names of the workspaces in an answer.
fn names(list: &Value) -> Vec<&str> {
    list["data"].as_array().unwrap().iter().map(|one| one["attributes"]["name"].as_str().unwrap()).collect()
}

impl House {
    /// Creates a workspace as `cloud` blocks do, and returns its id.
    pub(super) async fn cloud_workspace(&self, name: &str, tags: &[&str]) -> String {
        let tags: Vec<Value> = tags.iter().map(|tag| json!({"type": "tags", "attributes": {"name": tag}})).collect();
        let mut body = document("workspaces", json!({"name": name}));
        body["data"]["relationships"] = json!({"tags": {"data": tags}});
        id(&self.client.post(&self.cloud("workspaces"), body).await.expect(201))
    }
}

#[tokio::test]
async fn a_workspace_is_created_changed_and_deleted() {
    let house = House::new().await;
    let attributes = json!({
        "name": "network", "description": "d", "execution-mode": "local", "terraform-version": "1.11.4", "working-directory": "infra",
    });
    let path = house.cloud("workspaces");
    let made = house.client.post(&path, document("workspaces", attributes.clone())).await.expect(201);
    let one = format!("/api/v2/workspaces/{}", id(&made));
    for (name, value) in attributes.as_object().unwrap() {
        assert_eq!(made["data"]["attributes"][name], *value, "{name}");
    }
    // It is the workspace of the other API.
    let seen = house.get(&format!("workspace/{}", id(&made))).await;
    assert_eq!(
        (&seen["data"]["attributes"]["folder"], &seen["data"]["attributes"]["iacType"]),
        (&json!("infra"), &json!("terraform"))
    );
    assert!(detail(house.client.post(&path, document("workspaces", attributes)).await, 409).contains("network"));
    // What is not given stays.
    let change = document("workspaces", json!({"description": null, "terraform-version": "latest"}));
    let changed = house.client.patch(&one, change).await.expect(200);
    let now = &changed["data"]["attributes"];
    assert_eq!(
        (&now["description"], &now["terraform-version"], &now["working-directory"]),
        (&Value::Null, &json!("latest"), &json!("infra"))
    );
    let by_name = document("workspaces", json!({"name": "net"}));
    house.client.patch(&house.cloud("workspaces/network"), by_name).await.expect(200);
    assert_eq!(house.client.get(&house.cloud("workspaces/network")).await.status, 404);
    house.client.post(&house.cloud("workspaces/net/actions/safe-delete"), json!({})).await.expect(204);
    assert_eq!(house.client.get(&one).await.status, 404);
    let again = house.cloud_workspace("net", &[]).await;
    house.client.delete(&format!("/api/v2/workspaces/{again}")).await.expect(204);
}

#[tokio::test]
async fn what_is_not_allowed_is_named() {
    let house = House::new().await;
    let path = house.cloud("workspaces");
    for (attributes, expected) in [
        (json!({}), "data.attributes.name: is required"),
        (json!({"name": " "}), "data.attributes.name: must not be empty"),
        (json!({"name": 7}), "data.attributes.name: invalid type"),
        (
            json!({"name": "a", "execution-mode": "agent"}),
            "data.attributes.execution-mode: must be one of remote, local",
        ),
        (json!({"name": "a", "working-directory": "../b"}), "data.attributes.working-directory: must be a path"),
        (json!({"name": "a", "auto-apply": true}), "data.attributes.auto-apply: must be false"),
        (json!({"name": "a", "vcs-repo": {"identifier": "x"}}), "data.attributes.vcs-repo: must be null"),
    ] {
        let answer = house.client.post(&path, document("workspaces", attributes.clone())).await;
        let detail = detail(answer, 422);
        assert!(detail.starts_with(expected), "{attributes}: {detail}");
    }
    let wrong = house.client.post(&path, document("workspace", json!({"name": "a"}))).await;
    assert_eq!(detail(wrong, 422), "data.type: must be workspaces");
    let headers = [("content-type", "text/plain")];
    let answer = house.client.call_with("POST".parse().unwrap(), &path, Some("{}"), &headers).await;
    assert!(detail(answer, 415).contains("application/vnd.api+json"));
    let answer = house.client.call("POST".parse().unwrap(), &path, Some("{ not json".into())).await;
    assert_eq!(answer.status, 400);
    let mut tagged = document("workspaces", json!({"name": "a"}));
    tagged["data"]["relationships"] = json!({"tags": {"data": [{"type": "tags", "attributes": {"name": "a,b"}}]}});
    assert!(detail(house.client.post(&path, tagged).await, 422).starts_with("data.relationships.tags: \"a,b\""));
    let mut placed = document("workspaces", json!({"name": "a"}));
    placed["data"]["relationships"] = json!({"project": {"data": {"type": "projects", "id": uuid::Uuid::nil()}}});
    assert!(detail(house.client.post(&path, placed).await, 422).starts_with("data.relationships.project: must be"));
    for query in ["page[number]=0", "page[size]=x", "filter[project][id]=x"] {
        let answer = house.client.get(&format!("{path}?{query}")).await;
        assert!(detail(answer, 400).starts_with(query.split('=').next().unwrap()), "{query}");
    }
    // Nothing was stored.
    assert_eq!(names(&house.client.get(&path).await.expect(200)), Vec::<&str>::new());
}

#[tokio::test]
async fn workspaces_are_found_by_name_and_tags() {
    let house = House::new().await;
    house.cloud_workspace("app-eu", &["app", "env=prod"]).await;
    house.cloud_workspace("app-us", &["app", "env=test"]).await;
    house.cloud_workspace("app%x", &["other"]).await;
    let list = async |query: &str| {
        let answer = house.client.get(&house.cloud(&format!("workspaces?{query}"))).await.expect(200);
        names(&answer).into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(list("").await, ["app%x", "app-eu", "app-us"]);
    assert_eq!(list("search[name]=app-").await, ["app-eu", "app-us"]);
    assert_eq!(list("search[name]=p%25x").await, ["app%x"]);
    assert_eq!(list("search[tags]=app").await, ["app-eu", "app-us"]);
    // A key is found whatever its value is, and a name is not the beginning of another.
    assert_eq!(list("search[tags]=env,app").await, ["app-eu", "app-us"]);
    assert_eq!(list("search[tags]=ap").await, Vec::<String>::new());
    assert_eq!(list("filter[tagged][0][key]=env&filter[tagged][0][value]=prod").await, ["app-eu"]);
    assert_eq!(list("search[exclude-tags]=env").await, ["app%x"]);
    let page = house.client.get(&house.cloud("workspaces?page[size]=2&page[number]=2")).await.expect(200);
    assert_eq!(names(&page), ["app-us"]);
    let about = &page["meta"]["pagination"];
    assert_eq!(
        (&about["total-pages"], &about["total-count"], &about["next-page"]),
        (&json!(2), &json!(3), &Value::Null)
    );
    let eu = house.client.get(&house.cloud("workspaces/app-eu")).await.expect(200);
    assert_eq!(eu["data"]["attributes"]["tag-names"], json!(["app", "env"]));
}

#[tokio::test]
async fn tags_are_added_and_removed() {
    let house = House::new().await;
    let id = house.cloud_workspace("a", &["app", "env=prod"]).await;
    let path = |rest: &str| format!("/api/v2/workspaces/{id}/{rest}");
    let tags = |names: &[&str]| json!({"data": names.iter().map(|name| json!({"type": "tags", "attributes": {"name": name}})).collect::<Vec<_>>()});
    house.client.post(&path("relationships/tags"), tags(&["app", "team"])).await.expect(204);
    let bind = json!({"data": [{"type": "tag-bindings", "attributes": {"key": "env", "value": "test"}}]});
    let bound = house.client.patch(&path("tag-bindings"), bind).await.expect(200);
    let shown = |list: &Value| -> Vec<String> {
        list["data"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(shown(&bound), ["app", "env=test", "team"]);
    let gone = tags(&["team", "nothing"]).to_string();
    house.client.call("DELETE".parse().unwrap(), &path("relationships/tags"), Some(gone)).await.expect(204);
    assert_eq!(shown(&house.client.get(&path("tag-bindings")).await.expect(200)), ["app", "env=test"]);
    // The tags are those of the other API.
    let found = house.get("tag?sort=name").await;
    let found: Vec<&str> =
        found["data"].as_array().unwrap().iter().map(|one| one["attributes"]["name"].as_str().unwrap()).collect();
    assert_eq!(found, ["app", "env=prod", "env=test", "team"]);
}

#[tokio::test]
async fn projects_hold_workspaces() {
    let house = House::new().await;
    let path = house.cloud("projects");
    let body = document("projects", json!({"name": "platform"}));
    let project = id(&house.client.post(&path, body.clone()).await.expect(201));
    assert_eq!(house.client.post(&path, body).await.status, 409);
    let found = house.client.get(&house.cloud("projects?filter[names]=platform,other")).await.expect(200);
    assert_eq!(names(&found), ["platform"]);
    assert_eq!(
        names(&house.client.get(&house.cloud("projects?filter[names]=plat")).await.expect(200)),
        Vec::<&str>::new()
    );
    let mut body = document("workspaces", json!({"name": "a"}));
    body["data"]["relationships"] = json!({"project": {"data": {"type": "projects", "id": project}}});
    let made = house.client.post(&house.cloud("workspaces"), body).await.expect(201);
    assert_eq!(made["data"]["relationships"]["project"]["data"]["id"], project);
    house.cloud_workspace("b", &[]).await;
    let inside = house.client.get(&house.cloud(&format!("workspaces?filter[project][id]={project}"))).await.expect(200);
    assert_eq!(names(&inside), ["a"]);
    assert!(detail(house.client.post(&path, document("projects", json!({}))).await, 422).contains("name: is required"));
}

/// Whoever sees some workspaces sees their projects and no others, however they ask.
#[tokio::test]
async fn projects_of_hidden_workspaces_are_hidden() {
    let house = House::new().await;
    for (name, group) in [("buy-foo", None), ("gone", Some("GUESTS")), ("platform", Some("GUESTS"))] {
        let made = house.client.post(&house.cloud("projects"), document("projects", json!({"name": name}))).await;
        let mut body = document("workspaces", json!({"name": name}));
        let project = json!({"data": {"type": "projects", "id": id(&made.expect(201))}});
        body["data"]["relationships"] = json!({"project": project});
        let workspace = id(&house.client.post(&house.cloud("workspaces"), body).await.expect(201));
        if let Some(group) = group {
            let access = json!({"name": group, "planJob": true});
            house.create(&format!("workspace/{workspace}/access"), "access", access).await;
        }
    }
    house.client.post(&house.cloud("workspaces/gone/actions/safe-delete"), json!({})).await.expect(204);
    let guest = house.of_groups(&["GUESTS"]).await;
    house.create("team", "team", json!({"name": "OPS"})).await;
    let team = house.of_groups(&["OPS"]).await;
    for (query, few, all) in [
        ("", vec!["platform"], vec!["buy-foo", "gone", "platform"]),
        ("?filter[names]=buy-foo,platform", vec!["platform"], vec!["buy-foo", "platform"]),
        ("?filter[names]=buy-foo", vec![], vec!["buy-foo"]),
        ("?q=o", vec!["platform"], vec!["buy-foo", "gone", "platform"]),
        ("?q=buy", vec![], vec!["buy-foo"]),
    ] {
        for (caller, expected) in [(&guest, few), (&team, all.clone()), (&house.client, all)] {
            let list = caller.get(&house.cloud(&format!("projects{query}"))).await.expect(200);
            assert_eq!(names(&list), expected, "{query}");
            assert_eq!(list["meta"]["pagination"]["total-count"], expected.len(), "{query}");
        }
    }
    let page = guest.get(&house.cloud("projects?page[size]=1&page[number]=2")).await.expect(200);
    assert_eq!((names(&page), &page["meta"]["pagination"]["total-pages"]), (vec![], &json!(1)));
}

#[tokio::test]
async fn variables_of_a_workspace() {
    let house = House::new().await;
    let workspace = house.cloud_workspace("a", &[]).await;
    let path = format!("/api/v2/workspaces/{workspace}/vars");
    assert_eq!(house.client.get(&path).await.expect(200)["data"], json!([]));
    let make = async |attributes: Value| house.client.post(&path, document("vars", attributes)).await;
    let plain = make(json!({"key": "region", "value": "eu", "category": "terraform"})).await.expect(201);
    let secret = make(json!({"key": "TOKEN", "value": "hidden-value", "category": "env", "sensitive": true})).await;
    let secret = secret.expect(201);
    assert_eq!(
        (&plain["data"]["attributes"]["value"], &secret["data"]["attributes"]["value"]),
        (&json!("eu"), &Value::Null)
    );
    let list = house.client.get(&path).await.expect(200);
    assert!(list["data"].as_array().unwrap().len() == 2 && !list.to_string().contains("hidden-value"), "{list}");
    let one = |of: &Value| format!("{path}/{}", id(of));
    let changed = house.client.patch(&one(&plain), document("vars", json!({"hcl": true}))).await.expect(200);
    assert_eq!(
        (&changed["data"]["attributes"]["value"], &changed["data"]["attributes"]["hcl"]),
        (&json!("eu"), &json!(true))
    );
    // A hidden value does not become visible.
    let shown = house.client.patch(&one(&secret), document("vars", json!({"sensitive": false}))).await;
    assert!(detail(shown, 422).starts_with("data.attributes.value: "));
    house.client.patch(&one(&secret), document("vars", json!({"description": "d"}))).await.expect(200);
    for (attributes, field) in [
        (json!({"category": "env"}), "key"),
        (json!({"key": "a"}), "category"),
        (json!({"key": "a", "category": "other"}), "category"),
        (json!({"key": "a b", "category": "env"}), "key"),
    ] {
        let text = detail(make(attributes).await, 422);
        assert!(text.starts_with(&format!("data.attributes.{field}: ")), "{text}");
    }
    assert_eq!(make(json!({"key": "region", "category": "terraform"})).await.status, 409);
    house.client.delete(&one(&plain)).await.expect(204);
    assert_eq!(house.client.delete(&one(&plain)).await.status, 404);
    let other = house.cloud_workspace("b", &[]).await;
    let crossed = format!("/api/v2/workspaces/{other}/vars/{}", id(&secret));
    assert_eq!(house.client.delete(&crossed).await.status, 404);
}

/// A list, a filter and a read show the same rows, and nobody changes what they may only see.
#[tokio::test]
async fn who_sees_and_changes_what() {
    let house = House::new().await;
    let (mine, theirs) = (house.cloud_workspace("mine", &["t"]).await, house.cloud_workspace("theirs", &["t"]).await);
    house.create(&format!("workspace/{mine}/access"), "access", json!({"name": "GUESTS", "manageState": true})).await;
    let guest = house.of_groups(&["GUESTS"]).await;
    for query in ["", "?search[tags]=t", "?search[name]=e"] {
        let list = guest.get(&house.cloud(&format!("workspaces{query}"))).await.expect(200);
        assert_eq!(names(&list), ["mine"], "{query}");
        assert_eq!(list["meta"]["pagination"]["total-count"], 1);
    }
    guest.get(&house.cloud("workspaces/mine")).await.expect(200);
    assert_eq!(guest.get(&house.cloud("workspaces/theirs")).await.status, 404);
    let viewer = house.app.token(house.organization, Role::Viewer).await;
    let other = house.app.organization("other").await;
    let stranger = house.app.token(other, Role::Admin).await;
    let calls = |id: &str| {
        let tags = json!({"data": []});
        [
            ("PATCH", format!("/api/v2/workspaces/{id}"), document("workspaces", json!({}))),
            ("DELETE", format!("/api/v2/workspaces/{id}"), json!({})),
            ("POST", format!("/api/v2/workspaces/{id}/actions/safe-delete"), json!({})),
            ("POST", format!("/api/v2/workspaces/{id}/relationships/tags"), tags.clone()),
            ("DELETE", format!("/api/v2/workspaces/{id}/relationships/tags"), tags.clone()),
            ("PATCH", format!("/api/v2/workspaces/{id}/tag-bindings"), tags),
            ("POST", format!("/api/v2/workspaces/{id}/vars"), document("vars", json!({"key": "a", "category": "env"}))),
        ]
    };
    let status = async |client: &Client, (method, path, body): &(&str, String, Value)| {
        client.call(method.parse().unwrap(), path, Some(body.to_string())).await.status
    };
    for call in calls(&mine) {
        assert_eq!(status(&viewer, &call).await, 403, "{} {}", call.0, call.1);
        assert_eq!(status(&stranger, &call).await, 404, "{} {}", call.0, call.1);
    }
    for call in calls(&theirs) {
        assert_eq!(status(&guest, &call).await, 404, "{} {}", call.0, call.1);
    }
    for kind in ["workspaces", "projects"] {
        let body = document(kind, json!({"name": "x"}));
        assert_eq!(viewer.post(&house.cloud(kind), body.clone()).await.status, 403);
        assert_eq!(stranger.post(&house.cloud(kind), body.clone()).await.status, 404);
        assert_eq!(guest.post(&house.cloud(kind), body).await.status, 403);
    }
}

//! Versions of states: compared, rolled back, imported, and listed without a download.

use entity::{state_listing, state_version};
use sea_orm::{ColumnTrait as _, EntityTrait as _, PaginatorTrait as _, QueryFilter as _, QueryOrder as _};
use serde_json::{Value, json};

use super::{House, detail};

/// A workspace whose states are written by its backend.
struct Desk {
    house: House,
    workspace: String,
}

/// A state with these resources: a name, and the attributes.
fn state(serial: i64, resources: &[(&str, Value)]) -> Value {
    let one = |(name, attributes): &(&str, Value)| {
        json!({"mode": "managed", "type": "terraform_data", "name": name,
            "provider": "provider[\"terraform.io/builtin/terraform\"]",
            "instances": [{"schema_version": 0, "attributes": attributes,
                "sensitive_attributes": [[{"type": "get_attr", "value": "key"}]]}]})
    };
    let resources: Vec<Value> = resources.iter().map(one).collect();
    let outputs = json!({
        "size": {"value": serial, "type": "number"},
        "secret": {"value": "hidden-output", "type": "string", "sensitive": true},
    });
    json!({"version": 4, "terraform_version": "1.11.4", "serial": serial, "lineage": "l", "outputs": outputs, "resources": resources})
}

impl Desk {
    async fn new() -> Self {
        let house = House::new().await;
        let workspace = house.workspace("a").await;
        Self { house, workspace }
    }

    fn path(&self, rest: &str) -> String {
        format!("/tfstate/v1/organization/{}/workspace/{}/{rest}", self.house.organization, self.workspace)
    }

    async fn write(&self, state: &Value) {
        let (status, text) =
            self.house.client.raw_call("POST", &self.path("backend"), Some(&state.to_string()), &[]).await;
        assert_eq!(status, 200, "{text}");
    }

    async fn send(&self, rest: &str, body: &Value) -> crate::harness::Answer {
        self.house.client.post(&self.path(rest), body.clone()).await
    }

    async fn get(&self, rest: &str) -> Value {
        self.house.client.get(&self.path(rest)).await.expect(200)
    }

    /// The versions, the oldest first.
    async fn versions(&self) -> Vec<state_version::Model> {
        let rows = state_version::Entity::find().order_by_asc(state_version::Column::Id);
        rows.all(&self.house.app.app.db).await.unwrap()
    }

    async fn newest(&self) -> Value {
        let (_, text) = self.house.client.raw_call("GET", &self.path("backend"), None, &[]).await;
        serde_json::from_str(&text).unwrap()
    }

    async fn call(&self, method: &str, rest: &str, body: &Value) -> u16 {
        self.house.client.raw_call(method, &self.path(rest), Some(&body.to_string()), &[]).await.0
    }
}

#[tokio::test]
async fn versions_are_compared_by_resource() {
    let desk = Desk::new().await;
    let attributes = |size: i64, key: &str| json!({"id": "1", "size": size, "key": key, "copy": format!("x {key}")});
    desk.write(&state(1, &[("kept", attributes(1, "hidden-1")), ("gone", attributes(1, "hidden-1"))])).await;
    desk.write(&state(2, &[("made", attributes(1, "hidden-1")), ("kept", attributes(2, "hidden-2"))])).await;
    let versions = desk.versions().await;
    let found = desk.get(&format!("comparison?from={}&to={}", versions[0].id, versions[1].id)).await;
    let rows: Vec<(&str, &str)> = found["resources"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["address"].as_str().unwrap(), one["action"].as_str().unwrap()))
        .collect();
    assert_eq!(
        rows,
        [("terraform_data.gone", "deleted"), ("terraform_data.kept", "changed"), ("terraform_data.made", "created")]
    );
    assert_eq!((&found["created"], &found["changed"], &found["deleted"]), (&json!(1), &json!(1), &json!(1)));
    let text = found.to_string();
    assert!(!text.contains("hidden") && text.contains("sensitive"), "{text}");
    let kept = found["resources"][1]["attributes"].as_array().unwrap();
    let size = kept.iter().find(|one| one["path"] == "size").unwrap();
    assert_eq!(size["before"], json!({"kind": "known", "value": "1"}));
    assert_eq!(found["outputs"][0]["name"], "size");
    assert_eq!((&found["from"]["serial"], &found["to"]["serial"]), (&json!(1), &json!(2)));
    // By default with the newest one.
    assert_eq!(desk.get(&format!("comparison?from={}", versions[0].id)).await, found);
    let same = desk.get(&format!("comparison?from={}", versions[1].id)).await;
    assert_eq!((&same["resources"], &same["outputs"]), (&json!([]), &json!([])));
    for (query, status) in [("", 400), ("?from=x", 400), (&*format!("?from={}", uuid::Uuid::nil()), 404)] {
        assert_eq!(desk.house.client.get(&desk.path(&format!("comparison{query}"))).await.status, status, "{query}");
    }
    // What a sensitive variable of the workspace contains is hidden, too.
    let secret = json!({"key": "who", "value": "of-the-workspace", "category": "TERRAFORM", "sensitive": true});
    desk.house.create(&format!("workspace/{}/variable", desk.workspace), "variable", secret).await;
    desk.write(&state(3, &[("kept", json!({"name": "of-the-workspace"}))])).await;
    let found = desk.get(&format!("comparison?from={}", versions[0].id)).await.to_string();
    assert!(!found.contains("of-the-workspace"), "{found}");
    desk.write(&json!({"version": 4, "serial": 4, "lineage": "l", "encrypted_data": "x"})).await;
    let refused = detail(desk.house.client.get(&desk.path(&format!("comparison?from={}", versions[0].id))).await, 409);
    assert!(refused.contains("encrypted"), "{refused}");
}

#[tokio::test]
async fn a_rollback_is_a_new_version_with_its_reason() {
    let desk = Desk::new().await;
    let reason = json!({"serial": 1, "reason": "the network was wrong"});
    assert_eq!(desk.send("rollback", &reason).await.status, 404);
    desk.write(&state(1, &[("one", json!({"id": "1"}))])).await;
    desk.write(&state(7, &[])).await;
    for (body, field) in [
        (json!({"serial": 1}), "reason"),
        (json!({"serial": 1, "reason": " "}), "reason"),
        (json!({"serial": 1, "reason": "x".repeat(513)}), "reason"),
        (json!({"reason": "x"}), "versionId"),
        (json!({"serial": 1, "versionId": uuid::Uuid::nil(), "reason": "x"}), "versionId"),
    ] {
        let refused = detail(desk.send("rollback", &body).await, 400);
        assert!(refused.contains(field), "{refused}");
    }
    let newest = detail(desk.send("rollback", &json!({"serial": 7, "reason": "x"})).await, 409);
    assert!(newest.contains("newest one already"), "{newest}");
    // Nobody else may hold the lock.
    assert_eq!(desk.call("LOCK", "backend", &json!({"ID": "mine"})).await, 200);
    assert_eq!(desk.send("rollback", &reason).await.status, 423);
    let head = desk.send("rollback?ID=mine", &reason).await.expect(201);
    assert_eq!((&head["serial"], &head["lineage"]), (&json!(8), &json!("l")));
    let mut expected = state(1, &[("one", json!({"id": "1"}))]);
    expected["serial"] = json!(8);
    assert_eq!(desk.newest().await, expected);
    let rows = desk.versions().await;
    assert_eq!(rows.len(), 3);
    assert_eq!(rows[2].reason.as_deref(), Some("rollback to the serial 1: the network was wrong"));
    assert_eq!(rows[2].created_by, rows[0].created_by);
    let shown = desk.house.get(&format!("workspace/{}/history/{}", desk.workspace, rows[2].id)).await;
    assert_eq!(shown["data"]["attributes"]["reason"], json!(rows[2].reason));
    // A state of other resources is only imported, and by force.
    assert_eq!(desk.call("UNLOCK", "backend", &json!({"ID": "mine"})).await, 200);
    let other = json!({"version": 4, "serial": 20, "lineage": "other", "outputs": {}, "resources": []});
    assert_eq!(desk.call("POST", "backend?force=true", &other).await, 200);
    let refused = detail(desk.send("rollback", &reason).await, 409);
    assert!(refused.starts_with("lineage: "), "{refused}");
}

#[tokio::test]
async fn a_file_is_imported_if_it_fits() {
    let desk = Desk::new().await;
    let first = state(3, &[("one", json!({"id": "1"}))]);
    let text = first.to_string();
    let md5 = |text: &str| {
        use md5::Digest as _;
        md5::Md5::digest(text).iter().map(|byte| format!("{byte:02x}")).collect::<String>()
    };
    for (body, status, word) in [
        (json!({"version": 3, "serial": 1}), 400, "version 3"),
        (json!({"serial": 1}), 400, "not a state"),
        (json!({"version": 4}), 400, "no serial"),
        (json!([]), 400, "not JSON"),
    ] {
        let refused = detail(desk.send("import", &body).await, status);
        assert!(refused.contains(word), "{refused}");
    }
    let wrong = desk.house.client.raw_call("POST", &desk.path("import?md5=00"), Some(&text), &[]).await;
    assert!(wrong.0 == 400 && wrong.1.contains("md5"), "{wrong:?}");
    let wrong = desk.path(&format!("import?md5={}", md5("other")));
    assert_eq!(desk.house.client.raw_call("POST", &wrong, Some(&text), &[]).await.0, 400);
    assert_eq!(desk.versions().await.len(), 0);
    let path = desk.path(&format!("import?reason=moved%20here&md5={}", md5(&text)));
    assert_eq!(desk.house.client.raw_call("POST", &path, Some(&text), &[]).await.0, 201);
    assert_eq!(desk.house.client.raw_call("POST", &path, Some(&text), &[]).await.0, 200);
    let rows = desk.versions().await;
    assert_eq!((rows.len(), rows[0].reason.as_deref()), (1, Some("import: moved here")));
    for (other, word) in [(json!({"serial": 2}), "serial: "), (json!({"serial": 9, "lineage": "other"}), "lineage: ")] {
        let mut file = first.clone();
        file.as_object_mut().unwrap().extend(other.as_object().unwrap().clone());
        let refused = detail(desk.send("import", &file).await, 409);
        assert!(refused.starts_with(word), "{refused}");
        desk.send("import?force=true", &file).await.expect(201);
    }
    assert_eq!(desk.call("LOCK", "backend", &json!({"ID": "theirs"})).await, 200);
    assert_eq!(desk.send("import?force=true", &first).await.status, 423);
    assert_eq!(desk.send("import?force=true&ID=theirs", &first).await.status, 201);
}

#[tokio::test]
async fn resources_and_outputs_are_listed_without_a_download() {
    let desk = Desk::new().await;
    assert_eq!(desk.house.client.get(&desk.path("resources")).await.status, 404);
    let many: Vec<Value> = (0..250).map(|number| json!({"index_key": number, "attributes": {"id": number}})).collect();
    let mut first = state(1, &[("one", json!({"id": "1"}))]);
    first["resources"].as_array_mut().unwrap().push(json!({
        "module": "module.m", "mode": "data", "type": "d", "name": "many", "provider": "provider[\"a/b/c\"].x", "instances": many,
    }));
    desk.write(&first).await;
    desk.write(&state(2, &[])).await;
    let rows = desk.versions().await;
    let of_first = format!("version={}", rows[0].id);
    let page = desk.get(&format!("resources?{of_first}&page=3&size=70")).await;
    assert_eq!((&page["total"], &page["page"], &page["more"]), (&json!(251), &json!(3), &json!(false)));
    let found = page["resources"].as_array().unwrap();
    assert_eq!(found.len(), 70);
    let expected = json!({"address": "module.m.data.d.many[139]", "mode": "data", "type": "d", "name": "many", "provider": "a/b/c", "module": "module.m"});
    assert_eq!(found[0], expected);
    assert_eq!(
        desk.get(&format!("resources?{of_first}&page=4&size=70")).await["resources"].as_array().unwrap().len(),
        41
    );
    assert_eq!(desk.get(&format!("resources?{of_first}&page=5&size=70")).await["resources"], json!([]));
    assert_eq!(desk.get("resources").await["total"], 0);
    for query in ["page=0", "size=1001", "page=x", "version=x"] {
        assert_eq!(desk.house.client.get(&desk.path(&format!("resources?{query}"))).await.status, 400, "{query}");
    }
    let outputs = desk.get("outputs").await;
    let secret = json!({"name": "secret", "sensitive": true, "type": "string", "value": null, "large": false});
    assert_eq!(outputs["outputs"][0], secret);
    assert_eq!(outputs["outputs"][1]["value"], 2);
    // A list is sealed, and one that an earlier release has not made is made from the state.
    let db = &desk.house.app.app.db;
    let listed = state_listing::Entity::find().all(db).await.unwrap();
    assert_eq!(listed.len(), 3);
    assert!(listed.iter().all(|part| !String::from_utf8_lossy(&part.sealed).contains("module.m")));
    let none = sea_orm::sea_query::Expr::value(None::<i32>);
    state_version::Entity::update_many().col_expr(state_version::Column::Resources, none).exec(db).await.unwrap();
    assert_eq!(desk.get(&format!("resources?{of_first}&page=3&size=70")).await, page);
    // The list goes with its state.
    let (app, clock) = (&desk.house.app.app, &desk.house.app.clock);
    state_version::Entity::delete_by_id(rows[0].id).exec(db).await.unwrap();
    clock.forward(25 * 3600);
    while windlass::engine::tick::prune(app, clock.now()).await.more {}
    let left = state_listing::Entity::find().filter(state_listing::Column::StateVersionId.eq(rows[0].id));
    assert_eq!(left.count(db).await.unwrap(), 0);
}

/// A large state stays in pieces, and so does its list.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn large_states_are_compared_and_rolled_back() {
    let desk = Desk::new().await;
    // In the order in which the tools write them.
    let large = |serial: i64, changed: usize| {
        let instances: Vec<String> = (0..5000)
            .map(|number| {
                let text = format!("{} {}", if number == changed { "other" } else { "value" }, "x".repeat(1000));
                format!("{{\"index_key\": \"k{number}\", \"attributes\": {{\"id\": {number}, \"text\": \"{text}\"}}}}")
            })
            .collect();
        format!(
            "{{\"version\": 4, \"serial\": {serial}, \"lineage\": \"l\", \"outputs\": {{}}, \"resources\": [{{\"mode\": \"managed\", \
             \"type\": \"t\", \"name\": \"n\", \"provider\": \"p\", \"instances\": [{}]}}]}}",
            instances.join(", ")
        )
    };
    for text in [large(1, 7), large(2, 4321)] {
        assert_eq!(desk.house.client.raw_call("POST", &desk.path("backend"), Some(&text), &[]).await.0, 200);
    }
    let rows = desk.versions().await;
    assert!(rows[0].pieces.is_some() && rows[0].resources == Some(5000));
    assert_eq!(desk.get("resources?page=50").await["resources"][99]["address"], "t.n[\"k4999\"]");
    let found = desk.get(&format!("comparison?from={}", rows[0].id)).await;
    let changed: Vec<&str> =
        found["resources"].as_array().unwrap().iter().map(|one| one["address"].as_str().unwrap()).collect();
    assert_eq!(changed, ["t.n[\"k4321\"]", "t.n[\"k7\"]"]);
    desk.send("rollback", &json!({"versionId": rows[0].id, "reason": "back"})).await.expect(201);
    let values = found["resources"][0]["attributes"].as_array().unwrap();
    assert!(values.len() == 1 && values[0]["path"] == "text", "{values:?}");
    let (_, newest) = desk.house.client.raw_call("GET", &desk.path("backend"), None, &[]).await;
    assert!(newest == large(3, 7));
    let row = desk.versions().await.pop().unwrap();
    assert!(row.pieces.is_some() && row.resources == Some(5000));
}

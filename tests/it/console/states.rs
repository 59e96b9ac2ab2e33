//! The pages of the versions of a state, and of what was changed outside of the tool.

use entity::member::Role;
use serde_json::{Value, json};

use super::browser::Browser;
use crate::terrakube::House;
use crate::terrakube::drift::{leave, plan};

struct Scene {
    house: House,
    me: Browser,
    workspace: String,
    page: String,
}

fn state(serial: i64, size: i64, key: &str) -> Value {
    let instance = json!({"schema_version": 0, "attributes": {"size": size, "key": key},
        "sensitive_attributes": [[{"type": "get_attr", "value": "key"}]]});
    json!({"version": 4, "serial": serial, "lineage": "l", "outputs": {}, "resources": [
        {"module": "module.m", "mode": "managed", "type": "terraform_data", "name": "one <b>",
         "provider": "provider[\"terraform.io/builtin/terraform\"]", "instances": [instance]}]})
}

impl Scene {
    async fn new() -> Self {
        let house = House::new().await;
        let me = Browser::new(&house.app, house.organization, Role::Admin).await;
        let workspace = house.workspace("network").await;
        let page = format!("/console/workspace/{workspace}");
        Self { house, me, workspace, page }
    }

    async fn versions(&self) -> Vec<String> {
        let found = self.house.get(&format!("workspace/{}/history?sort=serial", self.workspace)).await;
        let id = |one: &Value| one["id"].as_str().unwrap().to_owned();
        found["data"].as_array().unwrap().iter().map(id).collect()
    }
}

#[tokio::test]
async fn versions_are_imported_compared_and_rolled_back() {
    let scene = Scene::new().await;
    let Scene { me, page, .. } = &scene;
    assert!(me.get(page).await.expect(200).contains("Import a state file"));
    let form = format!("{page}/state-import");
    let first = state(1, 1, "hidden-1").to_string();
    for (fields, word) in [
        (vec![("state", "{}")], "not a state"),
        (vec![("state", &*first), ("md5", "00000000000000000000000000000000")], "the file has"),
        (vec![("state", &*first), ("reason", &*"x".repeat(600))], "at most 512"),
    ] {
        let shown = me.submit(&form, &form, &fields).await.expect(400);
        assert!(shown.contains(word), "{word}: {shown}");
    }
    me.submit(&form, &form, &[("state", &first), ("reason", "moved <i>here</i>")]).await.leads();
    let other = state(1, 2, "hidden-2").to_string().replace("\"lineage\":\"l\"", "\"lineage\":\"m\"");
    assert!(me.submit(&form, &form, &[("state", &other)]).await.expect(400).contains("is needed: lineage"));
    me.submit(&form, &form, &[("state", &state(2, 2, "hidden-2").to_string())]).await.leads();
    let list = me.get(&format!("{page}/states")).await.expect(200);
    for text in ["import: moved &lt;i&gt;here&lt;/i&gt;", "Roll back", "Compare"] {
        assert!(list.contains(text), "{text}: {list}");
    }
    let ids = scene.versions().await;
    let shown = me.get(&format!("{page}/state-comparison?from={}&to={}", ids[0], ids[1])).await.expect(200);
    for text in
        ["0 created, 1 changed, 0 deleted.", "module.m.terraform_data.one &lt;b&gt;", "sensitive", "<code>size</code>"]
    {
        assert!(shown.contains(text), "{text}: {shown}");
    }
    assert!(!shown.contains("hidden-"), "{shown}");
    let shown = me.get(&format!("{page}/states/{}/resources", ids[0])).await.expect(200);
    assert!(shown.contains("1 resource.") && shown.contains("terraform.io/builtin/terraform"), "{shown}");
    let form = format!("{page}/states/{}/rollback", ids[0]);
    assert!(me.submit(&form, &form, &[("reason", " ")]).await.expect(400).contains("must say why"));
    me.submit(&form, &form, &[("reason", "back")]).await.leads();
    assert_eq!(scene.versions().await.len(), 3);
    assert!(me.get(&format!("{page}/states")).await.expect(200).contains("rollback to the serial 1: back"));
}

#[tokio::test]
async fn drift_is_shown_and_settled() {
    let scene = Scene::new().await;
    let Scene { house, me, page, workspace } = &scene;
    let drift = format!("{page}/drift");
    assert!(me.get(&drift).await.expect(200).contains("No drift is known."));
    house.start(workspace, json!({"command": "plan", "refreshOnly": true})).await;
    leave(house, &plan(&["one", "two"])).await;
    let shown = me.get(page).await.expect(200);
    assert!(shown.contains("Drifted since") && shown.contains("terraform_data.one</code>: key, size"), "{shown}");
    let shown = me.get(&drift).await.expect(200);
    assert!(shown.contains("<code>size</code>") && !shown.contains("hidden-"), "{shown}");
    let viewer = Browser::new(&house.app, house.organization, Role::Viewer).await;
    let read = viewer.get(&drift).await.expect(200);
    assert!(!read.contains("drift/accept") && read.contains("planJob"), "{read}");
    viewer.post(&format!("{drift}/accept"), &viewer.csrf().await, &[]).await.expect(403);
    for word in ["accept", "revert"] {
        let to = me.submit(&drift, &format!("{drift}/{word}"), &[]).await.leads();
        let job = to.split('?').next().unwrap().rsplit('/').next().unwrap().to_owned();
        let found = house.get(&format!("job/{job}")).await["data"]["attributes"].clone();
        assert_eq!((&found["refreshOnly"], &found["via"]), (&json!(word == "accept"), &json!("UI")));
        house.give(&job, "cancelled").await.expect(204);
    }
}

#[tokio::test]
async fn states_are_for_those_who_manage_them() {
    let scene = Scene::new().await;
    let Scene { house, me, page, .. } = &scene;
    let form = format!("{page}/state-import");
    me.submit(&form, &form, &[("state", &state(1, 1, "x").to_string())]).await.leads();
    let id = scene.versions().await.remove(0);
    let viewer = Browser::new(&house.app, house.organization, Role::Viewer).await;
    let other = house.app.organization("other").await;
    let stranger = Browser::new(&house.app, other, Role::Admin).await;
    for rest in [
        "states".to_owned(),
        "state-import".into(),
        "state-comparison".into(),
        format!("state-comparison?from={id}&to={id}"),
        format!("states/{id}/resources"),
        format!("states/{id}/rollback"),
    ] {
        viewer.get(&format!("{page}/{rest}")).await.expect(403);
        stranger.get(&format!("{page}/{rest}")).await.expect(404);
    }
}

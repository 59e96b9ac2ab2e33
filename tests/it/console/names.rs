//! Pages say the name of what they refer to, and not its id.

use entity::member::Role;
use serde_json::json;
use windlass::alert::{self, Memory};

use super::browser::{Browser, between};
use crate::harness::{TestApp, id};
use crate::terrakube::House;
use crate::world::alert_rule;

#[tokio::test]
async fn what_is_not_deployed_yet_has_names() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let base = format!("/organization/{}", it.organization);
    let registry = json!({"name": "mirror <b>", "kind": "DOCKER_HUB", "config": {}});
    let mirror = id(&it.client.post(&format!("{base}/containerRegistry"), registry).await.expect(201));
    let group = json!({"name": "shop labels", "labels": [{"key": "team", "value": "shop", "propagate_to_cloud_provider": false}]});
    let group = id(&it.client.post(&format!("{base}/labelsGroups"), group).await.expect(201));
    let job = it.deployed(&app, it.cron("nightly", "0 3 * * *")).await;
    let path = format!("/console/job/{job}");
    let me = Browser::new(&app, it.organization, Role::Admin).await;
    assert!(!me.get(&path).await.expect(200).contains("not deployed yet"));
    let mut changed = it.cron("nightly", "0 3 * * *");
    changed["source"]["image"]["registry_id"] = json!(mirror);
    changed["labels_groups"] = json!([{"id": group}]);
    it.client.put(&format!("/job/{job}"), changed).await.expect(200);
    let page = me.get(&path).await.expect(200);
    let table = between(&page, "Configured, but not deployed yet", "</table>").unwrap();
    assert!(table.contains("mirror &lt;b&gt;") && table.contains("shop labels"), "{table}");
    for unnamed in [&mirror, &group, &it.registry] {
        assert!(!table.contains(unnamed.as_str()), "{table}");
    }
}

#[tokio::test]
async fn an_alert_names_its_workspace() {
    let house = House::new().await;
    let mut memory = Memory::default();
    let clusters = house.client.get(&format!("/organization/{}/cluster", house.organization)).await.expect(200);
    let cluster = id(&clusters["results"][0]);
    let mut rule = alert_rule(house.organization, &cluster, ("CLUSTER", &cluster));
    rule["condition"] = json!({"kind": "BUILT", "promql": "approval_waiting", "threshold": 0});
    rule["target"]["scope"] = json!("ORGANIZATION");
    house.client.post("/alert-rules", rule).await.expect(201);
    let flow = "flow:\n- {type: approval, step: 1}\n- {type: terraformApply, step: 2}\n";
    let template = house.new_template("Ask and apply", flow).await;
    let workspace = house.workspace("network <b>").await;
    house.start(&workspace, json!({"templateReference": template})).await;
    house.app.settle().await;
    house.app.clock.forward(2);
    alert::decide(&house.app.app, &mut memory, house.app.clock.now()).await.unwrap();
    let me = Browser::new(&house.app, house.organization, Role::Admin).await;
    let page = me.get(&format!("/console/organization/{}/settings/alerts", house.organization)).await.expect(200);
    let named = format!("/console/workspace/{workspace}\">network &lt;b&gt;</a>");
    assert!(page.contains(&named), "{page}");
}

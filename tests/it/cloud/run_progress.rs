//! Runs as programs follow them: what they wait for, how they end, and what is said about them.

use serde_json::json;

use super::detail;
use super::runs::path_of;
use crate::terrakube::House;

/// Programs count how long a run is pending, and read from its events for whom it waits.
#[tokio::test]
async fn a_run_waits_for_the_lock_of_the_state() {
    let house = House::new().await;
    let workspace = house.bare_workspace("network").await;
    let change = async |action: &str| {
        let path = format!("/api/v2/workspaces/{workspace}/actions/{action}");
        house.client.post(&path, json!({"reason": "I move it"})).await.expect(200)
    };
    let events = async |run: &str| {
        let list = house.client.get(&format!("/api/v2/runs/{run}/run-events")).await.expect(200);
        let texts = list["data"].as_array().unwrap().iter();
        texts.map(|event| event["attributes"]["description"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    change("lock").await;
    let run = house.run(&workspace, json!({}), json!({"auto-apply": true})).await;
    house.app.settle().await;
    assert!(house.app.runner.started().is_empty());
    let shown = house.shown_run(&run).await["attributes"].clone();
    assert_eq!((&shown["status"], &shown["actions"]["is-cancelable"]), (&json!("pending"), &json!(true)));
    let said = events(&run).await;
    assert!(said[0].starts_with("The run waits: the lock of the state is held by test (I move it) since "), "{said:?}");
    assert_eq!(said.len(), 1);
    // The one behind it waits for it, and not for the lock.
    let next = house.run(&workspace, json!({}), json!({})).await;
    assert!(events(&next).await.is_empty());
    assert_eq!(house.act(&house.client, &run, "cancel").await, 202);
    assert_eq!(house.run_status(&run).await, "canceled");
    house.app.settle().await;
    assert_eq!(house.run_status(&next).await, "pending");
    change("unlock").await;
    house.app.settle().await;
    assert_eq!(house.run_status(&next).await, "planning");
    assert!(events(&next).await.is_empty());
}

/// A program that looks at a failed run after its plan ends without a word about the apply.
#[tokio::test]
async fn an_apply_without_asking_that_fails_at_once() {
    let house = House::new().await;
    let workspace = house.bare_workspace("network").await;
    let run = house.run(&workspace, json!({}), json!({"auto-apply": true})).await;
    house.app.settle().await;
    house.end(0, r#"{"changes":true}"#).await;
    house.end(3, "").await;
    let statuses = async || {
        let apply = house.part(&run, "apply", "applies").await;
        (house.run_status(&run).await, apply["status"].as_str().unwrap().to_owned())
    };
    let both = |run: &str, apply: &str| (run.to_owned(), apply.to_owned());
    assert_eq!(statuses().await, both("applying", "running"));
    assert_eq!(house.part(&run, "plan", "plans").await["status"], "finished");
    let log = path_of(&house.part(&run, "apply", "applies").await["log-read-url"]);
    let log = String::from_utf8(house.client.bytes(&format!("{log}?offset=0")).await).unwrap();
    assert!(log.ends_with("\nError: exit code 3\n\u{3}"), "{log}");
    house.app.clock.forward(10);
    assert_eq!(statuses().await, both("errored", "running"));
    house.app.clock.forward(3);
    assert_eq!(statuses().await, both("errored", "errored"));
}

/// The program takes the configuration from the JSON form of the plan.
#[tokio::test]
async fn a_plan_generates_configuration() {
    let house = House::new().await;
    let workspace = house.bare_workspace("network").await;
    for generates in [true, false] {
        let attributes = json!({"allow-config-generation": generates, "variables": [{"key": "a", "value": "1"}]});
        let run = house.run(&workspace, json!({"speculative": true}), attributes).await;
        house.app.settle().await;
        let step = house.app.runner.started().pop().unwrap();
        assert_eq!(step.arguments[1].contains(" -generate-config-out=windlass.generated "), generates);
        let values = step.files.iter().find(|file| file.variables == ["WINDLASS_VALUES"]).unwrap();
        assert_eq!(values.content.expose(), "a = 1\n");
        let provider = "terraform.io/builtin/terraform";
        let plan = json!({"format_version": "1.2", "resource_changes": [{
            "address": "terraform_data.x", "mode": "managed", "type": "terraform_data", "name": "x", "provider_name": provider,
            "change": {"actions": ["no-op"], "before": {}, "after": {}, "generated_config": "resource \"terraform_data\" \"x\" {}"}}]});
        let schemas = json!({"format_version": "1.0", "provider_schemas": {provider: {"resource_schemas": {"terraform_data": {}}}}});
        for (file, content) in
            [("plan", "plan".to_owned()), ("plan.json", plan.to_string()), ("providers.json", schemas.to_string())]
        {
            house.app.runner.leave_file(&step.name, file, content.as_bytes());
        }
        house.end(0, r#"{"changes":true}"#).await;
        let shown = house.part(&run, "plan", "plans").await;
        assert_eq!((&shown["status"], &shown["generated-configuration"]), (&json!("finished"), &json!(generates)));
        let id = house.shown_run(&run).await["relationships"]["plan"]["data"]["id"].as_str().unwrap().to_owned();
        let redacted = house.client.get(&format!("/api/v2/plans/{id}/json-output-redacted")).await;
        if generates {
            let change = redacted.expect(200)["resource_changes"][0]["change"].clone();
            assert_eq!(change["generated_config"], "resource \"terraform_data\" \"x\" {}");
        } else {
            assert!(detail(redacted, 404).contains("only done for saved plans"));
        }
    }
}

/// What somebody says who acts on a run is added to its message.
#[tokio::test]
async fn a_comment_keeps_the_message() {
    let house = House::new().await;
    let workspace = house.bare_workspace("network").await;
    let run = house.run(&workspace, json!({}), json!({"message": "release 1.2"})).await;
    house.client.post(&format!("/api/v2/runs/{run}/actions/cancel"), json!({"comment": "not now"})).await.expect(202);
    let shown = house.shown_run(&run).await["attributes"].clone();
    assert_eq!(
        (&shown["message"], &shown["permissions"]["can-comment"]),
        (&json!("release 1.2\ntest: not now"), &json!(false))
    );
}

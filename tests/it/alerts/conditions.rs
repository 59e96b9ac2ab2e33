//! Conditions that nothing reports, which are looked for, and the jobs with a label.

use serde_json::{Value, json};
use windlass::alert::{self, Memory};

use super::{Service, Watch};
use crate::harness::{TestApp, id};
use crate::terrakube::House;
use crate::terrakube::drift::{leave, plan};
use crate::world::alert_rule;

/// Asks for an approval first.
const ASK: &str = "flow:\n- {type: approval, step: 1}\n- {type: terraformApply, step: 2}\n";

fn condition(name: &str, threshold: i64) -> Value {
    json!({"condition": {"kind": "BUILT", "promql": name, "threshold": threshold}})
}

#[tokio::test]
async fn a_job_without_a_success_is_told_although_nothing_happens() {
    let mut watch = Watch::new().await;
    let (service, url) = Service::start().await;
    let slack = watch.slack(&url).await;
    let rule = watch.rule(&[&slack], condition("no_success_for", 3600)).await;
    watch.job("not deployed").await;
    let job = watch.it.deployed(&watch.app, watch.it.cron("nightly", "@yearly")).await;
    assert_eq!(watch.pass_after(3598).await, 0);
    let changes = watch.app.changes();
    assert_eq!(watch.pass().await, 0);
    assert_eq!(watch.app.changes(), changes, "nothing is written while nothing happens");
    assert_eq!(watch.pass_after(2).await + watch.pass_after(2).await, 1);
    let texts = service.texts();
    assert!(texts[0].starts_with("[HIGH] failed: nightly\n"), "{texts:?}");
    assert!(texts[0].contains("no_success_for: no run has succeeded since"), "{texts:?}");
    assert_eq!(watch.pass_after(86_400).await, 0, "once");
    // A failure is no success, and neither is another deployment.
    watch.run(&[&job], 1).await;
    watch.it.client.post(&format!("/job/{job}/deploy"), json!({})).await.expect(202);
    watch.app.settle().await;
    assert_eq!(watch.pass_after(4).await + watch.pass_after(2).await, 0);
    assert_eq!(watch.shown(&rule).await["state"], "NOTIFIED");
    watch.run(&[&job], 0).await;
    assert_eq!(watch.pass_after(2).await + watch.pass_after(2).await, 1);
    assert!(service.texts()[0].starts_with("[RESOLVED] failed: nightly"));
    // The next one counts from that success.
    assert_eq!(watch.pass_after(3590).await, 0);
    assert_eq!(watch.pass_after(10).await + watch.pass_after(2).await, 1);
    // A job that is no longer deployed is not expected to succeed.
    watch.it.client.post(&format!("/job/{job}/stop"), json!({})).await.expect(202);
    watch.app.settle().await;
    assert_eq!(watch.pass_after(62).await + watch.pass_after(2).await, 1);
    assert_eq!(watch.shown(&rule).await["state"], "OK");
}

#[tokio::test]
async fn a_run_is_compared_with_earlier_ones() {
    let mut watch = Watch::new().await;
    let (service, url) = Service::start().await;
    let slack = watch.slack(&url).await;
    let times = json!({"condition": {"kind": "BUILT", "promql": "run_too_long", "times_p95": 2.5}});
    let rule = watch.rule(&[&slack], times).await;
    let shown = watch.shown(&rule).await["condition"].clone();
    assert_eq!((shown["times_p95"].as_f64(), &shown["threshold"]), (Some(2.5), &Value::Null));
    let job = watch.job("job").await;
    let start = async |watch: &Watch| {
        watch.it.client.post(&format!("/job/{job}/run"), json!({})).await.expect(202);
        watch.app.settle().await;
    };
    for _ in 0..5 {
        start(&watch).await;
        watch.app.clock.forward(10);
        watch.app.runner.exit_all(0);
        watch.app.settle().await;
    }
    start(&watch).await;
    assert_eq!(watch.pass_after(25).await + watch.pass().await, 0);
    assert_eq!(watch.pass_after(2).await + watch.pass_after(2).await, 1);
    let texts = service.texts();
    assert!(texts[0].contains("more than 2.5 times as long as 95 of 100 runs: 10.0 s"), "{texts:?}");
}

#[tokio::test]
async fn skipped_times_are_selected_by_reason() {
    let mut watch = Watch::new().await;
    let (service, url) = Service::start().await;
    let slack = watch.slack(&url).await;
    let of = |reasons: Value| json!({"condition": {"kind": "BUILT", "promql": "run_missed", "reasons": reasons}});
    let late = watch.rule(&[&slack], of(json!(["TOO_LATE"]))).await;
    let mut body = alert_rule(watch.it.organization, &watch.cluster, ("ENVIRONMENT", &watch.it.environment));
    body["condition"] = of(json!(["PAUSED"]))["condition"].clone();
    let detail = watch.it.client.post("/alert-rules", body).await.detail(400);
    assert!(detail.starts_with("condition.reasons: must be some of OVERLAP, MISSED, TOO_LATE, NO_PING"), "{detail}");
    watch.it.deployed(&watch.app, watch.it.cron("minutely", "* * * * *")).await;
    for _ in 0..2 {
        watch.app.clock.forward(60);
        watch.app.settle().await;
    }
    assert_eq!(watch.pass_after(1).await, 0);
    assert_eq!(watch.shown(&late).await["state"], "OK");
    watch.rule(&[&slack], of(json!(["OVERLAP", "TOO_LATE"]))).await;
    watch.app.clock.forward(60);
    watch.app.settle().await;
    assert_eq!(watch.pass_after(1).await, 1);
    let texts = service.texts();
    assert!(texts[0].contains("(OVERLAP): an earlier run of this schedule had not finished"), "{texts:?}");
}

#[tokio::test]
async fn a_rule_covers_the_jobs_with_a_label() {
    let mut watch = Watch::new().await;
    let (service, url) = Service::start().await;
    let slack = watch.slack(&url).await;
    let label = |key: &str, value: &str| json!({"key": key, "value": value, "propagate_to_cloud_provider": false});
    let group = json!({"name": "team", "labels": [label("team", "data"), label("tier", "1")]});
    let group = watch.it.client.post(&format!("/organization/{}/labelsGroups", watch.it.organization), group).await;
    let group = id(&group.expect(201));
    let target = |value: &str| json!({"target_type": "CLUSTER", "target_id": watch.cluster, "scope": "LABEL", "label_key": "team", "label_value": value});
    let rule = watch.rule(&[&slack], json!({"target": target("data")})).await;
    let shown = watch.shown(&rule).await["target"].clone();
    assert_eq!((&shown["scope"], &shown["label_value"]), (&json!("LABEL"), &json!("data")));
    let idle = condition("no_success_for", 3600)["condition"].clone();
    watch.rule(&[&slack], json!({"name": "idle", "condition": idle, "target": target("data")})).await;
    watch.rule(&[&slack], json!({"name": "other", "target": target("1")})).await;
    let mut labelled = watch.it.cron("labelled", "@yearly");
    labelled["labels_groups"] = json!([{"id": group}]);
    let labelled = watch.it.deployed(&watch.app, labelled).await;
    let plain = watch.it.deployed(&watch.app, watch.it.cron("plain", "@yearly")).await;
    watch.run(&[&labelled, &plain], 1).await;
    assert_eq!(watch.pass_after(1).await, 1);
    assert!(service.texts()[0].starts_with("[HIGH] failed: labelled\n"));
    assert_eq!(watch.pass_after(3600).await + watch.pass_after(2).await, 1);
    assert!(service.texts()[0].starts_with("[HIGH] idle: labelled\n"));
    let mut body = alert_rule(watch.it.organization, &watch.cluster, ("ENVIRONMENT", &watch.it.environment));
    body["target"]["scope"] = json!("LABEL");
    let detail = watch.it.client.post("/alert-rules", body).await.detail(400);
    assert!(detail.contains("target.label_key") && detail.contains("target.label_value"), "{detail}");
}

#[tokio::test]
async fn a_condition_cannot_have_a_target_that_it_is_never_about() {
    let watch = Watch::new().await;
    for (name, part) in [
        ("approval_waiting", "target: must be a target with the scope PROJECT or ORGANIZATION"),
        ("workspace_drifted", "target: must be a target with the scope PROJECT or ORGANIZATION"),
        ("cluster_unreachable", "target: must be a cluster, or have the scope ORGANIZATION"),
    ] {
        let mut body = alert_rule(watch.it.organization, &watch.cluster, ("ENVIRONMENT", &watch.it.environment));
        body["condition"]["promql"] = json!(name);
        let detail = watch.it.client.post("/alert-rules", body).await.detail(400);
        assert!(detail.starts_with(part), "{detail}");
    }
    for (key, value) in [("times_p95", json!(0.5)), ("times_p95", json!(2)), ("reasons", json!(["MISSED"]))] {
        let mut body = alert_rule(watch.it.organization, &watch.cluster, ("ENVIRONMENT", &watch.it.environment));
        body["condition"][key] = value;
        let detail = watch.it.client.post("/alert-rules", body).await.detail(400);
        assert!(detail.starts_with(&format!("condition.{key}: belongs to")), "{detail}");
    }
}

/// A rule for a whole organization, without receivers.
async fn wide_rule(house: &House, name: &str) -> String {
    let clusters = house.client.get(&format!("/organization/{}/cluster", house.organization)).await.expect(200);
    let cluster = id(&clusters["results"][0]);
    let mut body = alert_rule(house.organization, &cluster, ("CLUSTER", &cluster));
    body["condition"] = condition(name, 0)["condition"].clone();
    body["target"]["scope"] = json!("ORGANIZATION");
    id(&house.client.post("/alert-rules", body).await.expect(201))
}

async fn state_after(house: &House, memory: &mut Memory, rule: &str, seconds: i64) -> Value {
    house.app.clock.forward(seconds);
    alert::decide(&house.app.app, memory, house.app.clock.now()).await.unwrap();
    house.client.get(&format!("/alert-rules/{rule}")).await.expect(200)["state"].clone()
}

#[tokio::test]
async fn an_approval_is_awaited_until_it_is_decided() {
    let house = House::new().await;
    let mut memory = Memory::default();
    let rule = wide_rule(&house, "approval_waiting").await;
    let asked = house.new_template("Ask and apply", ASK).await;
    let workspace = house.workspace("network").await;
    let job = house.start(&workspace, json!({"templateReference": asked})).await;
    assert_eq!(state_after(&house, &mut memory, &rule, 2).await, "OK");
    house.app.settle().await;
    assert_eq!(house.status(&job).await.0, "waitingApproval");
    assert_eq!(state_after(&house, &mut memory, &rule, 2).await, "UNROUTED");
    assert_eq!(state_after(&house, &mut memory, &rule, 2).await, "UNROUTED");
    house.give(&job, "rejected").await.expect(204);
    house.app.settle().await;
    assert_eq!(state_after(&house, &mut memory, &rule, 2).await, "OK");
}

#[tokio::test]
async fn drift_is_told_until_a_plan_finds_none() {
    let house = House::new().await;
    let mut memory = Memory::default();
    let rule = wide_rule(&house, "workspace_drifted").await;
    let workspace = house.workspace("network").await;
    let change = json!({"actions": ["update"], "before": {"a": 1}, "after": {"a": 2}});
    let drifted = json!([{"address": "terraform_data.one", "change": change}]);
    for (drift, state) in [(json!([]), "OK"), (drifted.clone(), "UNROUTED"), (drifted, "UNROUTED"), (json!([]), "OK")] {
        house.app.clock.forward(1);
        let job = house.start(&workspace, json!({"templateReference": house.template("Plan").await})).await;
        house.app.settle().await;
        let step = house.app.runner.steps().pop().unwrap();
        house.app.runner.leave(&step, r#"{"changes": true}"#);
        let plan =
            json!({"format_version": "1.2", "resource_changes": [], "resource_drift": drift, "output_changes": {}});
        house.app.runner.leave_file(&step, "plan.json", plan.to_string().as_bytes());
        house.app.runner.exit_all(0);
        house.app.settle().await;
        assert_eq!(house.status(&job).await.0, "completed");
        assert_eq!(state_after(&house, &mut memory, &rule, 10).await, state);
    }
}

/// The apply stores no state if the one that it leads to is stored already.
#[tokio::test]
async fn drift_is_told_until_an_apply_succeeds() {
    let house = House::new().await;
    let mut memory = Memory::default();
    let rule = wide_rule(&house, "workspace_drifted").await;
    let workspace = house.workspace("network").await;
    let job = house.start(&workspace, json!({"templateReference": house.template("Plan and apply").await})).await;
    leave(&house, &plan(&["one"])).await;
    assert_eq!(state_after(&house, &mut memory, &rule, 10).await, "UNROUTED");
    house.app.runner.exit_all(0);
    house.app.settle().await;
    assert_eq!(house.status(&job).await.0, "completed");
    assert_eq!(state_after(&house, &mut memory, &rule, 10).await, "OK");
}

/// Another server, which may call this machine.
async fn next_server(watch: &Watch) -> TestApp {
    watch.app.restarted().await.reconfigured(|config| config.webhook_private_addresses = true)
}

#[tokio::test]
async fn a_cluster_is_unreachable_until_no_server_says_so() {
    let mut watch = Watch::new().await;
    let (service, url) = Service::start().await;
    let slack = watch.slack(&url).await;
    let target = json!({"target_type": "CLUSTER", "target_id": watch.cluster});
    let mut rule = condition("cluster_unreachable", 30);
    rule["target"] = target;
    watch.rule(&[&slack], rule).await;
    assert_eq!(watch.pass_after(60).await, 0);
    watch.app = next_server(&watch).await.without_engine("no socket");
    assert_eq!(watch.pass_after(2).await, 0);
    assert_eq!(watch.pass_after(27).await, 0);
    assert_eq!(watch.pass_after(4).await + watch.pass_after(2).await, 1);
    let texts = service.texts();
    assert!(texts[0].contains("cluster_unreachable: the cluster has been unreachable since"), "{texts:?}");
    assert!(texts[0].contains(": no socket"), "{texts:?}");
    // It is confirmed for as long as it lasts.
    for _ in 0..10 {
        assert_eq!(watch.pass_after(20).await, 0);
    }
    watch.app = next_server(&watch).await;
    watch.memory = Memory::default();
    assert_eq!(watch.pass_after(30).await, 0, "another server may still see it");
    assert_eq!(watch.pass_after(40).await + watch.pass_after(2).await, 1);
    assert!(service.texts()[0].starts_with("[RESOLVED]"));
}

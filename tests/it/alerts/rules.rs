//! The conditions of rules, and which jobs they cover.

use entity::alert;
use sea_orm::EntityTrait;
use serde_json::{Value, json};

use super::{Service, Watch};

fn condition(name: &str) -> Value {
    json!({"condition": {"kind": "BUILT", "promql": name}})
}

#[tokio::test]
async fn unknown_conditions_get_the_list() {
    let watch = Watch::new().await;
    let names = "run_failed, run_recovered, run_missed, run_late, run_too_long, no_success_for, deployment_failed, \
                 approval_waiting, workspace_drifted, cluster_unreachable";
    let mut body =
        crate::world::alert_rule(watch.it.organization, &watch.cluster, ("ENVIRONMENT", &watch.it.environment));
    for condition in [json!({"kind": "BUILT", "promql": "no_success"}), json!({"kind": "CUSTOM", "promql": "up == 0"})]
    {
        body["condition"] = condition;
        let detail = watch.it.client.post("/alert-rules", body.clone()).await.detail(400);
        assert!(detail.contains(names), "{detail}");
    }
    for (key, value, part) in [
        ("condition", json!({"kind": "BUILT", "promql": "run_failed", "threshold": 1.5}), "condition.threshold"),
        ("condition", json!({"kind": "BUILT", "promql": "run_failed", "threshold": 101}), "condition.threshold"),
        ("for_duration", json!("5m"), "for_duration"),
        ("alert_receiver_ids", json!([uuid::Uuid::now_v7()]), "alert_receiver_ids"),
        ("target", json!({"target_type": "HELM", "target_id": watch.it.environment}), "target.target_type"),
        ("target", json!({"target_type": "JOB", "target_id": watch.it.environment}), "target.target_id"),
    ] {
        let mut wrong =
            crate::world::alert_rule(watch.it.organization, &watch.cluster, ("ENVIRONMENT", &watch.it.environment));
        wrong[key] = value;
        let detail = watch.it.client.post("/alert-rules", wrong).await.detail(400);
        assert!(detail.contains(part), "{part}: {detail}");
    }
}

#[tokio::test]
async fn a_rule_waits_for_failures_in_a_row() {
    let mut watch = Watch::new().await;
    let (service, url) = Service::start().await;
    let slack = watch.slack(&url).await;
    let failed =
        json!({"condition": {"kind": "BUILT", "promql": "run_failed", "threshold": 3, "operator": "ABOVE_OR_EQUAL"}});
    let rule = watch.rule(&[&slack], failed).await;
    assert_eq!(watch.shown(&rule).await["condition"]["operator"], "ABOVE_OR_EQUAL");
    let job = watch.job("job").await;
    for code in [1, 1, 0, 1, 1] {
        watch.run(&[&job], code).await;
        assert_eq!(watch.pass_after(5).await, 0, "a success in between starts the count again");
        assert_eq!(watch.shown(&rule).await["state"], "OK");
    }
    watch.run(&[&job], 1).await;
    assert_eq!(watch.pass_after(1).await, 1);
    assert!(service.texts()[0].contains("exit code 1"));
}

#[tokio::test]
async fn a_rule_waits_until_a_failure_has_lasted() {
    let mut watch = Watch::new().await;
    let (service, url) = Service::start().await;
    let slack = watch.slack(&url).await;
    let rule = watch.rule(&[&slack], json!({"for_duration": "PT10M"})).await;
    let (short, long) = (watch.job("short").await, watch.job("long").await);
    watch.run(&[&short, &long], 1).await;
    assert_eq!(watch.pass_after(300).await, 0);
    assert_eq!(watch.shown(&rule).await["state"], "TRIGGERED");
    watch.run(&[&short], 0).await;
    assert_eq!(watch.pass_after(299).await, 0);
    assert_eq!(watch.pass_after(1).await + watch.pass_after(2).await + watch.pass_after(2).await, 1);
    assert!(service.texts()[0].starts_with("[HIGH] failed: long"));
}

#[tokio::test]
async fn recoveries_have_a_condition_of_their_own() {
    let mut watch = Watch::new().await;
    let (service, url) = Service::start().await;
    let quiet = watch.receiver(json!({"webhook_url": format!("{url}/x"), "send_resolved": false})).await;
    watch.rule(&[&quiet], condition("run_recovered")).await;
    let job = watch.job("job").await;
    watch.run(&[&job], 0).await;
    assert_eq!(watch.pass_after(5).await, 0, "a success after a success is no recovery");
    watch.run(&[&job], 1).await;
    assert_eq!(watch.pass_after(5).await, 0);
    watch.run(&[&job], 0).await;
    assert_eq!(watch.pass_after(2).await + watch.pass_after(2).await, 1);
    let texts = service.texts();
    assert!(texts[0].contains("job: a run succeeded again"), "{texts:?}");
    assert_eq!(watch.pass_after(86_400).await, 0);
}

#[tokio::test]
async fn a_skipped_time_is_told_with_its_reason() {
    let mut watch = Watch::new().await;
    let (service, url) = Service::start().await;
    let slack = watch.slack(&url).await;
    watch.rule(&[&slack], condition("run_missed")).await;
    let job = watch.it.deployed(&watch.app, watch.it.cron("minutely", "* * * * *")).await;
    watch.app.clock.forward(60);
    watch.app.settle().await;
    // The first run goes on, so the next time is skipped.
    watch.app.clock.forward(60);
    watch.app.settle().await;
    assert_eq!(watch.it.runs(&job).await.len(), 1);
    assert_eq!(watch.pass_after(1).await, 1);
    let texts = service.texts();
    assert!(texts[0].contains("(OVERLAP): an earlier run of this schedule had not finished"), "{texts:?}");
    let explained = format!("/job/{job}/explain?at=2026-11-22T10:02:00Z");
    let explained = watch.it.client.get(&explained).await.expect(200)["reason"].as_str().unwrap().to_owned();
    let time = "minutely at 2026-11-22 10:02:00 UTC: ";
    let whole = format!("{time}{explained}. The next time is 2026-11-22 10:03:00 UTC.");
    assert!(explained.starts_with("the job did not run: ") && texts[0].contains(&whole), "{whole}: {texts:?}");
    // Pausing is no accident.
    watch.app.runner.exit_all(0);
    watch.app.settle().await;
    watch.it.client.post(&format!("/job/{job}/pause"), json!({})).await.expect(200);
    watch.app.clock.forward(600);
    watch.app.settle().await;
    let texts: Vec<String> = {
        watch.pass_after(61).await;
        service.texts()
    };
    assert!(texts.iter().all(|text| !text.contains("PAUSED")), "{texts:?}");
}

#[tokio::test]
async fn a_failed_deployment_is_told() {
    let mut watch = Watch::new().await;
    let (service, url) = Service::start().await;
    let slack = watch.slack(&url).await;
    let rule = watch.rule(&[&slack], condition("deployment_failed")).await;
    let job = watch.it.create(watch.it.lifecycle("migrate")).await;
    let deploy = format!("/job/{job}/deploy");
    watch.it.client.post(&deploy, json!({})).await.expect(202);
    watch.app.settle().await;
    watch.app.runner.exit_all(1);
    watch.app.settle().await;
    assert_eq!(watch.pass_after(1).await, 1);
    let texts = service.texts();
    assert!(texts[0].starts_with("[HIGH] failed: staging"), "{texts:?}");
    assert!(texts[0].contains(&format!("/console/environment/{}", watch.it.environment)));
    watch.app.clock.forward(60);
    watch.it.client.post(&deploy, json!({})).await.expect(202);
    watch.app.settle().await;
    watch.app.runner.exit_all(0);
    watch.app.settle().await;
    assert_eq!(watch.pass_after(2).await + watch.pass_after(2).await, 1);
    assert!(service.texts()[0].starts_with("[RESOLVED] failed: staging"));
    assert_eq!(watch.shown(&rule).await["state"], "OK");
}

#[tokio::test]
async fn long_and_late_runs_are_told_while_they_are_open() {
    let mut watch = Watch::new().await;
    let (service, url) = Service::start().await;
    let slack = watch.slack(&url).await;
    let long = json!({"condition": {"kind": "BUILT", "promql": "run_too_long", "threshold": 600}});
    watch.rule(&[&slack], long).await;
    let job = watch.job("job").await;
    watch.it.client.post(&format!("/job/{job}/run"), json!({})).await.expect(202);
    watch.app.settle().await;
    assert_eq!(watch.pass_after(590).await, 0);
    assert_eq!(watch.pass_after(10).await + watch.pass_after(2).await, 1);
    let texts = service.texts();
    assert!(texts[0].contains("the run has been running for"), "{texts:?}");
    assert_eq!(watch.pass_after(3600).await, 0, "once for a run");
    watch.app.runner.exit_all(0);
    watch.app.settle().await;
    assert_eq!(watch.pass_after(2).await + watch.pass_after(2).await, 1);
    assert!(service.texts()[0].starts_with("[RESOLVED]"));
    // Nothing starts while the runner is away.
    let late = json!({"condition": {"kind": "BUILT", "promql": "run_late", "threshold": 120}});
    watch.rule(&[&slack], late).await;
    watch.it.deployed(&watch.app, watch.it.cron("minutely", "*/30 * * * *")).await;
    let mut waiting = watch.app.clock.now();
    while waiting.timestamp() % 1800 != 0 {
        watch.app.clock.forward(1);
        waiting = watch.app.clock.now();
    }
    windlass::engine::tick::plan(&watch.app.app, watch.app.clock.now()).await;
    assert_eq!(watch.pass_after(119).await, 0);
    assert_eq!(watch.pass_after(3).await + watch.pass_after(2).await, 1);
    assert!(service.texts()[0].contains("has not started after"));
}

#[tokio::test]
async fn a_rule_covers_its_target_only() {
    let mut watch = Watch::new().await;
    let (service, url) = Service::start().await;
    let slack = watch.slack(&url).await;
    let other = watch.it.with_environment("other").await;
    let outside = other.create(other.cron("outside", "@yearly")).await;
    let (inside, job) = (watch.job("inside").await, watch.job("job").await);
    let target = |kind: &str, id: &str| json!({"target_type": kind, "target_id": id});
    let wide = |scope: &str| json!({"target_type": "ENVIRONMENT", "target_id": watch.it.environment, "scope": scope});
    let mut project = wide("PROJECT");
    project["scope_id"] = json!(watch.it.project);
    let expected = [
        ("job", target("CRONJOB", &job), 1),
        ("environment", target("ENVIRONMENT", &watch.it.environment), 2),
        ("cluster", target(" CLUSTER", &watch.cluster), 3),
        ("project", project, 3),
        ("organization", wide("ORGANIZATION"), 3),
    ];
    for (name, target, _) in &expected {
        watch.rule(&[&slack], json!({"name": name, "target": target})).await;
    }
    watch.run(&[&inside, &job, &outside], 1).await;
    assert_eq!(watch.pass_after(1).await, 5);
    let texts = service.texts();
    for (name, _, jobs) in expected {
        let text = texts.iter().find(|text| text.starts_with(&format!("[HIGH] {name}:"))).unwrap();
        assert_eq!(text.matches("run_failed:").count(), jobs, "{text}");
    }
}

#[tokio::test]
async fn a_rule_without_receivers_shows_its_state() {
    let mut watch = Watch::new().await;
    let rule = watch.rule(&[], json!({})).await;
    let job = watch.job("job").await;
    watch.run(&[&job], 1).await;
    assert_eq!(watch.pass_after(1).await, 0);
    let shown = watch.shown(&rule).await;
    assert_eq!(shown["state"], "UNROUTED");
    assert!(shown["starts_at"].is_string(), "{shown}");
    // A disabled rule forgets.
    let mut edit = shown.clone();
    edit["enabled"] = json!(false);
    let edited = watch.it.client.put(&format!("/alert-rules/{rule}"), edit).await.expect(200);
    assert_eq!(edited["state"], "OK");
    watch.run(&[&job], 1).await;
    watch.pass_after(1).await;
    assert_eq!(watch.shown(&rule).await["state"], "OK");
    // A rule goes with its target.
    let on_job = watch.rule(&[], json!({"target": {"target_type": "JOB", "target_id": job}})).await;
    watch.it.client.delete(&format!("/job/{job}")).await.expect(204);
    watch.app.settle().await;
    watch.it.client.get(&format!("/alert-rules/{on_job}")).await.expect(404);
}

#[tokio::test]
async fn what_nobody_could_be_told_is_told_to_the_first_receiver() {
    let mut watch = Watch::new().await;
    let (service, url) = Service::start().await;
    let rule = watch.rule(&[], json!({})).await;
    let job = watch.job("job").await;
    for times in 1..=2 {
        watch.run(&[&job], 3).await;
        assert_eq!(watch.pass_after(60).await, 0);
        let alert = alert::Entity::find().one(&watch.app.app.db).await.unwrap().unwrap();
        assert_eq!((alert.times, alert.told_at), (times, None));
        assert_eq!(alert.decision, "nobody to tell: the rule has no receiver");
        assert_eq!(alert.reason.as_deref(), Some("exit code 3"));
    }
    let slack = watch.slack(&url).await;
    let mut edit = watch.shown(&rule).await;
    edit["alert_receiver_ids"] = json!([slack]);
    watch.it.client.put(&format!("/alert-rules/{rule}"), edit).await.expect(200);
    assert_eq!(watch.pass_after(2).await + watch.pass_after(2).await, 1);
    let texts = service.texts();
    assert!(texts[0].starts_with("[HIGH] failed: job\n"), "{texts:?}");
    assert_eq!(watch.shown(&rule).await["state"], "NOTIFIED");
    let alert = alert::Entity::find().one(&watch.app.app.db).await.unwrap().unwrap();
    assert_eq!(alert.decision, "told, because the rule has a receiver now");
    assert!(alert.told_at.is_some());
    watch.run(&[&job], 3).await;
    assert_eq!(watch.pass_after(60).await, 0, "it was told");
}

/// Whoever was told waits for the end: some receivers keep an incident open until they hear of it.
#[tokio::test]
async fn an_alert_about_what_is_deleted_or_no_longer_watched_is_over() {
    let mut watch = Watch::new().await;
    let (service, url) = Service::start().await;
    let slack = watch.slack(&url).await;
    let rule = watch.rule(&[&slack], json!({})).await;
    let deployed = watch.it.deployed(&watch.app, watch.it.cron("deployed", "@yearly")).await;
    let (idle, left) = (watch.job("idle").await, watch.job("left").await);
    watch.run(&[&idle, &deployed, &left], 1).await;
    assert_eq!(watch.pass_after(1).await, 1);
    assert!(service.texts()[0].starts_with("[HIGH] failed: 3 jobs"));
    for (job, name) in [(&idle, "idle"), (&deployed, "deployed")] {
        watch.it.client.delete(&format!("/job/{job}")).await.expect(204);
        watch.app.settle().await;
        assert_eq!(watch.it.client.get(&format!("/job/{job}")).await.status, 404);
        assert_eq!(watch.pass_after(61).await, 1, "{name}");
        let texts = service.texts();
        assert!(texts[0].starts_with(&format!("[RESOLVED] failed: {name}\n")), "{texts:?}");
    }
    let mut edit = watch.shown(&rule).await;
    edit["enabled"] = json!(false);
    edit["alert_receiver_ids"] = json!([]);
    watch.it.client.put(&format!("/alert-rules/{rule}"), edit).await.expect(200);
    assert_eq!(watch.pass_after(61).await, 1);
    assert!(service.texts()[0].starts_with("[RESOLVED] failed: left\n"));
    assert_eq!(watch.pass_after(61).await, 0, "once");
}

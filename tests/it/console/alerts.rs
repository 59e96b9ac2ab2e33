//! The page of alerts, and the forms of rules, receivers and silences.

use entity::member::Role;
use sea_orm::{ConnectionTrait as _, DatabaseTransaction};
use serde_json::Value;

use super::browser::{Browser, between};
use super::settings_scene::Scene;
use crate::concurrent_changes::overtaken;

impl Scene {
    async fn page(&self) -> String {
        self.me.get(&format!("{}/alerts", self.settings)).await.expect(200)
    }
}

/// The address of the form of a row.
fn edit(settings: &str, kind: &str, row: &Value) -> String {
    format!("{settings}/{kind}/{}/edit", row["id"].as_str().unwrap())
}

#[tokio::test]
async fn receivers() {
    let scene = Scene::new(Role::Devops).await;
    let Scene { me, settings, .. } = &scene;
    assert!(scene.page().await.contains("First create a receiver"));
    let new = format!("{settings}/alert-receivers/new");
    assert!(me.get(&new).await.expect(200).contains("Mail server"), "mail is the first type");
    let slack = format!("{new}?type=SLACK");
    assert!(me.get(&slack).await.expect(200).contains("name=\"webhook_url\""));
    let wrong = [("type", "SLACK"), ("name", "chat"), ("webhook_url", "nonsense")];
    let shown = me.submit(&new, &new, &wrong).await.expect(400);
    assert!(shown.contains("class=\"problem\"") && shown.contains("value=\"chat\""), "{shown}");
    let url = "https://hooks.example/hush-hush";
    me.submit(&new, &new, &[("type", "SLACK"), ("name", "chat <b>"), ("webhook_url", url), ("send_resolved", "on")])
        .await
        .leads();
    let row = scene.named("alert-receivers", "chat <b>").await;
    assert_eq!((&row["type"], &row["send_resolved"]), (&"SLACK".into(), &true.into()));
    let page = scene.page().await;
    assert!(page.contains("chat &lt;b&gt;") && !page.contains("First create a receiver"), "{page}");
    let edit = edit(settings, "alert-receiver", &row);
    for path in [&edit, &format!("{settings}/alerts")] {
        assert!(!me.get(path).await.expect(200).contains("hush-hush"), "{path}");
    }
    me.submit(&edit, &edit, &[("name", "channel"), ("description", "d")]).await.leads();
    let row = scene.named("alert-receivers", "channel").await;
    let quiet = [
        ("name", "channel"),
        ("description", "d"),
        ("quiet_hours.spans", "sunday 22:00 to 07:00"),
        ("quiet_hours.time_zone", "Europe/Berlin"),
        ("quiet_hours.except_severities", "CRITICAL"),
    ];
    let shown = me.submit(&edit, &edit, &[&quiet[..], &[("quiet_hours.except_severities", "LOUD")]].concat()).await;
    assert_eq!(shown.status, 400);
    let shown = me.submit(&edit, &edit, &[("name", "channel"), ("quiet_hours.spans", "always")]).await.expect(400);
    assert!(shown.contains("is not written like") && shown.contains(">\nalways<"), "{shown}");
    me.submit(&edit, &edit, &quiet).await.leads();
    let stored = &scene.named("alert-receivers", "channel").await["quiet_hours"];
    let spans = serde_json::json!([{"weekdays": ["SUNDAY"], "from": "22:00", "to": "07:00"}]);
    assert_eq!((&stored["spans"], &stored["time_zone"]), (&spans, &"Europe/Berlin".into()), "{stored}");
    assert!(me.get(&edit).await.expect(200).contains("SUNDAY 22:00 to 07:00"));
    assert_eq!((&row["description"], &row["send_resolved"]), (&"d".into(), &false.into()));
    // A receiver that does not answer: the reason stands above its form.
    let test = edit.replace("/edit", "/test");
    let shown = me.submit(&edit, &test, &[]).await.expect(400);
    assert!(shown.contains("was not accepted"), "{shown}");
    let event = format!("/organization/{}/events?eventType=UPDATE&targetType=ORGANIZATION", scene.it.organization);
    let event = scene.it.client.get(&event).await.expect(200)["events"][0].to_string();
    assert!(event.contains("ALERT_RECEIVER") && !event.contains("hush-hush"), "{event}");
    me.submit(&edit, &edit.replace("/edit", "/delete"), &[]).await.leads();
    assert!(scene.rows("alert-receivers").await.is_empty());
}

#[tokio::test]
async fn rules() {
    let scene = Scene::new(Role::Devops).await;
    let Scene { me, settings, it, .. } = &scene;
    let new = format!("{settings}/alert-rules/new");
    let base =
        [("name", "fails"), ("target", "organization"), ("condition.promql", "run_failed"), ("severity", "HIGH")];
    for (field, value, said) in [
        ("condition.threshold", "many", "must be a whole number"),
        ("condition.threshold", "101", "must be a whole number between"),
        ("for_duration", "-1", "must be a time span"),
        ("presentation.runbook_url", "nonsense", "class=\"problem\""),
        ("alert_receiver_ids", "00000000-0000-0000-0000-000000000000", "class=\"problem\""),
    ] {
        let shown = me.submit(&new, &new, &[&base[..], &[(field, value)]].concat()).await.expect(400);
        assert!(shown.contains(said) && shown.contains("value=\"fails\""), "{field}: {shown}");
    }
    for target in ["environment:00000000-0000-0000-0000-000000000000", "moon", "moon:1"] {
        let fields = [("name", "fails"), ("target", target), ("condition.promql", "run_failed"), ("severity", "HIGH")];
        assert_eq!(me.submit(&new, &new, &fields).await.status, 400, "{target}");
    }
    let target = format!("environment:{}", it.environment);
    let fields = [
        ("name", "fails <b>"),
        ("target", target.as_str()),
        ("condition.promql", "run_failed"),
        ("condition.threshold", "3"),
        ("for_duration", "120"),
        ("severity", "HIGH"),
        ("enabled", "on"),
    ];
    me.submit(&new, &new, &fields).await.leads();
    let row = scene.named("alert-rules", "fails <b>").await;
    assert_eq!((&row["condition"]["threshold"], &row["for_duration"]), (&3.0.into(), &"PT2M".into()));
    assert_eq!(row["target"]["target_id"], it.environment.to_string());
    let page = scene.page().await;
    assert!(page.contains("3 runs in a row fail, for at least"), "{page}");
    let edit = edit(settings, "alert-rule", &row);
    let shown = me.get(&edit).await.expect(200);
    assert!(shown.contains("It is about environment"), "{shown}");
    let label = [("name", "team"), ("target", "label"), ("condition.promql", "run_failed"), ("severity", "HIGH")];
    let shown = me.submit(&new, &new, &label).await.expect(400);
    assert!(shown.contains("Key of the label is required"), "{shown}");
    let parts = [("target.label_key", "team"), ("target.label_value", "shop")];
    me.submit(&new, &new, &[&label[..], &parts[..]].concat()).await.leads();
    assert!(scene.page().await.contains("jobs with the label team=shop"));
    let changed = [("name", "late"), ("condition.promql", "run_late"), ("severity", "LOW")];
    me.submit(&edit, &edit, &changed).await.leads();
    let row = scene.named("alert-rules", "late").await;
    assert_eq!((&row["enabled"], &row["condition"]["promql"]), (&false.into(), &"run_late".into()));
    me.submit(&edit, &edit.replace("/edit", "/delete"), &[]).await.leads();
    assert!(scene.rows("alert-rules").await.iter().all(|row| row["name"] != "late"));
}

#[tokio::test]
async fn silences() {
    let scene = Scene::new(Role::Devops).await;
    let Scene { me, settings, it, app, .. } = &scene;
    let job = it.create(it.cron("nightly <b>", "30 3 * * *")).await;
    let new = format!("{settings}/alert-silences/new");
    assert!(scene.page().await.contains("Nothing is silenced."));
    let of_job = format!("job:{job}");
    let shown = me.get(&format!("{new}?target={of_job}")).await.expect(200);
    assert!(
        shown.contains(&format!("value=\"{of_job}\" selected")) && shown.contains("job nightly &lt;b&gt;"),
        "{shown}"
    );
    let until = (app.app.clock.now() + chrono::TimeDelta::hours(2)).format("%Y-%m-%dT%H:%M").to_string();
    for (target, ends_at, said) in [
        (of_job.as_str(), "tomorrow", "must be a date and a time"),
        (of_job.as_str(), "2020-01-01T00:00", "must be after begins_at"),
        ("moon:1", until.as_str(), "must be one of the list"),
        ("job:00000000-0000-0000-0000-000000000000", until.as_str(), "is no job of the organization"),
        ("label", until.as_str(), "is required for a label"),
    ] {
        let fields = [("target.id", target), ("ends_at", ends_at), ("comment", "known")];
        let shown = me.submit(&new, &new, &fields).await.expect(400);
        assert!(shown.contains(said) && shown.contains("value=\"known\""), "{target} {ends_at}: {shown}");
    }
    me.submit(&new, &new, &[("target.id", &of_job), ("ends_at", &until), ("comment", "known <i>")]).await.leads();
    let row = scene.rows("alert-silence").await.remove(0);
    assert_eq!((&row["active"], &row["target"]["id"]), (&true.into(), &job.as_str().into()));
    let page = scene.page().await;
    for part in ["job nightly &lt;b&gt;", "known &lt;i&gt;", "silent"] {
        assert!(page.contains(part), "{part}: {page}");
    }
    let edit = edit(settings, "alert-silence", &row);
    let begins = row["begins_at"].as_str().unwrap().get(..16).unwrap();
    assert!(me.get(&edit).await.expect(200).contains(&format!("value=\"{begins}\"")));
    let label = [("target.id", "label"), ("target.label_key", "team"), ("target.label_value", "shop")];
    me.submit(&edit, &edit, &[&label[..], &[("ends_at", until.as_str())]].concat()).await.leads();
    let row = scene.rows("alert-silence").await.remove(0);
    assert_eq!((&row["target"]["type"], &row["target"]["label_value"]), (&"LABEL".into(), &"shop".into()));
    let viewer = Browser::new(app, it.organization, Role::Viewer).await;
    let page = viewer.get(&format!("{settings}/alerts")).await.expect(200);
    assert!(page.contains("jobs with the label team=shop") && !page.contains("alert-silence"), "{page}");
    assert_eq!(viewer.get(&edit).await.status, 403);
    me.submit(&edit, &edit.replace("/edit", "/delete"), &[]).await.leads();
    assert!(scene.rows("alert-silence").await.is_empty());
    let event = format!("/organization/{}/events?eventType=DELETE&targetType=ORGANIZATION", it.organization);
    let event = it.client.get(&event).await.expect(200)["events"][0].to_string();
    assert!(event.contains("ALERT_SILENCE"), "{event}");
}

#[tokio::test]
async fn what_is_wrong_is_shown_to_those_who_see_the_job() {
    let scene = Scene::new(Role::Devops).await;
    let Scene { it, app, settings, .. } = &scene;
    let job = it.create(it.cron("nightly <b>", "30 3 * * *")).await;
    let cluster = it.client.get(&format!("/organization/{}/cluster", it.organization)).await.expect(200);
    let cluster = cluster["results"][0]["id"].as_str().unwrap().to_owned();
    let rule = crate::world::alert_rule(it.organization, &cluster, ("JOB", &job));
    let rule = it.client.post("/alert-rules", rule).await.expect(201);
    let row = entity::alert::Model {
        id: entity::id::AlertId::create(),
        rule_id: entity::id::AlertRuleId(rule["id"].as_str().unwrap().parse().unwrap()),
        subject_id: job.parse().unwrap(),
        environment_id: Some(entity::id::EnvironmentId(it.environment.parse().unwrap())),
        workspace_id: None,
        workspace_job_id: None,
        cluster_id: None,
        job_id: Some(entity::id::JobId(job.parse().unwrap())),
        run_id: None,
        state: entity::alert::AlertState::Triggered,
        since: app.app.clock.now(),
        seen_at: app.app.clock.now(),
        times: 2,
        due_at: None,
        told_at: None,
        reason: Some("exit code 3 <i>".into()),
        decision: "told, because it is new".into(),
    };
    windlass::store::alert::save_alert(&app.app.db, row, true).await.unwrap();
    let viewer = Browser::new(app, it.organization, Role::Viewer).await;
    let page = viewer.get(&format!("{settings}/alerts")).await.expect(200);
    for part in ["nightly &lt;b&gt;", "exit code 3 &lt;i&gt;", "told, because it is new", "nobody to tell"] {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert!(!page.contains("/alert-rules/new") && !page.contains("Messages"), "{page}");
    assert_eq!(between(&page, "data-label=\"Times\">", "<"), Some("2"));
    for path in ["alert-rules/new", "alert-receivers/new"] {
        assert_eq!(viewer.get(&format!("{settings}/{path}")).await.status, 403, "{path}");
    }
}

/// A form has not all that a receiver or a rule has, and keeps what others have changed in the meantime.
#[tokio::test]
async fn what_a_form_does_not_have_stays_as_it_is_then() {
    let scene = Scene::new(Role::Devops).await;
    let Scene { app, it, me, settings } = &scene;
    let receiver = crate::world::alert_receiver(it.organization);
    it.client.post("/alert-receivers", receiver).await.expect(201);
    let receiver = edit(settings, "alert-receiver", &scene.named("alert-receivers", "on-call").await);
    let cluster = scene.rows("cluster").await[0]["id"].as_str().unwrap().to_owned();
    let rule = crate::world::alert_rule(it.organization, &cluster, ("ENVIRONMENT", it.environment.as_str()));
    it.client.post("/alert-rules", rule).await.expect(201);
    let rule = edit(settings, "alert-rule", &scene.named("alert-rules", "failed").await);
    let token = me.csrf().await;
    let others = async |tx: &DatabaseTransaction| {
        tx.execute_unprepared("UPDATE alert_receiver SET owner = 'new'").await.unwrap();
        tx.execute_unprepared("UPDATE alert_rule SET tag = 'new'").await.unwrap();
    };
    let fields = [("name", "renamed"), ("condition.promql", "run_failed"), ("severity", "LOW"), ("enabled", "on")];
    let both = async { tokio::join!(me.post(&receiver, &token, &fields[..1]), me.post(&rule, &token, &fields)) };
    let (of_receiver, of_rule) = overtaken(app, others, both).await;
    of_receiver.leads();
    of_rule.leads();
    assert_eq!(scene.named("alert-receivers", "renamed").await["owner"], "new");
    assert_eq!(scene.named("alert-rules", "renamed").await["tag"], "new");
}

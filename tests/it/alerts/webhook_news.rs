//! Webhooks about runs, times of schedules and approvals.

use entity::run::Event;
use serde_json::{Value, json};
use windlass::alert::{self, Memory};
use windlass::engine::news;
use windlass::store::run::Follows;
use windlass::{outbound, store};

use super::{Service, Watch, merge};
use crate::harness::{Client, id};
use crate::terrakube::House;

const ALL: [&str; 9] = [
    "RUN_FAILED",
    "RUN_RECOVERED",
    "RUN_SUCCEEDED",
    "TIME_MISSED",
    "SCHEDULE_RECOVERED",
    "RUN_TOO_LONG",
    "RUN_TOO_LONG_ENDED",
    "APPROVAL_WAITING",
    "APPROVAL_DECIDED",
];
const OFFICIAL: [&str; 4] =
    ["DEPLOYMENT_STARTED", "DEPLOYMENT_SUCCESSFUL", "DEPLOYMENT_FAILURE", "DEPLOYMENT_CANCELLED"];

/// A webhook of an organization, by its path.
pub(super) async fn hook(client: &Client, organization: impl std::fmt::Display, change: Value) -> String {
    let mut body = json!({"kind": "STANDARD", "target_url": "https://hooks.example.com/x", "events": ALL});
    merge(&mut body, change);
    let base = format!("/organization/{organization}/webhook");
    format!("{base}/{}", id(&client.post(&base, body).await.expect(201)))
}

/// What a webhook was told, oldest first.
async fn told(client: &Client, hook: &str) -> Vec<Value> {
    let list = client.get(&format!("{hook}/delivery")).await.expect(200);
    let mut rows = list["results"].as_array().unwrap().clone();
    rows.reverse();
    rows
}

async fn kinds(client: &Client, hook: &str) -> Vec<String> {
    told(client, hook).await.iter().map(|row| row["event"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn failures_successes_and_recoveries_of_runs_are_told() {
    let watch = Watch::new().await;
    let (client, organization) = (&watch.it.client, watch.it.organization);
    let (service, url) = Service::start().await;
    let all = hook(client, organization, json!({"target_url": format!("{url}/all")})).await;
    let failures = hook(client, organization, json!({"events": ["RUN_FAILED", "DEPLOYMENT_STARTED"]})).await;
    let official = hook(client, organization, json!({"events": OFFICIAL})).await;
    let elsewhere = hook(client, organization, json!({"project_names_filter": ["other*"]})).await;
    let production = hook(client, organization, json!({"environment_types_filter": ["PRODUCTION"]})).await;
    let disabled = hook(client, organization, json!({"enabled": false})).await;
    let slack = json!({"kind": "SLACK", "events": ["RUN_FAILED"], "project_names_filter": ["SH*"]});
    let slack = hook(client, organization, slack).await;
    let job = watch.job("nightly").await;
    watch.run(&[&job], 0).await;
    watch.run(&[&job], 3).await;
    watch.run(&[&job], 0).await;
    watch.run(&[&job], 0).await;
    let expected = ["RUN_SUCCEEDED", "RUN_FAILED", "RUN_SUCCEEDED", "RUN_RECOVERED", "RUN_SUCCEEDED"];
    assert_eq!(kinds(client, &all).await, expected);
    assert_eq!(kinds(client, &failures).await, ["RUN_FAILED"]);
    for hook in [official, elsewhere, production, disabled] {
        assert_eq!(kinds(client, &hook).await, [""; 0]);
    }
    let run = watch.it.runs(&job).await[2]["id"].clone();
    let request = told(client, &slack).await[0]["request"].clone();
    let link = format!("https://windlass.example/console/run/{}", run.as_str().unwrap());
    let text = request["text"].as_str().unwrap();
    assert!(text.starts_with("A run has failed: shop / staging / nightly: exit code 3"), "{text}");
    assert!(text.ends_with(&link), "{text}");
    // What was stored is sent by the next server, under the same id.
    let stored: Vec<Value> = told(client, &all).await.iter().map(|row| row["id"].clone()).collect();
    let next = watch.app.restarted().await.reconfigured(|config| config.webhook_private_addresses = true);
    outbound::send(&next.app).await.unwrap();
    let calls = service.take();
    let sent: Vec<Value> = calls.iter().map(|call| json!(call.headers["webhook-id"].to_str().unwrap())).collect();
    assert_eq!(sent.len(), stored.len());
    assert!(stored.iter().all(|id| sent.contains(id)), "{sent:?}");
    let bodies: Vec<Value> = calls.iter().map(|call| serde_json::from_str(&call.body).unwrap()).collect();
    let failed = bodies.iter().find(|body| body["type"] == "RUN_FAILED").unwrap();
    let data = &failed["data"];
    assert_eq!((&data["job_name"], &data["project_name"]), (&json!("nightly"), &json!("shop")));
    assert_eq!((&data["environment_name"], &data["environment_mode"]), (&json!("staging"), &json!("DEVELOPMENT")));
    assert_eq!((&data["run_id"], &data["exit_code"], &data["state"]), (&run, &json!(3), &json!("FAILED")));
    assert_eq!((&data["link"], &data["trigger"]), (&json!(link), &json!("MANUAL")));
    assert!(data["reason"].as_str().unwrap().starts_with("exit code 3"), "{data}");
}

/// As when a build has ended, or the schedule was applied in a cluster.
#[tokio::test]
async fn a_build_is_no_recovery() {
    let watch = Watch::new().await;
    let (client, organization) = (&watch.it.client, watch.it.organization);
    let events = json!({"events": ["RUN_FAILED", "RUN_SUCCEEDED", "RUN_RECOVERED"]});
    let hook = hook(client, organization, events).await;
    let job = watch.job("job").await;
    watch.run(&[&job], 1).await;
    let app = &watch.app.app;
    for event in Event::NO_EXECUTIONS {
        let run = watch.succeeded(&job, event).await;
        let follows = Follows { is_watched: true, is_beyond: false };
        let now = watch.app.clock.now();
        store::write(&app.db, async |tx| news::runs_ended(app, tx, &[(&run, follows)], now).await).await.unwrap();
    }
    assert_eq!(kinds(client, &hook).await, ["RUN_FAILED"]);
    watch.run(&[&job], 0).await;
    assert_eq!(kinds(client, &hook).await, ["RUN_FAILED", "RUN_SUCCEEDED", "RUN_RECOVERED"]);
}

#[tokio::test]
async fn official_clients_neither_see_events_of_ours_nor_remove_them() {
    let watch = Watch::new().await;
    let client = &watch.it.client;
    let made = hook(client, watch.it.organization, json!({"events": ["RUN_FAILED", "DEPLOYMENT_STARTED"]})).await;
    let shown = client.get(&made).await.expect(200);
    assert_eq!((&shown["events"], &shown["own_events"]), (&json!(["DEPLOYMENT_STARTED"]), &json!(["RUN_FAILED"])));
    let job = watch.it.deployed(&watch.app, watch.it.cron("nightly", "@yearly")).await;
    watch.run(&[&job], 1).await;
    assert_eq!(kinds(client, &made).await, ["DEPLOYMENT_STARTED", "RUN_FAILED"]);
    let listed = client.get(&format!("{made}/event")).await.expect(200);
    let matched: Vec<&Value> = listed["results"].as_array().unwrap().iter().map(|row| &row["matched_event"]).collect();
    assert_eq!(matched, ["DEPLOYMENT_STARTED"]);
    let edit = async |change: Value| {
        let mut body = json!({"kind": "STANDARD", "target_url": "https://hooks.example.com/x"});
        merge(&mut body, change);
        let shown = client.put(&made, body).await.expect(200);
        (shown["events"].clone(), shown["own_events"].clone())
    };
    // What a client sends back that knows only the official fields.
    let kept = edit(json!({"events": ["DEPLOYMENT_FAILURE"]})).await;
    assert_eq!(kept, (json!(["DEPLOYMENT_FAILURE"]), json!(["RUN_FAILED"])));
    assert_eq!(edit(json!({"events": []})).await, (json!([]), json!(["RUN_FAILED"])));
    let both = edit(json!({"events": ["TIME_MISSED"], "own_events": ["RUN_TOO_LONG"]})).await;
    assert_eq!(both, (json!([]), json!(["TIME_MISSED", "RUN_TOO_LONG"])));
    let removed = edit(json!({"events": ["DEPLOYMENT_FAILURE"], "own_events": []})).await;
    assert_eq!(removed, (json!(["DEPLOYMENT_FAILURE"]), json!([])));
    let none = json!({"kind": "STANDARD", "target_url": "https://hooks.example.com/x", "events": [], "own_events": []});
    assert_eq!(client.put(&made, none).await.detail(400), "events: must have 1 to 1000 items");
    let unknown = json!({"kind": "STANDARD", "target_url": "https://hooks.example.com/x", "events": ["RUN_LATE"]});
    let detail = client.put(&made, unknown).await.detail(400);
    assert!(detail.starts_with("events") && detail.contains("APPROVAL_DECIDED"), "{detail}");
}

#[tokio::test]
async fn a_missed_time_is_told_and_the_next_success_of_the_schedule() {
    let watch = Watch::new().await;
    let client = &watch.it.client;
    let job = watch.it.deployed(&watch.app, watch.it.cron("minutely", "* * * * *")).await;
    let missed = json!({"events": ["TIME_MISSED", "SCHEDULE_RECOVERED"]});
    let made = hook(client, watch.it.organization, missed.clone()).await;
    let after = async |seconds: i64, exit_code: Option<i32>| {
        watch.app.clock.forward(seconds);
        watch.app.settle().await;
        if let Some(exit_code) = exit_code {
            watch.app.runner.exit_all(exit_code);
            watch.app.settle().await;
        }
    };
    after(60, None).await;
    assert_eq!(kinds(client, &made).await, [""; 0]);
    // The second time is missed, because the first run has not ended. Its success is none of a later time.
    after(60, Some(0)).await;
    assert_eq!(kinds(client, &made).await, ["TIME_MISSED"]);
    watch.app.clock.forward(1);
    let late = hook(client, watch.it.organization, missed).await;
    after(59, Some(1)).await;
    assert_eq!(kinds(client, &made).await, ["TIME_MISSED"]);
    after(60, Some(0)).await;
    after(60, Some(0)).await;
    assert_eq!(kinds(client, &made).await, ["TIME_MISSED", "SCHEDULE_RECOVERED"], "once");
    assert_eq!(kinds(client, &late).await, [""; 0], "it was not there when the time was missed");
    let data = told(client, &made).await[0]["request"]["data"].clone();
    assert_eq!((&data["skip_reason"], &data["job_id"]), (&json!("OVERLAP"), &json!(job)));
    let reason = data["reason"].as_str().unwrap();
    assert!(reason.contains("was skipped (OVERLAP): an earlier run of this schedule had not finished"), "{reason}");
    // Nobody missed the times of a paused schedule.
    client.post(&format!("/job/{job}/pause"), json!({})).await.expect(200);
    after(60, None).await;
    assert_eq!(kinds(client, &made).await.len(), 2);
}

/// A run that did not start by its starting deadline is no failure, but its time is missed.
#[tokio::test]
async fn a_time_that_is_given_up_at_its_starting_deadline_is_missed() {
    let mut watch = Watch::new().await;
    let job = watch.it.create(watch.it.cron("minutely", "* * * * *")).await;
    let settings = json!({"cronjob.concurrency_policy": "Queue", "cronjob.starting_deadline_seconds": 30});
    watch.it.client.put(&format!("/job/{job}/advancedSettings"), settings).await.expect(201);
    watch.it.client.post(&format!("/job/{job}/deploy"), json!({})).await.expect(202);
    watch.app.settle().await;
    let made = hook(&watch.it.client, watch.it.organization, json!({})).await;
    let condition = json!({"kind": "BUILT", "promql": "run_missed", "reasons": ["TOO_LATE"]});
    let rule = watch.rule(&[], json!({"condition": condition})).await;
    for time in ["2026-11-22T10:01:00Z", "2026-11-22T10:02:00Z", "2026-11-22T10:02:31Z"] {
        watch.app.clock.set(time);
        watch.app.settle().await;
    }
    assert_eq!(kinds(&watch.it.client, &made).await, ["TIME_MISSED"]);
    let data = told(&watch.it.client, &made).await[0]["request"]["data"].clone();
    assert_eq!((&data["skip_reason"], &data["job_id"]), (&json!("TOO_LATE"), &json!(job)));
    assert_eq!(data["scheduled_for"], "2026-11-22T10:02:00.000000Z");
    watch.pass().await;
    assert_eq!(watch.shown(&rule).await["state"], "UNROUTED");
    // The end of the run before is no success of a later time.
    watch.app.runner.exit_all(0);
    watch.app.settle().await;
    watch.pass().await;
    assert_eq!(watch.shown(&rule).await["state"], "UNROUTED");
    watch.app.clock.set("2026-11-22T10:03:00Z");
    watch.app.settle().await;
    watch.app.runner.exit_all(0);
    watch.app.settle().await;
    let expected = ["TIME_MISSED", "RUN_SUCCEEDED", "RUN_SUCCEEDED", "SCHEDULE_RECOVERED"];
    assert_eq!(kinds(&watch.it.client, &made).await, expected);
    watch.pass_after(1).await;
    assert_eq!(watch.shown(&rule).await["state"], "OK");
}

#[tokio::test]
async fn a_run_that_takes_too_long_is_told_once_and_its_end() {
    let mut watch = Watch::new().await;
    let names = json!({"events": ["RUN_TOO_LONG", "RUN_TOO_LONG_ENDED"]});
    let made = hook(&watch.it.client, watch.it.organization, names.clone()).await;
    let (short, long) = (watch.job("short").await, watch.job("long").await);
    for job in [&short, &long] {
        watch.it.client.post(&format!("/job/{job}/run"), json!({})).await.expect(202);
    }
    watch.app.settle().await;
    // A rule says what is too long for one of them; an hour is for the other.
    let rule = json!({
        "condition": {"kind": "BUILT", "promql": "run_too_long", "threshold": 600},
        "target": {"target_type": "JOB", "target_id": short},
    });
    watch.rule(&[], rule).await;
    watch.pass_after(598).await;
    assert_eq!(kinds(&watch.it.client, &made).await, [""; 0]);
    watch.pass_after(4).await;
    let first = told(&watch.it.client, &made).await;
    assert_eq!((first.len(), &first[0]["request"]["data"]["job_id"]), (1, &json!(short)));
    let changes = watch.app.changes();
    watch.pass_after(60).await;
    assert_eq!(watch.app.changes(), changes, "nothing is written about what was told");
    // Another server, which remembers nothing.
    watch.memory = Memory::default();
    watch.pass_after(2940).await;
    let second = told(&watch.it.client, &made).await;
    let reason = second[1]["request"]["data"]["reason"].as_str().unwrap().to_owned();
    assert_eq!((second.len(), &second[1]["request"]["data"]["job_id"]), (2, &json!(long)));
    assert!(reason.starts_with("the run has been running for 36"), "{reason}");
    let late = hook(&watch.it.client, watch.it.organization, names).await;
    watch.app.runner.exit_all(0);
    watch.app.settle().await;
    let ended = ["RUN_TOO_LONG", "RUN_TOO_LONG", "RUN_TOO_LONG_ENDED", "RUN_TOO_LONG_ENDED"];
    assert_eq!(kinds(&watch.it.client, &made).await, ended);
    assert_eq!(kinds(&watch.it.client, &late).await, [""; 0], "it was not told that they took too long");
}

#[tokio::test]
async fn an_approval_is_told_when_it_is_awaited_and_when_it_is_decided() {
    const ASK: &str = "flow:\n- {type: approval, step: 1}\n- {type: terraformApply, step: 2}\n";
    let house = House::new().await;
    let made = hook(&house.client, house.organization, json!({})).await;
    let filtered = hook(&house.client, house.organization, json!({"environment_types_filter": ["STAGING"]})).await;
    let asked = house.new_template("Ask and apply", ASK).await;
    let workspace = house.workspace("network").await;
    for decision in ["rejected", "approved", "cancelled"] {
        let job = house.start(&workspace, json!({"templateReference": asked})).await;
        house.app.settle().await;
        assert_eq!(house.status(&job).await.0, "waitingApproval");
        assert_eq!(kinds(&house.client, &made).await.last().unwrap(), "APPROVAL_WAITING");
        house.give(&job, decision).await.expect(204);
        house.app.settle().await;
        let newest = told(&house.client, &made).await.pop().unwrap();
        let data = &newest["request"]["data"];
        assert_eq!((&newest["event"], &data["status"]), (&json!("APPROVAL_DECIDED"), &json!(decision)));
        assert_eq!((&data["workspace_name"], data["workspace_job_id"].to_string()), (&json!("network"), job.clone()));
        assert!(data["link"].as_str().unwrap().ends_with(&format!("/console/workspace-job/{job}")), "{data}");
        house.app.runner.exit_all(0);
        house.app.settle().await;
        alert::decide(&house.app.app, &mut Memory::default(), house.app.clock.now()).await.unwrap();
    }
    assert_eq!(kinds(&house.client, &made).await.len(), 6, "each is told once");
    assert_eq!(kinds(&house.client, &filtered).await, [""; 0], "a workspace is in no environment");
}

//! A row of every pass fails, and all others proceed.

use entity::{
    alert_delivery, alert_receiver, deployment_rule, job, push_feedback, run, webhook, webhook_delivery,
    workspace_schedule,
};
use sea_orm::{ActiveValue::Set, ColumnTrait as _, EntityTrait as _, PaginatorTrait as _, QueryFilter as _};
use serde_json::{Value, json};
use windlass::alert;
use windlass::engine::tick;
use windlass::liveness::passes::Pass;
use windlass::outbound;
use windlass::runner::Runner as _;

use super::poison::{Rejects, cure, poison, sql};
use crate::harness::{Furnished, TestApp, id};
use crate::pushes::Followed;
use crate::pushes::payloads::{NEW, push};
use crate::terrakube::{House, tcl};
use crate::world::alert_rule;

#[tokio::test]
async fn a_row_that_fails_stops_no_other_row_of_any_pass() {
    for pass in Pass::ALL {
        let app = match pass {
            Pass::ClockJumps => Box::pin(plans_after_a_jump()).await,
            Pass::Schedules => Box::pin(schedules()).await,
            Pass::Checks => Box::pin(checks()).await,
            Pass::Takeovers => Box::pin(takeovers()).await,
            Pass::DeploymentRules => Box::pin(rules()).await,
            Pass::StartDeployments => Box::pin(deployments_that_start()).await,
            Pass::FinishDeployments => Box::pin(deployments_that_finish()).await,
            Pass::WorkspaceSchedules => Box::pin(workspace_schedules()).await,
            Pass::WorkspaceApprovals => Box::pin(workspace_approvals()).await,
            Pass::WorkspaceJobs => Box::pin(workspace_jobs()).await,
            Pass::QueuedRuns => Box::pin(queued_runs()).await,
            Pass::Claim => Box::pin(claims()).await,
            Pass::Orphans => Box::pin(orphans()).await,
            Pass::Observe => Box::pin(observations()).await,
            Pass::Sweep => Box::pin(steps_to_remove()).await,
            Pass::Prune => Box::pin(expired_runs()).await,
            Pass::Webhooks => Box::pin(deliveries()).await,
            Pass::Alerts => Box::pin(causes()).await,
            Pass::Messages => Box::pin(messages()).await,
            Pass::Pushes => Box::pin(polls()).await,
            Pass::Reports => Box::pin(reports()).await,
            // A server has one lease.
            Pass::Leases => continue,
            // These need a cluster; its tests let them fail.
            Pass::ClusterRuns | Pass::Drift | Pass::Connect => continue,
        };
        let text = app.client(None).raw("/metrics").await;
        let line = format!("windlass_pass_row_errors_total{{pass=\"{}\"}}", pass.name());
        assert!(text.contains(&line), "{line} is not in\n{text}");
    }
}

/// A job that was deployed, and two runs that were requested.
async fn two_runs(app: &TestApp, it: &Furnished) -> (String, [String; 2]) {
    let job = it.create(it.cron("job", "@yearly")).await;
    let mut runs = Vec::new();
    for _ in 0..2 {
        runs.push(id(&it.client.post(&format!("/job/{job}/run"), json!({})).await.expect(202)));
        app.clock.forward(1);
    }
    (job, runs.try_into().unwrap())
}

async fn state(it: &Furnished, run: &str) -> Value {
    it.client.get(&format!("/run/{run}")).await.expect(200)["state"].clone()
}

async fn schedules() -> TestApp {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let (bad, good) = (it.create(it.cron("bad", "* * * * *")).await, it.create(it.cron("good", "* * * * *")).await);
    it.client.post(&format!("/environment/{}/deploy", it.environment), json!({})).await.expect(202);
    app.settle().await;
    poison(&app, "INSERT ON run", &format!("NEW.job_id = {}", sql(&app, &bad)), Rejects::Statement).await;
    app.clock.set("2026-11-22T10:01:00Z");
    app.settle().await;
    assert_eq!((it.runs(&bad).await.len(), it.runs(&good).await.len()), (0, 1));
    cure(&app).await;
    app.clock.forward(2);
    app.settle().await;
    assert_eq!((it.runs(&bad).await.len(), it.runs(&good).await.len()), (1, 1), "the time was not lost");
    app
}

async fn checks() -> TestApp {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let mut ids = Vec::new();
    for name in ["bad", "good"] {
        let body = json!({"name": name, "period_seconds": 60, "grace_seconds": 1});
        ids.push(id(&it.client.post(&format!("/environment/{}/check", it.environment), body).await.expect(201)));
    }
    poison(&app, "INSERT ON skipped_time", &format!("NEW.job_id = {}", sql(&app, &ids[0])), Rejects::Statement).await;
    let skipped = async |id: &str| {
        let shown = it.client.get(&format!("/job/{id}/skippedTime")).await.expect(200);
        shown["results"].as_array().unwrap().len()
    };
    app.clock.forward(61);
    app.settle().await;
    assert_eq!((skipped(&ids[0]).await, skipped(&ids[1]).await), (0, 1));
    cure(&app).await;
    app.clock.forward(2);
    app.settle().await;
    assert_eq!((skipped(&ids[0]).await, skipped(&ids[1]).await), (1, 1), "the time was not lost");
    app
}

async fn plans_after_a_jump() -> TestApp {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let (bad, good) = (it.create(it.cron("bad", "* * * * *")).await, it.create(it.cron("good", "* * * * *")).await);
    it.client.post(&format!("/environment/{}/deploy", it.environment), json!({})).await.expect(202);
    app.settle().await;
    app.clock.set("2026-11-22T12:00:30Z");
    app.settle().await;
    poison(&app, "UPDATE ON job_schedule", &format!("OLD.job_id = {}", sql(&app, &bad)), Rejects::Statement).await;
    app.clock.set("2026-11-22T10:01:30Z");
    app.settle().await;
    let next = async |job: &str| {
        it.client.get(&format!("/job/{job}/nextRun?count=1")).await.expect(200)["results"][0]["at"].clone()
    };
    assert_eq!(next(&good).await, "2026-11-22T10:02:00.000000Z");
    app
}

/// Both schedules were applied in a cluster, and are paused.
async fn takeovers() -> TestApp {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let mut jobs = Vec::new();
    for name in ["bad", "good"] {
        jobs.push(it.deployed(&app, it.cron(name, "@daily")).await);
    }
    for job in &jobs {
        super::ends::apply(&app, job).await;
        it.client.post(&format!("/job/{job}/pause"), json!({})).await.expect(200);
    }
    poison(&app, "INSERT ON run", &format!("NEW.job_id = {}", sql(&app, &jobs[0])), Rejects::Transaction).await;
    app.settle().await;
    assert_eq!((it.runs(&jobs[0]).await.len(), it.runs(&jobs[1]).await.len()), (0, 1));
    app
}

async fn rules() -> TestApp {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let other = it.with_environment("second").await;
    let mut jobs = Vec::new();
    for it in [&it, &other] {
        jobs.push(it.create(it.cron("job", "@daily")).await);
        let path = format!("/environment/{}/deploymentRule", it.environment);
        let rule = id(&it.client.get(&path).await.expect(200));
        let body = json!({
            "auto_stop": true, "timezone": "Etc/UTC", "weekdays": ["SUNDAY"],
            "start_time": "1970-01-01T11:00:00Z", "stop_time": "1970-01-01T13:30:00Z",
        });
        it.client.put(&format!("{path}/{rule}"), body).await.expect(200);
    }
    let bad = format!("OLD.environment_id = {}", sql(&app, &it.environment));
    poison(&app, "UPDATE ON deployment_rule", &bad, Rejects::Statement).await;
    app.clock.set("2026-11-22T11:00:00Z");
    app.settle().await;
    assert_eq!((it.state(&jobs[0]).await, it.state(&jobs[1]).await), ("READY".into(), "DEPLOYED".into()));
    let rules = deployment_rule::Entity::find().filter(deployment_rule::Column::NextStartAt.lte(app.clock.now()));
    assert_eq!(rules.count(&app.app.db).await.unwrap(), 1);
    app
}

async fn deployments_that_start() -> TestApp {
    deployments("NEW.progress = 'RUNNING'").await
}

async fn deployments_that_finish() -> TestApp {
    deployments("NEW.progress = 'SUCCEEDED'").await
}

async fn deployments(when: &str) -> TestApp {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let other = it.with_environment("second").await;
    let (bad, good) = (it.create(it.cron("job", "@daily")).await, other.create(other.cron("job", "@daily")).await);
    let bad_row = format!("OLD.environment_id = {} AND {when}", sql(&app, &it.environment));
    poison(&app, "UPDATE ON deployment", &bad_row, Rejects::Transaction).await;
    for it in [&it, &other] {
        it.client.post(&format!("/environment/{}/deploy", it.environment), json!({})).await.expect(202);
    }
    app.settle().await;
    assert_eq!(it.state(&good).await, "DEPLOYED");
    assert_ne!(it.state(&bad).await, "DEPLOYED");
    app
}

async fn workspace_schedules() -> TestApp {
    let house = House::new().await;
    let plan = house.template("Plan").await;
    let mut schedules = Vec::new();
    for name in ["bad", "good"] {
        let path = format!("workspace/{}/schedule", house.workspace(name).await);
        let attributes = json!({"cron": "0 5 10 * * ?", "templateReference": plan});
        schedules.push(house.create(&path, "schedule", attributes).await);
    }
    let bad = format!("OLD.id = {}", sql(&house.app, &schedules[0]));
    poison(&house.app, "UPDATE ON workspace_schedule", &bad, Rejects::Transaction).await;
    house.app.clock.forward(300);
    house.app.settle().await;
    assert_eq!(house.get("job").await["data"].as_array().unwrap().len(), 1);
    let due = workspace_schedule::Entity::find()
        .filter(workspace_schedule::Column::NextRunAt.lte(house.app.clock.now()))
        .count(&house.app.app.db);
    assert_eq!(due.await.unwrap(), 1);
    house.app
}

async fn workspace_approvals() -> TestApp {
    let house = House::new().await;
    let flow = json!({"tcl": tcl("flow:\n- {type: approval, step: 1}\n")});
    let tokens = format!("/organization/{}/apiToken", house.organization);
    let token = house.client.post(&tokens, json!({"name": "t", "role_id": null})).await.expect(201);
    let caller = house.client.with(Some(&format!("Token {}", token["token"].as_str().unwrap())));
    let mut jobs = Vec::new();
    for name in ["bad", "good"] {
        let workspace = house.workspace(name).await;
        let made = house.ask(&caller, &workspace, flow.clone()).await.expect(201);
        jobs.push(made["data"]["id"].as_str().unwrap().to_owned());
    }
    house.app.settle().await;
    poison(&house.app, "UPDATE ON workspace_job", &format!("OLD.id = {}", jobs[0]), Rejects::Statement).await;
    house.client.delete(&format!("{tokens}/{}", id(&token))).await.expect(204);
    house.app.settle().await;
    let statuses = (house.status(&jobs[0]).await.0, house.status(&jobs[1]).await.0);
    assert_eq!(statuses, ("waitingApproval".into(), "cancelled".into()));
    house.app
}

async fn workspace_jobs() -> TestApp {
    let house = House::new().await;
    let flow = json!({"tcl": tcl("flow:\n- {type: terraformPlan, step: 1}\n")});
    let mut jobs = Vec::new();
    for name in ["bad", "good"] {
        jobs.push(house.start(&house.workspace(name).await, flow.clone()).await);
    }
    let bad = format!("OLD.job_id = {}", jobs[0]);
    poison(&house.app, "UPDATE ON workspace_step", &bad, Rejects::Transaction).await;
    house.app.settle().await;
    assert_eq!((house.status(&jobs[0]).await.0, house.status(&jobs[1]).await.0), ("pending".into(), "running".into()));
    house.app
}

async fn queued_runs() -> TestApp {
    let app = TestApp::configured(|config| config.max_runs = 0).await;
    let it = app.furnished().await;
    let (_, [bad, good]) = two_runs(&app, &it).await;
    poison(
        &app,
        "UPDATE ON run",
        &format!("OLD.id = {} AND NEW.state = 'CANCELLED'", sql(&app, &bad)),
        Rejects::Transaction,
    )
    .await;
    for run in [&bad, &good] {
        it.client.post(&format!("/run/{run}/cancel"), json!({})).await.expect(202);
    }
    app.settle().await;
    assert_eq!((state(&it, &bad).await, state(&it, &good).await), (json!("QUEUED"), json!("CANCELLED")));
    app
}

async fn claims() -> TestApp {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let (_, [bad, good]) = two_runs(&app, &it).await;
    poison(
        &app,
        "UPDATE ON run",
        &format!("OLD.id = {} AND OLD.state = 'QUEUED'", sql(&app, &bad)),
        Rejects::Transaction,
    )
    .await;
    app.settle().await;
    assert_eq!((state(&it, &bad).await, state(&it, &good).await), (json!("QUEUED"), json!("RUNNING")));
    app
}

async fn orphans() -> TestApp {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let (_, [bad, good]) = two_runs(&app, &it).await;
    app.settle().await;
    poison(&app, "UPDATE ON run", &format!("OLD.id = {}", sql(&app, &bad)), Rejects::Transaction).await;
    app.clock.forward(60);
    let other = app.restarted().await;
    other.settle().await;
    let owner = async |run: &str| {
        let id = entity::id::RunId(run.parse().unwrap());
        windlass::store::run::by_id(&app.app.db, id).await.unwrap().unwrap().lease_owner
    };
    assert_eq!((owner(&bad).await, owner(&good).await), (Some(app.app.instance), Some(other.app.instance)));
    other
}

async fn observations() -> TestApp {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let (_, [bad, good]) = two_runs(&app, &it).await;
    app.settle().await;
    poison(&app, "UPDATE ON run", &format!("OLD.id = {}", sql(&app, &bad)), Rejects::Transaction).await;
    app.runner.exit_all(0);
    // A lease is renewed as time passes.
    app.clock.forward(1);
    tick::renew(&app.app).await.unwrap();
    app.settle().await;
    assert_eq!((state(&it, &bad).await, state(&it, &good).await), (json!("RUNNING"), json!("SUCCEEDED")));
    app
}

async fn steps_to_remove() -> TestApp {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    two_runs(&app, &it).await;
    app.settle().await;
    let steps = app.runner.started();
    app.runner.exit_all(0);
    app.settle().await;
    for step in &steps {
        app.runner.start(step).await.unwrap();
    }
    app.runner.set_stuck(&steps[0].name);
    tick::sweep(&app.app, app.clock.now()).await;
    assert_eq!(app.runner.steps(), [steps[0].name.clone()]);
    app
}

async fn expired_runs() -> TestApp {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let (_, [bad, _]) = two_runs(&app, &it).await;
    app.settle().await;
    app.runner.exit_all(0);
    app.settle().await;
    poison(&app, "DELETE ON run", &format!("OLD.id = {}", sql(&app, &bad)), Rejects::Transaction).await;
    app.clock.forward(400 * 86_400);
    tick::prune(&app.app, app.clock.now()).await;
    let left = run::Entity::find().all(&app.app.db).await.unwrap();
    assert_eq!(left.iter().map(|run| run.id.to_string()).collect::<Vec<_>>(), [bad]);
    app
}

async fn polls() -> TestApp {
    let app = TestApp::configured(|config| config.local_repositories = true).await;
    let house = House::of(app).await;
    let mut hooks = Vec::new();
    for name in ["bad", "good"] {
        let attributes = json!({"name": name, "source": "file:///nowhere/acme/infra.git"});
        let workspace = house.create("workspace", "workspace", attributes).await;
        let path = format!("workspace/{workspace}/webhook");
        hooks.push(house.create(&path, "webhook", json!({"pollSeconds": 60})).await);
    }
    poison(
        &house.app,
        "UPDATE ON workspace_webhook",
        &format!("OLD.id = {}", sql(&house.app, &hooks[0])),
        Rejects::Statement,
    )
    .await;
    house.app.clock.forward(67);
    windlass::push::poll(&house.app.app, house.app.clock.now()).await.unwrap();
    let mut polled = Vec::new();
    for hook in hooks {
        let row = house.client.get(&format!("/api/v1/webhook/{hook}")).await.expect(200);
        polled.push(row["data"]["attributes"]["pollError"].is_string());
    }
    assert_eq!(polled, [false, true]);
    house.app
}

/// A report whose end cannot be stored is sent again when its lease ends.
async fn reports() -> TestApp {
    let app = TestApp::with_private_webhooks().await;
    let it = Followed::of(app, "http://127.0.0.1:1/acme/infra.git").await;
    let (house, url) = (&it.house, "http://127.0.0.1:1");
    let vcs = json!({"name": "hub", "vcsType": "GITHUB", "accessToken": "hidden", "endpoint": url, "apiUrl": url});
    let vcs = house.create("vcs", "vcs", vcs).await;
    let path = format!("/api/v1/workspace/{}/relationships/vcs", it.workspace);
    house.client.patch(&path, json!({"data": {"type": "vcs", "id": vcs}})).await.expect(204);
    it.event(json!({"event": "PUSH"})).await;
    Followed::started(it.github("push", "1", &push("main", NEW, &["a"])).await);
    poison(&house.app, "UPDATE ON push_feedback", "NEW.error IS NOT NULL", Rejects::Statement).await;
    assert_eq!(windlass::push::send_reports(&house.app.app).await.unwrap(), 1);
    let row = push_feedback::Entity::find().one(&house.app.app.db).await.unwrap().unwrap();
    assert_eq!((row.attempts, Some(row.next_attempt_at)), (1, row.claimed_until));
    it.house.app
}

/// A rule for the runs of an environment.
async fn rule_with(it: &Furnished, receivers: Value) {
    let clusters = it.client.get(&format!("/organization/{}/cluster", it.organization)).await.expect(200);
    let mut rule = alert_rule(it.organization, &id(&clusters["results"][0]), ("ENVIRONMENT", &it.environment));
    rule["alert_receiver_ids"] = receivers;
    it.client.post("/alert-rules", rule).await.expect(201);
}

async fn causes() -> TestApp {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    rule_with(&it, json!([])).await;
    let (bad, good) = (it.create(it.cron("bad", "@yearly")).await, it.create(it.cron("good", "@yearly")).await);
    for job in [&bad, &good] {
        it.client.post(&format!("/job/{job}/run"), json!({})).await.expect(202);
        app.settle().await;
        app.runner.exit_all(1);
        app.settle().await;
    }
    poison(&app, "INSERT ON alert", &format!("NEW.job_id = {}", sql(&app, &bad)), Rejects::Statement).await;
    alert::decide(&app.app, &mut alert::Memory::default(), app.clock.now()).await.unwrap();
    let alerts = entity::alert::Entity::find().all(&app.app.db).await.unwrap();
    assert_eq!(alerts.iter().map(|row| row.job_id.unwrap().to_string()).collect::<Vec<_>>(), [good]);
    app
}

async fn messages() -> TestApp {
    let app = TestApp::with_private_webhooks().await;
    let it = app.furnished().await;
    let receiver = json!({
        "organization_id": it.organization, "name": "bad", "description": "", "type": "SLACK", "send_resolved": true,
        "webhook_url": "http://127.0.0.1:1/hook",
    });
    let receiver = id(&it.client.post("/alert-receivers", receiver).await.expect(201));
    rule_with(&it, json!([receiver])).await;
    let job = it.create(it.cron("job", "@yearly")).await;
    it.client.post(&format!("/job/{job}/run"), json!({})).await.expect(202);
    app.settle().await;
    app.runner.exit_all(1);
    app.settle().await;
    alert::decide(&app.app, &mut alert::Memory::default(), app.clock.now()).await.unwrap();
    let change =
        alert_receiver::ActiveModel { sealed: Set(Some(b"sealed by another key".to_vec())), ..Default::default() };
    alert_receiver::Entity::update_many().set(change).exec(&app.app.db).await.unwrap();
    app.clock.forward(1);
    assert_eq!(alert::send(&app.app).await.unwrap(), 1);
    let row = alert_delivery::Entity::find().one(&app.app.db).await.unwrap().unwrap();
    assert_eq!(row.attempts, 1, "each attempt counts, so that each message ends");
    assert_eq!(row.error.as_deref(), Some("a secret cannot be decrypted with the keys of this server"));
    app
}

async fn deliveries() -> TestApp {
    let app = TestApp::with_private_webhooks().await;
    let it = app.furnished().await;
    it.create(it.cron("job", "@daily")).await;
    for name in ["bad", "good"] {
        let body = json!({
            "kind": "STANDARD", "target_url": "http://127.0.0.1:1/hook", "target_secret": name, "description": name,
            "events": ["DEPLOYMENT_STARTED"],
        });
        it.client.post(&format!("/organization/{}/webhook", it.organization), body).await.expect(201);
    }
    it.client.post(&format!("/environment/{}/deploy", it.environment), json!({})).await.expect(202);
    app.settle().await;
    let hooks = webhook::Entity::find().all(&app.app.db).await.unwrap();
    let bad = hooks.iter().find(|hook| hook.description.as_deref() == Some("bad")).unwrap();
    let change = webhook::ActiveModel { secret: Set(Some(b"sealed by another key".to_vec())), ..Default::default() };
    let these = webhook::Entity::update_many().set(change).filter(webhook::Column::Id.eq(bad.id));
    these.exec(&app.app.db).await.unwrap();
    outbound::send(&app.app).await.unwrap();
    let rows = webhook_delivery::Entity::find().all(&app.app.db).await.unwrap();
    assert!(rows.iter().all(|row| row.attempts == 1), "each attempt counts, so that each delivery ends: {rows:?}");
    let reason = rows.iter().find(|row| row.webhook_id == bad.id).and_then(|row| row.response.clone()).unwrap();
    assert_eq!(reason, "a secret cannot be decrypted with the keys of this server");
    assert_eq!(job::Entity::find().count(&app.app.db).await.unwrap(), 1);
    app
}

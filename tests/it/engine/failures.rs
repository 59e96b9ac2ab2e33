//! Rows that keep failing: they are retried with growing pauses, and end with their reason.

use entity::{job_variables, run, variable};
use sea_orm::{ActiveValue::Set, ColumnTrait as _, EntityTrait as _, QueryFilter as _};
use serde_json::{Value, json};

use super::poison::{Rejects, cure, poison, sql};
use crate::harness::{Furnished, TestApp, id};
use crate::terrakube::{House, tcl};

/// Lets time pass, second by second.
async fn seconds(app: &TestApp, seconds: u32) {
    for _ in 0..seconds {
        app.clock.forward(1);
        app.tick().await;
    }
}

/// A LIFECYCLE job whose step is running, and its run.
async fn running(app: &TestApp, it: &Furnished) -> (String, Value) {
    let job = it.deployed(app, it.lifecycle("job")).await;
    let run = it.runs(&job).await.remove(0);
    (job, run)
}

async fn deployment_log(it: &Furnished) -> String {
    it.client.get(&format!("/environment/{}/logs", it.environment)).await.expect(200).to_string()
}

/// A deployment whose secret was sealed by another key fails with that reason; others go on, and the job can be deleted.
#[tokio::test]
async fn a_deployment_whose_secret_cannot_be_decrypted_ends() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = it.create(it.cron("job", "@daily")).await;
    it.client.post(&format!("/job/{job}/secret"), json!({"key": "PASSWORD", "value": "x"})).await.expect(201);
    let foreign = variable::ActiveModel { sealed: Set(Some(b"sealed by another key".to_vec())), ..Default::default() };
    let these = variable::Entity::update_many().set(foreign).filter(variable::Column::Sealed.is_not_null());
    these.exec(&app.app.db).await.unwrap();
    it.client.post(&format!("/job/{job}/deploy"), json!({})).await.expect(202);
    app.settle().await;
    let statements = app.statements();
    app.settle().await;
    assert_eq!(it.client.get(&format!("/job/{job}/status")).await.expect(200)["state"], "DEPLOYMENT_QUEUED");
    assert!(app.statements() - statements < 100, "it is not tried again at once");
    seconds(&app, 40).await;
    assert_eq!(it.state(&job).await, "DEPLOYMENT_ERROR");
    let log = deployment_log(&it).await;
    assert!(log.contains("a secret cannot be decrypted with the keys of this server"), "{log}");
    it.client.delete(&format!("/job/{job}")).await.expect(204);
    app.settle().await;
    it.client.get(&format!("/job/{job}")).await.expect(404);
}

/// A run whose variables cannot be decrypted fails with that reason.
#[tokio::test]
async fn a_run_whose_variables_cannot_be_decrypted_ends() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = it.deployed(&app, it.cron("job", "@daily")).await;
    let foreign = job_variables::ActiveModel { sealed: Set(b"sealed by another key".to_vec()), ..Default::default() };
    job_variables::Entity::update_many().set(foreign).exec(&app.app.db).await.unwrap();
    it.client.post(&format!("/job/{job}/run"), json!({})).await.expect(202);
    seconds(&app, 40).await;
    let run = it.runs(&job).await.remove(0);
    let reason = "the run could not be processed: a secret cannot be decrypted with the keys of this server";
    assert_eq!((&run["state"], &run["reason"]), (&json!("FAILED"), &json!(reason)));
    // One that is cancelled does not wait for that.
    let run = id(&it.client.post(&format!("/job/{job}/run"), json!({})).await.expect(202));
    app.tick().await;
    it.client.post(&format!("/run/{run}/cancel"), json!({})).await.expect(202);
    app.settle().await;
    assert_eq!(it.client.get(&format!("/run/{run}")).await.expect(200)["state"], "CANCELLED");
}

/// Outputs that cannot be stored do not keep a run from ending.
#[tokio::test]
async fn an_end_that_cannot_be_stored_is_stored_without_outputs() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let (job, _) = running(&app, &it).await;
    poison(&app, "INSERT ON variable", "NEW.key = 'HOST'", Rejects::Transaction).await;
    app.runner.leave(&app.runner.steps()[0], r#"{"HOST": {"value": "a"}}"#);
    app.runner.exit_all(0);
    app.settle().await;
    assert_eq!(it.runs(&job).await[0]["state"], "RUNNING", "it is tried a few times");
    seconds(&app, 10).await;
    let run = it.runs(&job).await.remove(0);
    assert_eq!((&run["state"], &run["exit_code"]), (&json!("SUCCEEDED"), &json!(0)));
    let reason = run["reason"].as_str().unwrap();
    assert!(reason.starts_with("the log and the results of the run could not be stored"), "{reason}");
    assert!(app.runner.steps().is_empty());
    app.settle().await;
    assert_eq!(it.state(&job).await, "DEPLOYED");
}

/// Outputs that the database cannot hold, or that collide with another one, are rejected by name.
#[tokio::test]
async fn outputs_that_cannot_be_stored_are_rejected_by_name() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let (job, _) = running(&app, &it).await;
    let other = format!("QOVERY_OUTPUT_JOB_Z{}_HOST", job[..8].to_uppercase());
    let collide = json!({"HOST": {"value": "a"}, &other: {"value": "b"}}).to_string();
    for (file, named) in [(r#"{"HOST": {"value": "a\u0000b"}}"#, "\"HOST\""), (&collide, other.as_str())] {
        app.runner.leave(&app.runner.steps()[0], file);
        app.runner.exit_all(0);
        app.settle().await;
        let run = it.runs(&job).await.remove(0);
        assert_eq!(run["state"], "SUCCEEDED");
        assert!(run["reason"].as_str().unwrap().contains(named), "{run}");
        it.client.post(&format!("/job/{job}/deploy"), json!({})).await.expect(202);
        app.settle().await;
    }
}

/// The log of a run cannot be stored: the run goes on, and its time limit and its cancellation work.
#[tokio::test]
async fn limits_and_cancellation_do_not_depend_on_the_log() {
    for how in ["limit", "cancel"] {
        let app = TestApp::new().await;
        let it = app.furnished().await;
        let mut body = it.lifecycle("job");
        body["max_duration_seconds"] = json!(60);
        let job = it.deployed(&app, body).await;
        let run = id(&it.runs(&job).await[0]);
        poison(&app, "INSERT ON log_chunk", &format!("NEW.run_id = {}", sql(&app, &run)), Rejects::Transaction).await;
        app.runner.write(&app.runner.steps()[0], &["a line"]);
        seconds(&app, 50).await;
        assert_eq!(it.runs(&job).await[0]["state"], "RUNNING", "its log is no reason to end a run");
        if how == "limit" {
            seconds(&app, 15).await;
        } else {
            it.client.post(&format!("/run/{run}/cancel"), json!({})).await.expect(202);
            seconds(&app, 3).await;
        }
        let row = it.runs(&job).await.remove(0);
        let state = if how == "limit" { "FAILED" } else { "CANCELLED" };
        assert_eq!((&row["state"], app.runner.steps().len()), (&json!(state), 0), "{row}");
        assert_eq!(app.runner.stopped().len(), 1);
    }
}

/// The log of a run is stored once that is possible again.
#[tokio::test]
async fn a_row_that_recovers_loses_nothing() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let (job, run) = running(&app, &it).await;
    poison(&app, "INSERT ON log_chunk", "1 = 1", Rejects::Transaction).await;
    app.runner.write(&app.runner.steps()[0], &["one"]);
    seconds(&app, 20).await;
    cure(&app).await;
    app.runner.write(&app.runner.steps()[0], &["two"]);
    seconds(&app, 40).await;
    app.runner.exit_all(0);
    app.settle().await;
    assert_eq!(it.runs(&job).await[0]["state"], "SUCCEEDED");
    assert_eq!(it.client.get(&format!("/run/{}/log", id(&run))).await.text, "one\ntwo\n");
}

/// Masks that cannot be decrypted do not stop a run; no line of its log is stored, because nothing can be masked in it.
#[tokio::test]
async fn masks_that_cannot_be_decrypted_stop_no_run() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let (job, run) = running(&app, &it).await;
    let foreign = run::ActiveModel { masks: Set(Some(b"sealed by another key".to_vec())), ..Default::default() };
    run::Entity::update_many().set(foreign).exec(&app.app.db).await.unwrap();
    for _ in 0..2 {
        app.runner.write(&app.runner.steps()[0], &["the password is hunter2"]);
        app.settle().await;
    }
    app.runner.exit_all(0);
    app.settle().await;
    let row = it.runs(&job).await.remove(0);
    assert_eq!((&row["state"], &row["log_truncated"]), (&json!("SUCCEEDED"), &json!(true)));
    let log = it.client.get(&format!("/run/{}/log", id(&run))).await.text;
    assert_eq!(log, "log omitted: the secrets to mask in it cannot be decrypted with the keys of this server\n");
}

/// A run that cannot be processed at all ends with its reason, and its step is removed.
#[tokio::test]
async fn a_run_that_cannot_be_processed_is_given_up() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let (job, run) = running(&app, &it).await;
    // Only its last resort, which changes single columns, is left: the others write the number of lines.
    let any = format!("OLD.id = {} AND NEW.state = 'SUCCEEDED'", sql(&app, &id(&run)));
    poison(&app, "UPDATE ON run", &any, Rejects::Transaction).await;
    app.runner.exit_all(0);
    seconds(&app, 40).await;
    let row = it.runs(&job).await.remove(0);
    assert_eq!(row["state"], "FAILED");
    assert!(row["reason"].as_str().unwrap().starts_with("the run could not be processed"), "{row}");
    assert!(row["finished_at"].is_string() && app.runner.steps().is_empty());
    app.settle().await;
    assert_eq!(it.state(&job).await, "DEPLOYMENT_ERROR");
}

/// A workspace job whose steps cannot be read fails with the reason; the next job of the workspace starts.
#[tokio::test]
async fn a_workspace_job_that_cannot_be_processed_ends() {
    let house = House::new().await;
    let workspace = house.workspace("a").await;
    let flow = json!({"tcl": tcl("flow:\n- {type: terraformPlan, step: 1}\n")});
    let (bad, next) = (house.start(&workspace, flow.clone()).await, house.start(&workspace, flow).await);
    poison(
        &house.app,
        "UPDATE ON workspace_step",
        &format!("OLD.job_id = {bad} AND NEW.status = 'queue'"),
        Rejects::Transaction,
    )
    .await;
    seconds(&house.app, 40).await;
    assert_eq!(house.status(&bad).await, ("failed".into(), vec!["notExecuted".into()]));
    let output = house.get(&format!("job/{bad}")).await["data"]["attributes"]["output"].clone();
    assert!(output.as_str().unwrap().starts_with("the job could not be processed"), "{output}");
    assert_eq!(house.status(&next).await.0, "running");
}

/// A workspace step whose end cannot be stored fails, and so does its job.
#[tokio::test]
async fn a_workspace_step_whose_end_cannot_be_stored_fails() {
    let house = House::new().await;
    let workspace = house.workspace("a").await;
    let job = house.start(&workspace, json!({"tcl": tcl("flow:\n- {type: terraformPlan, step: 1}\n")})).await;
    house.app.settle().await;
    poison(&house.app, "UPDATE ON workspace_step", "NEW.plan IS NOT NULL", Rejects::Transaction).await;
    for name in house.app.runner.steps() {
        house.app.runner.leave(&name, r#"{"changes":true}"#);
    }
    house.app.runner.exit_all(0);
    seconds(&house.app, 40).await;
    assert_eq!(house.status(&job).await, ("failed".into(), vec!["failed".into()]));
    let output = house.get(&format!("job/{job}")).await["data"]["attributes"]["output"].clone();
    assert!(output.as_str().unwrap().contains("could not be stored"), "{output}");
}

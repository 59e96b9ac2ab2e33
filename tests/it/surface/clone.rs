//! Clones of jobs and environments.

use entity::cluster;
use entity::id::ClusterId;
use serde_json::{Value, json};
use windlass::{bootstrap, store};

use crate::harness::{Furnished, TestApp, id};

async fn variables(it: &Furnished, job: &str) -> Vec<Value> {
    let list = it.client.get(&format!("/variable?parent_id={job}&scope=JOB")).await.expect(200);
    list["results"].as_array().unwrap().iter().filter(|row| row["scope"] != "BUILT_IN").cloned().collect()
}

fn keys(rows: &[Value]) -> Vec<&str> {
    rows.iter().map(|row| row["key"].as_str().unwrap()).collect()
}

/// A job with a variable, a secret, an alias, an override, a setting, a restriction and a stage of its own.
async fn rich(it: &Furnished) -> String {
    let job = it.create(it.lifecycle("rich")).await;
    let wide = json!({"key": "WIDE", "value": "1"});
    let wide =
        id(&it.client.post(&format!("/environment/{}/environmentVariable", it.environment), wide).await.expect(201));
    let path = format!("/job/{job}/environmentVariable");
    let short = job.split('-').next().unwrap().to_uppercase();
    let plain = json!({"key": "PLAIN", "value": format!("{{{{QOVERY_JOB_Z{short}_TAG}}}}")});
    it.client.post(&path, plain).await.expect(201);
    it.client.post(&format!("{path}/{wide}/alias"), json!({"key": "ALIAS"})).await.expect(201);
    it.client.post(&format!("{path}/{wide}/override"), json!({"value": "2"})).await.expect(201);
    it.client.post(&format!("/job/{job}/secret"), json!({"key": "SECRET", "value": "hidden"})).await.expect(201);
    it.client.put(&format!("/job/{job}/advancedSettings"), json!({"build.timeout_max_sec": 7})).await.expect(201);
    let restriction = json!({"mode": "MATCH", "type": "PATH", "value": "src/"});
    it.client.post(&format!("/job/{job}/deploymentRestriction"), restriction).await.expect(201);
    let stages = it.client.get(&format!("/environment/{}/deploymentStage", it.environment)).await.expect(200);
    let stage = id(&stages["results"][0]);
    it.client.put(&format!("/deploymentStage/{stage}/service/{job}"), json!({"is_skipped": true})).await.expect(200);
    job
}

async fn stage_of(it: &Furnished, job: &str) -> String {
    let stage = it.client.get(&format!("/service/{job}/deploymentStage")).await.expect(200);
    stage["name"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_job_is_cloned_beside_itself() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = rich(&it).await;
    it.client.post(&format!("/job/{job}/deploy"), json!({})).await.expect(202);
    app.settle().await;
    let body = json!({"name": "copy", "environment_id": it.environment});
    let copy = it.client.post(&format!("/job/{job}/clone"), body.clone()).await.expect(202);
    assert_eq!((&copy["name"], &copy["job_type"]), (&json!("copy"), &json!("LIFECYCLE")));
    let copy = id(&copy);
    assert_eq!(it.state(&copy).await, "READY");
    assert_eq!(keys(&variables(&it, &copy).await), ["ALIAS", "PLAIN", "SECRET", "WIDE", "WIDE"]);
    assert_eq!(stage_of(&it, &copy).await, "0.DEFAULT DATABASE");
    let settings = it.client.get(&format!("/job/{copy}/advancedSettings")).await.expect(200);
    assert_eq!(settings["build.timeout_max_sec"], 7);
    let restrictions = it.client.get(&format!("/job/{copy}/deploymentRestriction")).await.expect(200);
    assert_eq!(restrictions["results"][0]["value"], "src/");
    it.client.post(&format!("/job/{job}/clone"), body).await.expect(409);
    // The copy of the secret can be decrypted.
    app.runner.exit_all(0);
    app.settle().await;
    it.client.post(&format!("/job/{copy}/deploy?forceEvent=START"), json!({})).await.expect(202);
    app.settle().await;
    let step = app.runner.started().pop().unwrap();
    let value = |key: &str| step.environment.iter().find(|(name, _)| name == key).unwrap().1.expose().clone();
    assert_eq!((value("SECRET").as_str(), value("ALIAS").as_str(), value("WIDE").as_str()), ("hidden", "2", "2"));
    assert_eq!(value("PLAIN"), "1.36.1", "names of built-in variables follow the copy");
}

#[tokio::test]
async fn into_another_environment_aliases_and_stage_stay_behind() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = rich(&it).await;
    let other = json!({"name": "other"});
    let other = id(&it.client.post(&format!("/project/{}/environment", it.project), other).await.expect(201));
    let body = json!({"name": "rich", "environment_id": other});
    let copy = id(&it.client.post(&format!("/job/{job}/clone"), body).await.expect(202));
    let rows = variables(&it, &copy).await;
    assert_eq!(keys(&rows), ["PLAIN", "SECRET", "WIDE"]);
    assert_eq!(rows[2]["variable_type"], "VALUE", "what it was an override of is not there");
    assert_eq!(stage_of(&it, &copy).await, "1.DEFAULT JOB");
}

#[tokio::test]
async fn an_environment_is_cloned_with_everything() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = rich(&it).await;
    app.clock.forward(1);
    it.create(it.cron("second", "@daily")).await;
    let stages = format!("/environment/{}/deploymentStage", it.environment);
    it.client.post(&stages, json!({"name": "extra"})).await.expect(200);
    let rule = format!("/environment/{0}/deploymentRule/{0}", it.environment);
    let body = json!({"timezone": "Europe/Paris", "start_time": "1970-01-01T08:00:00Z",
        "stop_time": "1970-01-01T19:00:00Z", "weekdays": ["MONDAY"]});
    it.client.put(&rule, body).await.expect(200);
    let path = format!("/environment/{}/clone", it.environment);
    let body = json!({"name": "copy", "mode": "PREVIEW", "apply_deployment_rule": true});
    let copy = it.client.post(&path, body.clone()).await.expect(202);
    assert_eq!((&copy["mode"], &copy["project"]["id"]), (&json!("PREVIEW"), &json!(it.project)));
    it.client.post(&path, body).await.expect(409);
    let copy = id(&copy);
    let jobs = it.client.get(&format!("/environment/{copy}/job")).await.expect(200);
    let jobs = jobs["results"].as_array().unwrap();
    assert_eq!(keys_of(jobs), ["rich", "second"]);
    let rich_copy = id(&jobs[0]);
    let rows = variables(&it, &rich_copy).await;
    assert_eq!(keys(&rows), ["ALIAS", "PLAIN", "SECRET", "WIDE", "WIDE"]);
    let wide = rows.iter().find(|row| row["key"] == "WIDE" && row["scope"] == "ENVIRONMENT").unwrap();
    let over = rows.iter().find(|row| row["key"] == "WIDE" && row["scope"] == "JOB").unwrap();
    assert_eq!(over["overridden_variable"]["id"], wide["id"], "references lead to the copies");
    let short = rich_copy.split('-').next().unwrap().to_uppercase();
    let plain = rows.iter().find(|row| row["key"] == "PLAIN").unwrap();
    assert_eq!(plain["value"], format!("{{{{QOVERY_JOB_Z{short}_TAG}}}}"));
    let list = it.client.get(&format!("/environment/{copy}/deploymentStage")).await.expect(200);
    assert_eq!(list["results"].as_array().unwrap().len(), 5);
    assert_eq!(list["results"][0]["services"][0]["is_skipped"], true);
    let rule = it.client.get(&format!("/environment/{copy}/deploymentRule")).await.expect(200);
    assert_eq!(rule["timezone"], "Europe/Paris");
    assert_eq!(it.client.get(&format!("/environment/{copy}/status")).await.expect(200)["state"], "READY");
    // In another project it keeps its own variables, but not those of the old project.
    let project = json!({"name": "elsewhere"});
    let project = it.client.post(&format!("/organization/{}/project", it.organization), project).await.expect(200);
    let far = it.client.post(&path, json!({"name": "copy", "project_id": project["id"]})).await.expect(202);
    let far = it.client.get(&format!("/environment/{}/environmentVariable", id(&far))).await.expect(200);
    assert!(far["results"].as_array().unwrap().iter().any(|row| row["key"] == "WIDE"));
    it.client.delete(&format!("/job/{job}")).await.expect(204);
    it.client.get(&format!("/job/{rich_copy}")).await.expect(200);
}

fn keys_of(jobs: &[Value]) -> Vec<&str> {
    jobs.iter().map(|job| job["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_clone_obeys_the_limits_of_its_cluster() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let clusters = it.client.get(&format!("/organization/{}/cluster", it.organization)).await.expect(200);
    let local = id(&clusters["results"][0]);
    let far = cluster::Model {
        id: ClusterId::create(),
        name: "far".into(),
        kind: cluster::ClusterKind::Agent,
        is_default: false,
        maximum_cpu_milli: 2_000_000,
        ..bootstrap::local_cluster(it.organization, app.clock.now())
    };
    let far = store::cluster::create(&app.app.db, far).await.unwrap().id;
    let path = format!("/project/{}/environment", it.project);
    let source = id(&it.client.post(&path, json!({"name": "on far", "cluster": far})).await.expect(201));
    let mut big = it.cron("big", "@daily");
    big["cpu"] = json!(1_000_000);
    let mut bare = it.cron("bare", "@daily");
    bare.as_object_mut().unwrap().remove("source");
    for job in [big, bare, it.cron("small", "@daily")] {
        it.client.post(&format!("/environment/{source}/job"), job).await.expect(201);
    }
    let clone = format!("/environment/{source}/clone");
    let detail = it.client.post(&clone, json!({"name": "copy", "cluster_id": local})).await.detail(400);
    for part in ["jobs.big.cpu: must be between 10 and ", "jobs.bare.source: is missing"] {
        assert!(detail.contains(part), "{part}: {detail}");
    }
    assert!(!detail.contains("small"), "{detail}");
    let all = it.client.get(&path).await.expect(200);
    assert!(all["results"].as_array().unwrap().iter().all(|row| row["name"] != "copy"), "nothing is stored: {all}");
    it.client.post(&clone, json!({"name": "copy", "cluster_id": far})).await.expect(202);
}

/// The copies have outputs of their own, and what refers to those of a job refers to those of its copy.
#[tokio::test]
async fn aliases_and_overrides_of_outputs_lead_to_the_outputs_of_the_copies() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let database = it.create(it.lifecycle("database")).await;
    app.clock.forward(1);
    let shop = it.create(it.lifecycle("shop")).await;
    let leave = async |path: &str, host: &str| {
        it.client.post(&format!("{path}/deploy"), json!({})).await.expect(202);
        app.settle().await;
        let file = json!({"HOST": {"value": host}, "PORT": {"value": "1"}}).to_string();
        for name in app.runner.steps() {
            app.runner.leave(&name, &file);
        }
        app.runner.exit_all(0);
        app.settle().await;
    };
    leave(&format!("/job/{database}"), "original").await;
    let key = |job: &str, name: &str| format!("QOVERY_OUTPUT_JOB_Z{}_{name}", job[..8].to_uppercase());
    let rows = variables_of_all(&it, &shop).await;
    let row = |key: &str| id(rows.iter().find(|row| row["key"] == key).unwrap());
    let path = format!("/job/{shop}/environmentVariable");
    let (host, port) = (row(&key(&database, "HOST")), row(&key(&database, "PORT")));
    it.client.post(&format!("{path}/{host}/alias"), json!({"key": "DATABASE_HOST"})).await.expect(201);
    it.client.post(&format!("{path}/{}/alias", row("HOST")), json!({"key": "SHORT_HOST"})).await.expect(201);
    it.client.post(&format!("{path}/{port}/override"), json!({"value": "2"})).await.expect(201);
    let clone = json!({"name": "copy"});
    let copy = it.client.post(&format!("/environment/{}/clone", it.environment), clone).await.expect(202);
    let jobs = it.client.get(&format!("/environment/{}/job", id(&copy))).await.expect(200);
    let of = |name: &str| id(jobs["results"].as_array().unwrap().iter().find(|job| job["name"] == name).unwrap());
    let (database_copy, shop_copy) = (of("database"), of("shop"));
    let rows = variables_of_all(&it, &shop_copy).await;
    let aliased = |key: &str| rows.iter().find(|row| row["key"] == key).unwrap()["value"].clone();
    assert_eq!(aliased("DATABASE_HOST"), key(&database_copy, "HOST"));
    assert_eq!(aliased("SHORT_HOST"), key(&database_copy, "HOST"));
    leave(&format!("/job/{database_copy}"), "copied").await;
    it.client.post(&format!("/job/{shop_copy}/deploy"), json!({})).await.expect(202);
    app.settle().await;
    let step = app.runner.started().pop().unwrap();
    let value = |key: &str| step.environment.iter().find(|(name, _)| name == key).map(|(_, v)| v.expose().clone());
    for (name, expected) in [("DATABASE_HOST", "copied"), ("SHORT_HOST", "copied"), ("PORT", "2")] {
        assert_eq!(value(name).as_deref(), Some(expected), "{name}");
    }
    assert_eq!(value(&key(&database, "PORT")), None, "nothing has the name of a job of the original");
}

async fn variables_of_all(it: &Furnished, job: &str) -> Vec<Value> {
    let list = it.client.get(&format!("/variable?parent_id={job}&scope=JOB")).await.expect(200);
    list["results"].as_array().unwrap().clone()
}

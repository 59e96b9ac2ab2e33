//! Environments as files declare them.

use entity::member::Role;
use serde_json::{Value, json};

use super::export::rich;
use crate::harness::{Furnished, TestApp};

pub(super) fn path(it: &Furnished) -> String {
    format!("/organization/{}/declaration", it.organization)
}

pub(super) async fn apply(it: &Furnished, declaration: &Value) -> Value {
    it.client.post(&path(it), declaration.clone()).await.expect(200)
}

pub(super) async fn preview(it: &Furnished, declaration: &Value) -> Value {
    it.client.post(&format!("{}?dryRun=true", path(it)), declaration.clone()).await.expect(200)
}

/// The changes as lines: action, kind, job and name, and the fields that differ.
pub(super) fn lines(result: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let line = |change: &Value| {
        let owner = change["job"].as_str().map(|job| format!("{job}/")).unwrap_or_default();
        let fields = change["fields"].as_array().unwrap().iter();
        let fields =
            fields.map(|row| format!("{}: {} -> {}", text(&row["field"]), text(&row["before"]), text(&row["after"])));
        let fields: Vec<String> = fields.collect();
        format!(
            "{} {} {owner}{} [{}]",
            text(&change["action"]),
            text(&change["kind"]),
            text(&change["name"]),
            fields.join("; ")
        )
    };
    result["changes"].as_array().unwrap().iter().map(line).collect()
}

fn shop() -> Value {
    json!({
        "project": "store", "environment": "production", "mode": "PRODUCTION",
        "variables": {"LOG_LEVEL": {"value": "info"}}, "secrets": {"KEY": {"value": "hidden"}},
        "jobs": {
            "backup": {
                "schedule": "30 2 * * *", "timezone": "Europe/Paris", "image": "acme/backup:1.4", "command": ["--all"],
                "variables": {"LEVEL": {"alias": "LOG_LEVEL"}, "CONFIG": {"value": "a = 1\n", "path": "/etc/backup.toml"}},
            },
            "migrate": {"on_start": {"command": ["up"]}, "image": "acme/shop:7"},
        },
    })
}

#[tokio::test]
async fn an_environment_is_made_and_changed_as_it_is_declared() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let mut shop = shop();
    let before = app.changes();
    let planned = preview(&it, &shop).await;
    assert_eq!((planned["applied"].clone(), planned.get("environment_id")), (json!(false), None));
    assert_eq!(app.changes(), before, "a preview stores nothing");
    let applied = apply(&it, &shop).await;
    assert_eq!(lines(&planned), lines(&applied));
    assert_eq!(
        lines(&applied),
        [
            "CREATE PROJECT store []",
            "CREATE ENVIRONMENT production [mode: - -> PRODUCTION]",
            "CREATE JOB backup [command: - -> [\"--all\"]; image: - -> acme/backup:1.4; name: - -> backup; schedule: - -> 30 2 * * *; stage: - -> 1.DEFAULT JOB; timezone: - -> Europe/Paris]",
            "CREATE JOB migrate [image: - -> acme/shop:7; name: - -> migrate; on_start.command: - -> [\"up\"]; stage: - -> 1.DEFAULT JOB]",
            "CREATE VARIABLE LOG_LEVEL [value: - -> info]",
            "CREATE SECRET KEY [value: - -> (secret)]",
            "CREATE VARIABLE backup/CONFIG [path: - -> /etc/backup.toml; value: - -> a = 1\n]",
            "CREATE VARIABLE backup/LEVEL [alias: - -> LOG_LEVEL]",
        ]
    );
    assert!(lines(&apply(&it, &shop).await).is_empty(), "the same again changes nothing");

    shop["jobs"]["backup"]["schedule"] = json!("0 4 * * *");
    shop["jobs"]["backup"]["stage"] = json!("nightly");
    shop["stages"] = json!([{"name": "1.DEFAULT JOB"}, {"name": "nightly", "description": "After the shops close"}]);
    shop["secrets"]["KEY"]["value"] = json!("hidden-too");
    shop["jobs"]["backup"]["variables"]["LEVEL"] = json!({"value": "debug"});
    shop["jobs"]["backup"]["variables"].as_object_mut().unwrap().remove("CONFIG");
    let planned = lines(&preview(&it, &shop).await);
    assert_eq!(planned, lines(&apply(&it, &shop).await));
    assert_eq!(
        planned,
        [
            "UPDATE STAGE 1.DEFAULT JOB [position: 1 -> 0]",
            "CREATE STAGE nightly [description: - -> After the shops close; name: - -> nightly; position: - -> 1]",
            "DELETE STAGE 0.DEFAULT DATABASE []",
            "DELETE STAGE 2.DEFAULT CONTAINER []",
            "DELETE STAGE 3.DEFAULT APPLICATION []",
            "UPDATE JOB backup [schedule: 30 2 * * * -> 0 4 * * *; stage: 1.DEFAULT JOB -> nightly]",
            "UPDATE SECRET KEY [value: (secret) -> (another secret)]",
            "UPDATE VARIABLE backup/LEVEL [alias: LOG_LEVEL -> -; value: - -> debug]",
            "DELETE VARIABLE backup/CONFIG []",
        ]
    );
    assert!(lines(&apply(&it, &shop).await).is_empty());
    // What is not mentioned stays; what is left out of a job has its default again.
    shop.as_object_mut().unwrap().remove("secrets");
    shop["jobs"] = json!({"backup": {"schedule": "0 4 * * *", "image": "acme/backup:1.4", "stage": "nightly"}});
    let changed = lines(&apply(&it, &shop).await);
    assert_eq!(changed, ["UPDATE JOB backup [command: [\"--all\"] -> -; timezone: Europe/Paris -> -]"]);
    // An empty list says that there are none; of the other kind it says nothing.
    shop["variables"] = json!({});
    assert_eq!(lines(&apply(&it, &shop).await), ["DELETE VARIABLE LOG_LEVEL []"]);
    shop.as_object_mut().unwrap().remove("variables");
    shop["secrets"] = json!({});
    shop["jobs"]["backup"]["secrets"] = json!({});
    assert_eq!(lines(&apply(&it, &shop).await), ["DELETE SECRET KEY []"]);
}

#[tokio::test]
async fn everything_of_an_environment_is_exported_and_applied_again() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    rich(&it).await;
    let mut declared = it.client.get(&format!("/environment/{}/declaration", it.environment)).await.expect(200);
    assert!(!declared.to_string().contains("hidden-"), "{declared}");
    assert_eq!(declared["jobs"].as_object().unwrap().len(), 3, "{declared}");
    assert_eq!(declared["secrets"]["HIDDEN"], json!({}));
    assert!(lines(&apply(&it, &declared).await).is_empty(), "applied to itself, it changes nothing");

    declared["environment"] = json!("copy");
    let refused = it.client.post(&path(&it), declared.clone()).await.detail(400);
    assert!(refused.contains("secrets.HIDDEN: has no value, and none is stored"), "{refused}");
    declared["secrets"]["HIDDEN"]["value"] = json!("hidden");
    declared["jobs"]["Nightly \"import\""]["secrets"]["TOKEN"]["value"] = json!("hidden");
    let made = apply(&it, &declared).await;
    let copy = format!("/environment/{}/declaration", made["environment_id"].as_str().unwrap());
    let copy = it.client.get(&copy).await.expect(200);
    declared["secrets"]["HIDDEN"].as_object_mut().unwrap().remove("value");
    declared["jobs"]["Nightly \"import\""]["secrets"]["TOKEN"].as_object_mut().unwrap().remove("value");
    assert_eq!(copy, declared, "the copy is declared in the same words");
}

#[tokio::test]
async fn only_what_has_the_label_is_pruned() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let group =
        json!({"name": "shop", "labels": [{"key": "team", "value": "shop", "propagate_to_cloud_provider": false}]});
    it.client.post(&format!("/organization/{}/labelsGroups", it.organization), group).await.expect(201);
    let job = |labels: &[&str]| json!({"schedule": "@daily", "image": "a/b:1", "labels": labels});
    let all = json!({"project": "store", "environment": "production", "jobs": {"one": job(&["shop"]), "two": job(&["shop"]), "three": job(&[])}});
    apply(&it, &all).await;
    let one = json!({"project": "store", "environment": "production", "jobs": {"one": job(&["shop"])}});
    assert!(lines(&apply(&it, &one).await).is_empty(), "without the label, nothing is deleted");
    let pruned = it.client.post(&format!("{}?prune=team=shop", path(&it)), one.clone()).await.expect(200);
    assert_eq!(lines(&pruned), ["DELETE JOB two []"]);
    assert!(lines(&apply(&it, &all).await).contains(&"CREATE JOB two [image: - -> a/b:1; labels: - -> [\"shop\"]; name: - -> two; schedule: - -> @daily; stage: - -> 1.DEFAULT JOB]".to_owned()));
    let wrong = it.client.post(&format!("{}?prune=team", path(&it)), one).await.detail(400);
    assert!(wrong.contains("prune: must be a label, written as KEY=VALUE"), "{wrong}");
}

#[tokio::test]
async fn all_faults_of_a_declaration_are_named_and_nothing_is_stored() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = |job: Value| json!({"project": "store", "environment": "production", "jobs": {"a": job}});
    let image = "a/b:1";
    for (declaration, fault) in [
        (job(json!({"schedule": "61 * * * *", "image": image})), "jobs.a.schedule: "),
        (job(json!({"schedule": "@daily", "timezone": "Mars/Base", "image": image})), "jobs.a.timezone: "),
        (job(json!({"schedule": "@daily", "image": "a/b"})), "jobs.a.image: the tag (NAME:TAG): is missing"),
        (job(json!({"schedule": "@daily"})), "jobs.a.image: is missing"),
        (job(json!({"image": image})), "jobs.a: must have a schedule, or at least one of on_start"),
        (
            job(json!({"schedule": "@daily", "on_start": {}, "image": image})),
            "jobs.a.schedule: cannot be given together",
        ),
        (job(json!({"on_start": {}, "command": ["x"], "image": image})), "jobs.a.command: belongs to a schedule"),
        (job(json!({"schedule": "@daily", "image": image, "cpu": 1})), "jobs.a.cpu: must be at least 10"),
        (job(json!({"schedule": "@daily", "image": image, "retries": -1})), "jobs.a.retries: must be at least 0"),
        (
            job(json!({"schedule": "@daily", "image": image, "registry": "none"})),
            "jobs.a.registry: none is no container registry",
        ),
        (job(json!({"schedule": "@daily", "image": image, "labels": ["none"]})), "jobs.a.labels[0]: none is no group"),
        (job(json!({"schedule": "@daily", "image": image, "stage": "none"})), "jobs.a.stage: none is no stage"),
        (
            job(json!({"schedule": "@daily", "image": image, "settings": {"none": 1}})),
            "jobs.a.settings.none: is no advanced setting",
        ),
        (
            job(json!({"schedule": "@daily", "image": image, "shedule": 1})),
            "jobs.a.shedule: is not a known key; did you mean schedule?",
        ),
        (
            job(json!({"schedule": "@daily", "image": image, "variables": {"A": {}}})),
            "jobs.a.variables.A: must have a value",
        ),
        (
            job(json!({"schedule": "@daily", "image": image, "variables": {"A": {"alias": "B"}}})),
            "jobs.a.variables.A: is an alias of B, which is no variable",
        ),
        (job(json!({"git": {"url": "ftp://x"}, "schedule": "@daily"})), "jobs.a.git.url: "),
        (json!({"project": "store", "environment": "production", "cluster": "none"}), "cluster: none is no cluster"),
        (
            json!({"project": "store", "environment": "production", "stages": []}),
            "stages: must name at least one stage",
        ),
        (
            json!({"project": "store", "environment": "production", "variables": {"1": {"value": "x"}}}),
            "variables.1: must consist of",
        ),
        (json!({"project": "store"}), "environment: is required"),
    ] {
        let refused = it.client.post(&path(&it), declaration.clone()).await.detail(400);
        assert!(refused.contains(fault), "{declaration}: {refused}");
    }
    let two = json!({"schedule": "@daily", "image": image});
    let twice = json!({"project": "store", "environment": "production", "jobs": {"a": two, "A": two}});
    let refused = it.client.post(&path(&it), twice).await.detail(400);
    assert!(refused.contains("is declared twice"), "{refused}");
    let both =
        json!({"project": "store", "environment": "production", "jobs": {"a": {"cpu": 1}, "b": {"schedule": "x"}}});
    let refused = it.client.post(&path(&it), both).await.detail(400);
    assert!(refused.contains("jobs.a") && refused.contains("jobs.b.schedule"), "{refused}");
    let projects = it.client.get(&format!("/organization/{}/project", it.organization)).await.expect(200);
    assert_eq!(projects["results"].as_array().unwrap().len(), 1, "nothing is stored: {projects}");
}

/// Many jobs with one fault, such as a registry that is not there, make one short text.
#[tokio::test]
async fn a_fault_of_many_jobs_is_told_once() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = |number: u32| {
        let mut job = json!({"schedule": "@daily", "image": "a/b:1", "registry": "nowhere"});
        if number == 7 {
            job["schedule"] = json!("never");
        }
        (format!("job {number:03}"), job)
    };
    let jobs: serde_json::Map<String, Value> = (0..200).map(job).collect();
    let wanted = json!({"project": "store", "environment": "production", "jobs": jobs});
    let refused = it.client.post(&path(&it), wanted).await.detail(400);
    let named = "jobs.job 000.registry, jobs.job 001.registry, jobs.job 002.registry and 19";
    assert!(refused.starts_with(named), "{refused}");
    assert_eq!(refused.matches("nowhere is no container registry").count(), 1, "{refused}");
    assert!(refused.contains("jobs.job 007.") && refused.len() < 600, "{refused}");
}

#[tokio::test]
async fn a_job_in_a_stage_that_is_left_out_keeps_it() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let mut shop = shop();
    apply(&it, &shop).await;
    shop["jobs"] = json!({});
    shop["stages"] = json!([{"name": "only"}]);
    let refused = it.client.post(&path(&it), shop.clone()).await.detail(400);
    assert!(refused.contains("1.DEFAULT JOB is not listed, but the job"), "{refused}");
    // A type that changes would lose the history of the job.
    shop.as_object_mut().unwrap().remove("stages");
    shop["jobs"] = json!({"migrate": {"schedule": "@daily", "image": "a/b:1"}});
    let refused = it.client.post(&path(&it), shop).await.detail(400);
    assert!(refused.contains("jobs.migrate: cannot change between a schedule and events"), "{refused}");
}

#[tokio::test]
async fn whoever_may_not_change_an_environment_cannot_declare_it() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    apply(&it, &shop()).await;
    let viewer = app.token(it.organization, Role::Viewer).await;
    viewer.post(&path(&it), shop()).await.detail(403);
    viewer.post(&format!("{}?dryRun=true", path(&it)), shop()).await.detail(403);
    let mut other = shop();
    other["project"] = json!("another");
    viewer.post(&path(&it), other).await.detail(403);
}

#[tokio::test]
async fn checks_are_declared_and_apply_at_once() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let group =
        json!({"name": "shop", "labels": [{"key": "team", "value": "shop", "propagate_to_cloud_provider": false}]});
    it.client.post(&format!("/organization/{}/labelsGroups", it.organization), group).await.expect(201);
    let mut store = json!({
        "project": "store", "environment": "production",
        "checks": {
            "offsite": {"schedule": "0 4 * * *", "timezone": "Europe/Paris", "grace_seconds": 900, "labels": ["shop"]},
            "device": {"period_seconds": 3600, "description": "a sensor"},
        },
    });
    let planned = preview(&it, &store).await;
    let applied = apply(&it, &store).await;
    assert_eq!(lines(&planned), lines(&applied));
    assert_eq!(
        lines(&applied)[2..],
        [
            "CREATE CHECK device [description: - -> a sensor; name: - -> device; period_seconds: - -> 3600]",
            "CREATE CHECK offsite [grace_seconds: - -> 900; labels: - -> [\"shop\"]; name: - -> offsite; schedule: - -> 0 4 * * *; timezone: - -> Europe/Paris]",
        ]
    );
    assert!(lines(&apply(&it, &store).await).is_empty(), "the same again changes nothing");
    let environment = applied["environment_id"].as_str().unwrap().to_owned();
    let checks = async || it.client.get(&format!("/environment/{environment}/check")).await.expect(200);
    let before = checks().await;
    assert_eq!(before["results"].as_array().unwrap().len(), 2);
    let offsite = before["results"][1].clone();
    assert!(offsite["expected_for"].is_string() && offsite["ping_url"].is_string(), "{offsite}");
    let events = format!("/organization/{}/events?eventType=CREATE", it.organization);
    let events = it.client.get(&events).await.expect(200);
    assert!(events["events"].as_array().unwrap().iter().any(|event| event["target_name"] == "offsite"), "{events}");

    // A change by the API keeps the labels, and the file finds what has changed.
    let body = json!({"name": "offsite", "schedule": {"scheduled_at": "0 5 * * *"}});
    it.client.put(&format!("/check/{}", offsite["id"].as_str().unwrap()), body).await.expect(200);
    let changed = lines(&apply(&it, &store).await);
    assert_eq!(
        changed,
        [
            "UPDATE CHECK offsite [grace_seconds: - -> 900; schedule: 0 5 * * * -> 0 4 * * *; timezone: - -> Europe/Paris]"
        ]
    );
    assert_eq!(checks().await["results"][1]["ping_url"], offsite["ping_url"], "the address of its pings stays");

    let declared = it.client.get(&format!("/environment/{environment}/declaration")).await.expect(200);
    assert_eq!(declared["checks"], store["checks"]);
    assert!(lines(&apply(&it, &declared).await).is_empty(), "applied to itself, it changes nothing");
    // What is not declared stays, unless it has the label that is pruned.
    store["checks"] = json!({});
    assert!(lines(&apply(&it, &store).await).is_empty());
    let pruned = it.client.post(&format!("{}?prune=team=shop", path(&it)), store.clone()).await.expect(200);
    assert_eq!(lines(&pruned), ["DELETE CHECK offsite []"]);
    let left = checks().await;
    assert_eq!((left["results"].as_array().unwrap().len(), &left["results"][0]["name"]), (1, &json!("device")));
}

#[tokio::test]
async fn faults_of_checks_are_named() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let device = json!({"checks": {"device": {"period_seconds": 3600}}});
    let with = |more: Value| {
        let mut all = json!({"project": "store", "environment": "production"});
        all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        all
    };
    apply(&it, &with(device)).await;
    for (field, value, fault) in [
        ("checks", json!({"a": {}}), "checks.a.schedule: is required, unless there is a period_seconds"),
        ("checks", json!({"a": {"schedule": "61 * * * *"}}), "checks.a.schedule: "),
        (
            "checks",
            json!({"a": {"period_seconds": 60, "timezone": "Etc/UTC"}}),
            "checks.a.timezone: belongs to a schedule",
        ),
        ("checks", json!({"a": {"period_seconds": 60, "grace_seconds": 0}}), "checks.a.grace_seconds: must be"),
        ("checks", json!({"a": {"period_seconds": 60, "labels": ["no"]}}), "checks.a.labels[0]: no is no group"),
        ("jobs", json!({"Device": {"schedule": "@daily", "image": "a/b:1"}}), "jobs.Device: is the name of a check"),
    ] {
        let refused = it.client.post(&path(&it), with(json!({ field: value }))).await.detail(400);
        assert!(refused.contains(fault), "{fault}: {refused}");
    }
    let both =
        json!({"jobs": {"x": {"schedule": "@daily", "image": "a/b:1"}}, "checks": {"X": {"period_seconds": 60}}});
    let refused = it.client.post(&path(&it), with(both)).await.detail(400);
    assert!(refused.contains("checks.X: is the name of a job"), "{refused}");
}

#[tokio::test]
async fn variables_of_a_project_are_declared_with_its_environments() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let mut store = json!({
        "project": "store", "environment": "production",
        "project_variables": {"REGION": {"value": "eu"}}, "project_secrets": {"TOKEN": {"value": "hidden"}},
        "variables": {"PLACE": {"alias": "REGION"}},
    });
    let applied = apply(&it, &store).await;
    assert_eq!(
        lines(&applied)[2..],
        [
            "CREATE PROJECT_VARIABLE REGION [value: - -> eu]",
            "CREATE PROJECT_SECRET TOKEN [value: - -> (secret)]",
            "CREATE VARIABLE PLACE [alias: - -> REGION]",
        ]
    );
    assert!(lines(&apply(&it, &store).await).is_empty(), "the same again changes nothing");
    let environment = applied["environment_id"].as_str().unwrap();
    let declared = it.client.get(&format!("/environment/{environment}/declaration")).await.expect(200);
    assert_eq!(declared["project_variables"], store["project_variables"]);
    assert_eq!(declared["project_secrets"], json!({"TOKEN": {}}));
    let id = it.client.get(&format!("/environment/{environment}")).await.expect(200)["project"]["id"].clone();
    let stored = it.client.get(&format!("/project/{}/environmentVariable", id.as_str().unwrap())).await.expect(200);
    assert!(stored["results"].as_array().unwrap().iter().any(|row| row["key"] == "REGION"), "{stored}");

    // Another environment of the project says nothing about them, or the same.
    let mut staging = json!({"project": "store", "environment": "staging"});
    assert_eq!(lines(&apply(&it, &staging).await).len(), 1);
    staging["project_variables"] = store["project_variables"].clone();
    assert!(lines(&apply(&it, &staging).await).is_empty());
    store["project_variables"] = json!({"REGION": {"value": "us"}});
    store["project_secrets"] = json!({});
    let changed = lines(&apply(&it, &store).await);
    assert_eq!(changed, ["UPDATE PROJECT_VARIABLE REGION [value: eu -> us]", "DELETE PROJECT_SECRET TOKEN []"]);
    let wrong = json!({"project": "store", "environment": "staging", "project_variables": {"1": {"value": "x"}}});
    let refused = it.client.post(&path(&it), wrong).await.detail(400);
    assert!(refused.contains("project_variables.1: must consist of"), "{refused}");
}

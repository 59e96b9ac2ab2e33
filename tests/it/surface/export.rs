//! An environment as a configuration for the official Terraform provider.

use std::io::{Cursor, Read as _};

use serde_json::{Value, json};

use crate::harness::{Furnished, TestApp, id};

/// The files of the archive, by name.
async fn files(it: &Furnished) -> Vec<(String, String)> {
    let bytes = it.client.bytes(&format!("/environment/{}/terraformExport?exportSecrets=true", it.environment)).await;
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    let mut found = Vec::new();
    for at in 0..archive.len() {
        let mut file = archive.by_index(at).unwrap();
        let mut text = String::new();
        file.read_to_string(&mut text).unwrap();
        let name = file.name().unwrap().into_owned();
        found.push((name, text));
    }
    found
}

/// Everything that an environment can have, with texts that the language of the configuration gives a meaning.
pub(super) async fn rich(it: &Furnished) -> Vec<(String, &'static str)> {
    let client = &it.client;
    let (project, environment) = (&it.project, &it.environment);
    let post = async |path: String, body: Value| id(&client.post(&path, body).await.expect(201));
    let text = "a \"quoted\" ${path} and %{ if } $$${x}\n<<EOT\n\\";
    let wide = post(format!("/project/{project}/environmentVariable"), json!({"key": "WIDE", "value": text})).await;
    let hidden = json!({"key": "HIDDEN", "value": "hidden-value", "description": "of the project"});
    let hidden = post(format!("/project/{project}/secret"), hidden).await;
    let own = format!("/environment/{environment}/environmentVariable");
    post(format!("{own}/{wide}/override"), json!({"value": "narrower"})).await;
    post(format!("{own}/{wide}/alias"), json!({"key": "OTHER_NAME"})).await;
    post(format!("/environment/{environment}/secret/{hidden}/override"), json!({"value": "hidden-too"})).await;
    post(own, json!({"key": "FILE", "value": "[a]\n", "mount_path": "/etc/a.toml"})).await;
    let organization = it.organization;
    let token = json!({"name": "g", "type": "GITHUB", "token": "hidden-token"});
    let token = post(format!("/organization/{organization}/gitToken"), token).await;
    let group = json!({"name": "Team", "labels": [{"key": "a", "value": "b", "propagate_to_cloud_provider": false}]});
    let group = post(format!("/organization/{organization}/labelsGroups"), group).await;
    let mut cron = it.cron("Nightly \"import\"", "30 2 * * *");
    cron["schedule"]["cronjob"]["timezone"] = json!("Europe/Paris");
    cron["description"] = json!("says\nwhat");
    cron["port"] = json!(8080);
    cron["labels_groups"] = json!([{"id": group}]);
    cron["healthchecks"] = json!({"liveness_probe": {"type": {"exec": {"command": ["true"]}}}});
    let cron = it.create(cron).await;
    post(format!("/job/{cron}/secret"), json!({"key": "TOKEN", "value": "hidden-job"})).await;
    let short = cron.split('-').next().unwrap().to_uppercase();
    let tag = json!({"key": "TAG", "value": format!("{{{{QOVERY_JOB_Z{short}_TAG}}}}")});
    post(format!("/job/{cron}/environmentVariable"), tag).await;
    client.put(&format!("/job/{cron}/advancedSettings"), json!({"build.timeout_max_sec": 7})).await.expect(201);
    let mut built = it.lifecycle("built");
    let repository = json!({"url": "https://github.com/acme/jobs.git", "branch": "main", "root_path": "/", "provider": "GITHUB", "git_token_id": token});
    built["source"] = json!({"docker": {"git_repository": repository, "dockerfile_path": "Dockerfile"}});
    let built = it.create(built).await;
    let restriction = json!({"mode": "MATCH", "type": "PATH", "value": "src/"});
    post(format!("/job/{built}/deploymentRestriction"), restriction).await;
    let stages = format!("/environment/{environment}/deploymentStage");
    let stage = async |body: Value| id(&client.post(&stages, body).await.expect(200));
    let first = stage(json!({"name": "first", "description": "x"})).await;
    let last = stage(json!({"name": "last"})).await;
    let listed = client.get(&stages).await.expect(200);
    let (database, jobs) = (id(&listed["results"][0]), id(&listed["results"][1]));
    client.put(&format!("/deploymentStage/{first}/moveBefore/{jobs}"), json!({})).await.expect(200);
    client.put(&format!("/deploymentStage/{last}/service/{built}"), json!({"is_skipped": true})).await.expect(200);
    let other = it.create(it.lifecycle("other")).await;
    client.put(&format!("/deploymentStage/{database}/service/{other}"), json!({})).await.expect(200);
    vec![
        (organization.to_string(), "organization"),
        (environment.clone(), "environment"),
        (project.clone(), "project"),
        (it.registry.clone(), "registry"),
        (token.split('-').next().unwrap().to_owned() + "_", "token_"),
        (token, "token"),
        (group, "group"),
        (cron, "cron"),
        (built, "built"),
        (other, "other"),
        (short, "CRON"),
    ]
}

#[tokio::test]
async fn an_environment_is_a_terraform_configuration() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let ids = rich(&it).await;
    let local = it.client.get(&format!("/organization/{}/cluster", it.organization)).await.expect(200);
    let local = id(&local["results"][0]);
    let mut text = String::new();
    for (name, content) in files(&it).await {
        assert!(!content.contains("hidden-"), "{name} has a secret: {content}");
        text.push_str(&format!("=== {name}\n{content}"));
    }
    for (id, name) in ids.iter().map(|(id, name)| (id, *name)).chain([(&local, "cluster")]) {
        text = text.replace(id, &format!("<{name}>"));
    }
    insta::assert_snapshot!(text);
}

/// The provider skips a job only in a stage that it names.
#[tokio::test]
async fn a_job_that_is_skipped_in_the_default_stage_refers_to_it() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let stages = it.client.get(&format!("/environment/{}/deploymentStage", it.environment)).await.expect(200);
    let jobs = stages["results"].as_array().unwrap().iter().find(|stage| stage["name"] == "1.DEFAULT JOB").map(id);
    let skip = format!("/deploymentStage/{}/service", jobs.unwrap());
    let main = async || files(&it).await.into_iter().find(|(name, _)| name == "main.tf").unwrap().1;
    let skipped = it.create(it.lifecycle("a")).await;
    it.client.put(&format!("{skip}/{skipped}"), json!({"is_skipped": true})).await.expect(200);
    let alone = main().await;
    assert!(alone.contains("# - job a: skipped, which"), "{alone}");
    assert!(!alone.contains("is_skipped"), "{alone}");
    it.create(it.lifecycle("b")).await;
    let text: String = main().await.split_whitespace().collect();
    assert!(text.contains("deployment_stage_id=qovery_job.b.deployment_stage_idis_skipped=true"), "{text}");
}

#[tokio::test]
async fn the_archive_is_saved_under_the_name_of_its_environment() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let made = it.with_environment("Fancy \"Name\"\u{e9}").await;
    let (_, headers) =
        made.client.headers("GET", &format!("/environment/{}/terraformExport", made.environment), None).await;
    assert_eq!(headers["content-disposition"], "attachment; filename=\"fancy__name__.zip\"");
}

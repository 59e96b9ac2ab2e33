//! Two callers change a job at the same time: both have read it before either stores anything.

use std::time::Duration;

use entity::id::JobId;
use serde_json::{Value, json};
use tokio::sync::Notify;
use windlass::error::Error;
use windlass::store;

use crate::harness::{Answer, Furnished, TestApp};

/// How long a request has to read the job, and to wait for its turn to store it.
const READ: Duration = Duration::from_millis(200);

/// Sends two requests while somebody else holds the job. The first one is the first to store it, too.
async fn both(
    app: &TestApp,
    job: &str,
    first: impl Future<Output = Answer>,
    second: impl Future<Output = Answer>,
) -> (Answer, Answer) {
    let id = JobId(job.parse().unwrap());
    let (held, release) = (Notify::new(), Notify::new());
    let holder = store::write(&app.app.db, async |tx| {
        store::job::lock(tx, id).await?;
        held.notify_one();
        release.notified().await;
        Ok::<_, Error>(())
    });
    let requests = async {
        held.notified().await;
        let second = async {
            tokio::time::sleep(READ).await;
            second.await
        };
        let released = async {
            tokio::time::sleep(2 * READ).await;
            release.notify_one();
        };
        let (first, second, ()) = tokio::join!(first, second, released);
        (first, second)
    };
    let (stored, answers) = tokio::join!(holder, requests);
    stored.unwrap();
    answers
}

async fn shown(it: &Furnished, job: &str) -> Value {
    it.client.get(&format!("/job/{job}")).await.expect(200)
}

#[tokio::test]
async fn an_edit_and_the_settings_are_both_stored() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = it.create(it.cron("nightly", "0 3 * * *")).await;
    let (path, settings_path) = (format!("/job/{job}"), format!("/job/{job}/advancedSettings"));
    let policy = async || {
        let settings = it.client.get(&settings_path).await.expect(200);
        settings["cronjob.concurrency_policy"].as_str().unwrap().to_owned()
    };
    let edit = it.client.put(&path, json!({"description": "one"}));
    let settings = it.client.put(&settings_path, json!({"cronjob.concurrency_policy": "Forbid"}));
    let (edited, set) = both(&app, &job, edit, settings).await;
    assert_eq!((edited.status, set.status), (200, 201));
    assert_eq!((shown(&it, &job).await["description"].clone(), policy().await), (json!("one"), "Forbid".into()));

    let settings = it.client.put(&settings_path, json!({"cronjob.concurrency_policy": "Replace"}));
    let edit = it.client.put(&path, json!({"description": "two"}));
    let (set, edited) = both(&app, &job, settings, edit).await;
    assert_eq!((edited.expect(200)["description"].clone(), set.status), (json!("two"), 201));
    assert_eq!((shown(&it, &job).await["description"].clone(), policy().await), (json!("two"), "Replace".into()));
    // The audit log has what was stored.
    let events = it.client.get(&format!("/organization/{}/events?pageSize=1", it.organization)).await.expect(200);
    let change = events["events"][0]["change"].to_string();
    assert!(change.contains("Replace"), "{change}");
}

#[tokio::test]
async fn two_edits_of_different_fields_are_both_stored() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = it.create(it.cron("nightly", "0 3 * * *")).await;
    let path = format!("/job/{job}");
    let (first, second) = (it.client.put(&path, json!({"cpu": 100})), it.client.put(&path, json!({"name": "late"})));
    let (first, second) = both(&app, &job, first, second).await;
    assert_eq!((first.status, second.status), (200, 200));
    let after = shown(&it, &job).await;
    assert_eq!((&after["cpu"], &after["name"]), (&json!(100), &json!("late")));
}

#[tokio::test]
async fn a_deployed_tag_and_an_edit_are_both_stored() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = it.create(it.cron("nightly", "0 3 * * *")).await;
    let path = format!("/job/{job}");
    let edit = it.client.put(&path, json!({"schedule": {"cronjob": {"scheduled_at": "0 4 * * *"}}}));
    let deploy = format!("{path}/deploy");
    let (edited, deployed) = both(&app, &job, edit, it.client.post(&deploy, json!({"image_tag": "2"}))).await;
    assert_eq!((edited.status, deployed.status), (200, 202));
    let after = shown(&it, &job).await;
    assert_eq!(
        (&after["source"]["image"]["tag"], &after["schedule"]["cronjob"]["scheduled_at"]),
        (&json!("2"), &json!("0 4 * * *"))
    );

    let all = format!("/environment/{}/service/deploy", it.environment);
    let deploy = it.client.post(&all, json!({"jobs": [{"id": job, "image_tag": "3"}]}));
    let (deployed, edited) = both(&app, &job, deploy, it.client.put(&path, json!({"description": "one"}))).await;
    assert_eq!((deployed.status, edited.status), (202, 200));
    let after = shown(&it, &job).await;
    assert_eq!((&after["source"]["image"]["tag"], &after["description"]), (&json!("3"), &json!("one")));
}

/// What was valid when it was requested is refused if the job has become another one.
#[tokio::test]
async fn a_tag_is_checked_against_what_is_stored() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let mut request = it.cron("nightly", "0 3 * * *");
    request["auto_deploy"] = json!(true);
    let job = it.deployed(&app, request).await;
    let path = format!("/job/{job}");
    let source = |name: &str, tag: &str| json!({"source": {"image": {"image_name": name, "tag": tag, "registry_id": it.registry}}});
    // Whoever deploys a tag of an image does not mean a job that has another image by now.
    let auto_deploy = format!("/organization/{}/job/deploy", it.organization);
    let tagged = it.client.post(&auto_deploy, json!({"image_name": "library/busybox", "tag": "9"}));
    let (edited, _) = both(&app, &job, it.client.put(&path, source("library/alpine", "3")), tagged).await;
    edited.expect(200);
    let image = shown(&it, &job).await["source"]["image"].clone();
    assert_eq!((&image["image_name"], &image["tag"]), (&json!("library/alpine"), &json!("3")));

    let digest = format!("library/alpine@sha256:{}", "0".repeat(64));
    let deploy = format!("{path}/deploy");
    let deploy = it.client.post(&deploy, json!({"image_tag": "4"}));
    let (edited, deployed) = both(&app, &job, it.client.put(&path, source(&digest, "3")), deploy).await;
    edited.expect(200);
    let refused = deployed.detail(400);
    assert!(refused.starts_with("image_tag: cannot be set"), "{refused}");
    assert_eq!(shown(&it, &job).await["source"]["image"]["tag"], "3");
}

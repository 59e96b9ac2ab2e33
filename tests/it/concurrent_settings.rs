//! Settings, rules and declarations that are changed while somebody else changes them, too: what a request does not name stays as it is.

use entity::id::{EnvironmentId, VariableId, VcsId};
use entity::{variable, vcs};
use sea_orm::{ConnectionTrait as _, DatabaseTransaction, Statement};
use serde_json::{Value, json};
use windlass::engine::settings::repository_login::{SecretChange, WantedVcs, save_vcs};
use windlass::store;

use crate::concurrent_changes::overtaken;
use crate::harness::{Furnished, TestApp, id};
use crate::terrakube::House;
use crate::world::{alert_receiver, alert_rule, project_rule};

/// A change by a request, and another one, which is stored after the request has read the row.
struct Case {
    /// What is stored meanwhile.
    other: &'static str,
    path: String,
    body: Value,
    /// Which row there is when both are stored.
    both: &'static str,
}

impl Case {
    async fn run(self, app: &TestApp, it: &Furnished) {
        let Self { other, path, body, both } = self;
        let answer = overtaken(app, async |tx| execute(tx, other).await, it.client.put(&path, body)).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        assert_eq!(count(app, both).await, 1, "{both}: {}", answer.text);
        // The event tells what this request has changed, and nothing else.
        let events = format!("/organization/{}/events?pageSize=1", it.organization);
        let event = it.client.get(&events).await.expect(200)["events"][0].to_string();
        assert!(!event.contains("is old"), "{path}: {event}");
    }
}

async fn execute(tx: &DatabaseTransaction, sql: &str) {
    tx.execute_unprepared(sql).await.unwrap();
}

/// The number of rows, as in `calendar WHERE name = 'a'`.
async fn count(app: &TestApp, rows: &str) -> i64 {
    let db = &app.app.db;
    let sql = Statement::from_string(db.get_database_backend(), format!("SELECT COUNT(*) FROM {rows}"));
    db.query_one_raw(sql).await.unwrap().unwrap().try_get_by_index(0).unwrap()
}

async fn post(it: &Furnished, path: &str, body: Value) -> String {
    id(&it.client.post(path, body).await.expect(201))
}

async fn receiver(it: &Furnished) -> Case {
    let mut body = alert_receiver(it.organization);
    let made = post(it, "/alert-receivers", body.clone()).await;
    body["name"] = json!("renamed");
    body.as_object_mut().unwrap().retain(|key, _| !["organization_id", "webhook_url"].contains(&key.as_str()));
    Case {
        other: r#"UPDATE alert_receiver SET
            quiet_hours = '{"time_zone": "Etc/UTC", "spans": [{"weekdays": [0], "from_minute": 0, "to_minute": 60}]}'"#,
        path: format!("/alert-receivers/{made}"),
        body,
        both: "alert_receiver WHERE quiet_hours IS NOT NULL AND name = 'renamed'",
    }
}

async fn silence(it: &Furnished) -> Case {
    let path = format!("/organization/{}/alert-silence", it.organization);
    let mut body = json!({"ends_at": "2027-01-01T00:00:00Z", "comment": "is old", "target": {"type": "ORGANIZATION"}});
    let made = post(it, &path, body.clone()).await;
    body["comment"] = json!("moved");
    Case {
        other: "UPDATE alert_silence SET comment = 'meanwhile', begins_at = '2026-12-24 00:00:00+00:00'",
        path: format!("/alert-silence/{made}"),
        body,
        both: "alert_silence WHERE begins_at > '2026-12-23 00:00:00+00:00' AND comment = 'moved'",
    }
}

/// The address of a calendar is read while the calendar is changed.
async fn calendar(app: &TestApp, it: &Furnished) -> Case {
    let path = format!("/organization/{}/calendar", it.organization);
    let made = post(it, &path, json!({"name": "closed", "description": "is old"})).await;
    let address = "UPDATE calendar SET ics_url = 'https://calendar.example/closed.ics'";
    app.app.db.execute_unprepared(address).await.unwrap();
    Case {
        other: "UPDATE calendar SET description = 'meanwhile', ics_error = 'unreachable'",
        path: format!("{path}/{made}"),
        body: json!({"name": "closed", "description": "d", "ics_url": "https://calendar.example/closed.ics"}),
        both: "calendar WHERE ics_error = 'unreachable' AND description = 'd'",
    }
}

async fn rule_of_project(it: &Furnished) -> Case {
    let clusters = it.client.get(&format!("/organization/{}/cluster", it.organization)).await.expect(200);
    let path = format!("/project/{}/deploymentRule", it.project);
    let mut body = project_rule(&id(&clusters["results"][0]), "first");
    body["description"] = json!("is old");
    let made = post(it, &path, body.clone()).await;
    body["description"] = json!("d");
    Case {
        other: "UPDATE project_rule SET description = 'meanwhile', position = 7",
        path: format!("{path}/{made}"),
        body,
        both: "project_rule WHERE position = 7 AND description = 'd'",
    }
}

async fn group(it: &Furnished) -> Case {
    let path = format!("/organization/{}/annotationsGroups", it.organization);
    let body = |value: &str| json!({"name": "a", "annotations": [{"key": "a", "value": value}], "scopes": ["PODS"]});
    let made = post(it, &path, body("is old")).await;
    Case {
        other: r#"UPDATE metadata_group SET entries = '[{"key": "a", "value": "meanwhile", "propagate": false}]'"#,
        path: format!("{path}/{made}"),
        body: body("new"),
        both: "metadata_group WHERE name = 'a'",
    }
}

async fn restriction(it: &Furnished) -> Case {
    let path = format!("/job/{}/deploymentRestriction", it.create(it.lifecycle("events")).await);
    let body = |value: &str| json!({"mode": "MATCH", "type": "PATH", "value": value});
    let made = post(it, &path, body("is old")).await;
    Case {
        other: "UPDATE deployment_restriction SET value = 'meanwhile'",
        path: format!("{path}/{made}"),
        body: body("new"),
        both: "deployment_restriction WHERE value = 'new'",
    }
}

#[tokio::test]
async fn settings_keep_what_is_new() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let cases = [
        receiver(&it).await,
        silence(&it).await,
        calendar(&app, &it).await,
        rule_of_project(&it).await,
        group(&it).await,
        restriction(&it).await,
    ];
    for case in cases {
        case.run(&app, &it).await;
    }
}

/// A receiver is deleted while a rule gets another one.
#[tokio::test]
async fn a_rule_keeps_a_receiver_that_is_new() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let gone = post(&it, "/alert-receivers", alert_receiver(it.organization)).await;
    let stays = post(&it, "/alert-receivers", alert_receiver(it.organization)).await;
    let clusters = it.client.get(&format!("/organization/{}/cluster", it.organization)).await.expect(200);
    let target = ("ENVIRONMENT", it.environment.as_str());
    let mut rule = alert_rule(it.organization, &id(&clusters["results"][0]), target);
    rule["alert_receiver_ids"] = json!([gone]);
    let made = post(&it, "/alert-rules", rule).await;
    let both = format!("UPDATE alert_rule SET receivers = '{}'", json!([gone, stays]));
    let other = async |tx: &DatabaseTransaction| execute(tx, &both).await;
    let path = format!("/alert-receivers/{gone}");
    let answer = overtaken(&app, other, it.client.delete(&path)).await;
    assert_eq!(answer.status, 204, "{}", answer.text);
    let now = it.client.get(&format!("/alert-rules/{made}")).await.expect(200);
    assert_eq!(now["alert_receiver_ids"], json!([stays]));
}

#[tokio::test]
async fn a_connection_keeps_a_status_that_is_new() {
    let house = House::new().await;
    let attributes = json!({"name": "hub", "vcsType": "GITHUB", "connectionType": "OAUTH", "accessToken": "hidden"});
    let key = VcsId(house.create("vcs", "vcs", attributes).await.parse().unwrap());
    let db = &house.app.app.db;
    let read = store::row::by_id::<vcs::Model>(db, key).await.unwrap().unwrap();
    let wanted = WantedVcs {
        name: "renamed".into(),
        description: None,
        vcs_type: "GITHUB".into(),
        connection_type: "OAUTH".into(),
        client_id: None,
        client_secret: SecretChange::Keep,
        access_token: SecretChange::Keep,
        private_key: SecretChange::Keep,
        endpoint: None,
        api_url: None,
        redirect_url: None,
    };
    let other = async |tx: &DatabaseTransaction| {
        let row = store::row::lock::<vcs::Model>(tx, key).await.unwrap().unwrap();
        let row = vcs::Model { status: "COMPLETED".into(), access_token: Some(vec![1]), ..row };
        store::row::update(tx, row).await.unwrap();
    };
    let save = save_vcs(&house.app.app, "somebody", house.organization, Some(read), wanted);
    overtaken(&house.app, other, save).await.unwrap();
    let row = store::row::by_id::<vcs::Model>(db, key).await.unwrap().unwrap();
    assert_eq!((row.name.as_str(), row.status.as_str(), row.access_token), ("renamed", "COMPLETED", Some(vec![1])));
}

/// Two callers give an environment its first rule.
#[tokio::test]
async fn a_first_rule_can_be_set_twice_at_once() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let key = EnvironmentId(it.environment.parse().unwrap());
    let other = async |tx: &DatabaseTransaction| drop(store::environment::lock(tx, key).await.unwrap());
    let path = format!("/environment/{0}/deploymentRule/{0}", it.environment);
    let body = |timezone: &str| {
        json!({
            "timezone": timezone, "weekdays": ["SUNDAY"],
            "start_time": "1970-01-01T12:00:00Z", "stop_time": "1970-01-01T13:30:00Z",
        })
    };
    let both = async {
        let (one, two) = (it.client.put(&path, body("Etc/UTC")), it.client.put(&path, body("Europe/Paris")));
        tokio::join!(one, two)
    };
    let (one, two) = overtaken(&app, other, both).await;
    assert_eq!((one.status, two.status), (200, 200), "{} {}", one.text, two.text);
}

/// The value of a secret that is declared without one, and the description of a variable whose value is imported.
#[tokio::test]
async fn values_and_descriptions_of_variables_are_changed_independently() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let path = format!("/environment/{}/secret", it.environment);
    let made = post(&it, &path, json!({"key": "TOKEN", "value": "old"})).await;
    let key = VariableId(made.parse().unwrap());
    let other = async |tx: &DatabaseTransaction| {
        let row = store::row::lock::<variable::Model>(tx, key).await.unwrap().unwrap();
        store::row::update(tx, variable::Model { sealed: Some(vec![1]), ..row }).await.unwrap();
    };
    let declared = json!({"project": "shop", "environment": "staging", "secrets": {"TOKEN": {"description": "d"}}});
    let path = format!("/organization/{}/declaration", it.organization);
    overtaken(&app, other, it.client.post(&path, declared)).await.expect(200);
    let row = store::row::by_id::<variable::Model>(&app.app.db, key).await.unwrap().unwrap();
    assert_eq!((row.sealed, row.description.as_deref()), (Some(vec![1]), Some("d")));

    let job = it.create(it.lifecycle("events")).await;
    post(&it, &format!("/job/{job}/environmentVariable"), json!({"key": "REGION", "value": "old"})).await;
    let other = async |tx: &DatabaseTransaction| {
        execute(tx, "UPDATE variable SET description = 'meanwhile' WHERE key = 'REGION'").await;
    };
    let one = json!({"name": "REGION", "value": "new", "scope": "JOB", "is_secret": false});
    let path = format!("/job/{job}/environmentVariable/import");
    let import = it.client.post(&path, json!({"overwrite": true, "vars": [one]}));
    overtaken(&app, other, import).await.expect(201);
    assert_eq!(count(&app, "variable WHERE value = 'new' AND description = 'meanwhile'").await, 1);
}

//! What is typed into a form is kept.

use entity::member::Role;

use super::browser::{Browser, between};
use crate::harness::TestApp;

#[tokio::test]
async fn another_type_of_job_keeps_what_is_typed() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let me = Browser::new(&app, it.organization, Role::Admin).await;
    let new = format!("/console/environment/{}/jobs/new", it.environment);
    let shown = me.get(&new).await.expect(200);
    assert!(shown.contains("form=\"definition\" name=\"as\" value=\"lifecycle\""), "{shown}");
    // Enter creates the job: the first button of the form says nothing about its type.
    let (before, _) = shown.split_once("name=\"as\"").unwrap();
    assert!(before.contains("<button hidden type=\"submit\" form=\"definition\""), "{before}");
    let typed = [
        ("type", "cron"),
        ("name", "night <b>"),
        ("cpu", "250"),
        ("scheduled_at", "7 3 * * *"),
        ("schedule.cronjob.arguments", "one\ntwo"),
    ];
    let shown = me.submit(&new, &new, &[&typed[..], &[("as", "lifecycle")]].concat()).await.expect(200);
    assert!(shown.contains("value=\"night &lt;b&gt;\"") && shown.contains("value=\"250\""), "{shown}");
    assert!(shown.contains("name=\"type\" value=\"lifecycle\"") && shown.contains("When the environment is started"));
    let hidden = |name: &str| between(&shown, &format!("type=\"hidden\" name=\"{name}\" value=\""), "\"").unwrap();
    assert_eq!(hidden("scheduled_at"), "7 3 * * *");
    assert_eq!(hidden("schedule.cronjob.arguments"), "one\ntwo");
    // And back, with what was typed there.
    let back = [
        ("type", "lifecycle"),
        ("name", "night <b>"),
        ("cpu", "250"),
        ("scheduled_at", "7 3 * * *"),
        ("schedule.cronjob.arguments", "one\ntwo"),
        ("schedule.on_stop", "on"),
        ("schedule.on_stop.entrypoint", "/bin/stop"),
        ("as", "cron"),
    ];
    let shown = me.submit(&new, &new, &back).await.expect(200);
    let field = between(&shown, "id=\"scheduled-at\"", ">").unwrap();
    assert!(field.contains("value=\"7 3 * * *\""), "{field}");
    assert!(shown.contains(">\none\ntwo<") && shown.contains("value=\"/bin/stop\""), "{shown}");
}

/// The browser keeps a form that was sent too late, and its script knows what may be a secret.
#[tokio::test]
async fn a_form_that_was_sent_too_late_is_filled_in_again() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let me = Browser::new(&app, it.organization, Role::Admin).await;
    let form = format!("/console/variables/environment/{}/new", it.environment);
    let shown = me.get(&form).await.expect(200);
    let value = between(&shown, "<textarea id=\"field-value\"", ">").unwrap();
    assert!(value.contains("data-secret"), "{value}");
    let key = between(&shown, "id=\"field-key\"", ">").unwrap_or_default();
    assert!(!key.contains("data-secret"), "{key}");
    let script = me.get(between(&shown, "<script src=\"", "\"").unwrap()).await.expect(200);
    let fields = between(&script, "const isKept", ";").unwrap();
    for left_out in ["[type=password]", "[type=file]", "[type=hidden]", "[data-secret]"] {
        assert!(fields.contains(left_out), "{left_out}: {fields}");
    }
    assert!(script.contains("sessionStorage") && !script.contains("localStorage"));
    assert!(script.contains("ended=form") && script.contains("input[name=next]"), "the sign-in leads back to the form");
}

//! Addresses of other systems, which members read: http or https, and without a login.

use serde_json::{Value, json};

use crate::harness::{Furnished, TestApp, id};
use crate::world::{alert_receiver, alert_rule, webhook};

/// A path to create something at, the body, and where the address is in it.
type Place = (String, Value, &'static str);

/// Everything that has an address that is called or shown.
async fn places(it: &Furnished) -> Vec<Place> {
    let organization = |end: &str| format!("/organization/{}/{end}", it.organization);
    let clusters = it.client.get(&organization("cluster")).await.expect(200);
    let mut rule = alert_rule(it.organization, &id(&clusters["results"][0]), ("ENVIRONMENT", &it.environment));
    rule["presentation"] = json!({"runbook_url": ""});
    let mut built = it.cron("built", "@daily");
    built["source"] = json!({"docker": {"git_repository": {"url": "", "provider": "GITHUB"}, "dockerfile_path": "D"}});
    let token = json!({"name": "git", "type": "GITLAB", "token": "token", "git_api_url": ""});
    vec![
        (organization("webhook"), webhook(), "/target_url"),
        (organization("gitToken"), token, "/git_api_url"),
        (organization("calendar"), json!({"name": "holidays", "ics_url": ""}), "/ics_url"),
        ("/alert-receivers".into(), alert_receiver(it.organization), "/webhook_url"),
        ("/alert-rules".into(), rule, "/presentation/runbook_url"),
        (format!("/environment/{}/job", it.environment), built, "/source/docker/git_repository/url"),
    ]
}

#[tokio::test]
async fn addresses_are_of_the_web_and_have_no_login() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    for (path, mut body, pointer) in places(&it).await {
        for address in [
            "javascript:alert(1)",
            "ext::touch",
            "ssh://example.com/x",
            "git@example.com:x",
            "https://user:pass@example.com/x",
            "HTTPS://user:pass@example.com/x",
            "Http://user@example.com",
        ] {
            *body.pointer_mut(pointer).unwrap() = json!(address);
            let detail = it.client.post(&path, body.clone()).await.detail(400);
            assert!(
                detail.contains("must be an http:// or https:// URL without a login"),
                "{path} {address}: {detail}"
            );
            assert!(!detail.contains("pass"), "{detail}");
        }
    }
}

/// `git` and other programs know a scheme in lower case only.
#[tokio::test]
async fn the_scheme_of_an_address_is_in_lower_case() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    for (path, mut body, pointer) in places(&it).await {
        // The address of a receiver is never shown, and that of a calendar is read at once.
        if !path.contains("/webhook") && !path.contains("/job") && !path.contains("/gitToken") {
            continue;
        }
        *body.pointer_mut(pointer).unwrap() = json!("HTTPS://Example.com/X");
        let created = it.client.post(&path, body).await.expect(201);
        assert_eq!(created.pointer(pointer).unwrap(), "https://Example.com/X", "{path}");
    }
}

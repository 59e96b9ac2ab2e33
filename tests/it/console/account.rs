//! What belongs to people: their own tokens, and the organizations that they create.

use entity::member::Role;

use super::browser::{Browser, between};
use crate::harness::TestApp;

const TOKENS: &str = "/console/account/tokens";

#[tokio::test]
async fn people_create_and_revoke_their_own_tokens() {
    let app = TestApp::new().await;
    let me = Browser::first(&app).await;
    assert!(me.get(TOKENS).await.expect(200).contains("You have no tokens yet"));
    for (fields, said) in [
        ([("description", " "), ("expires_at", "")], "must not be empty"),
        ([("description", "ci"), ("expires_at", "2001-01-01")], "must be in the future"),
        ([("description", "ci"), ("expires_at", "soon")], "must be a date"),
    ] {
        let shown = me.submit(TOKENS, TOKENS, &fields).await.expect(400);
        assert!(shown.contains(said), "{said}: {shown}");
        for (_, typed) in fields {
            assert!(shown.contains(&format!("value=\"{typed}\"")), "{typed} is kept: {shown}");
        }
    }
    let shown = me.submit(TOKENS, TOKENS, &[("description", "ci <b>"), ("expires_at", "")]).await.expect(200);
    let token = between(&shown, "<pre><code>", "</code>").expect("the token is not shown").to_owned();
    let client = app.client(Some(format!("Bearer {token}")));
    client.get("/organization").await.expect(200);
    let listed = me.get(TOKENS).await.expect(200);
    assert!(listed.contains("ci &lt;b&gt;") && !listed.contains(&token), "{listed}");
    let revoke = between(&listed, "action=\"/console/account/token/", "\"").expect("no button revokes it").to_owned();
    let revoke = format!("/console/account/token/{revoke}");
    me.submit(TOKENS, &revoke, &[]).await.leads();
    assert_eq!(client.get("/organization").await.status, 401);
    assert_eq!(me.post(&revoke, &me.csrf().await, &[]).await.status, 404);
}

#[tokio::test]
async fn an_api_token_has_no_tokens_and_creates_no_organization() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let token = Browser::new(&app, it.organization, Role::Admin).await;
    for path in [TOKENS, "/console/organizations/new"] {
        let shown = token.get(path).await.expect(403);
        assert!(shown.contains("person") || shown.contains("people"), "{path}: {shown}");
    }
    let account = token.get("/console/account").await.expect(200);
    assert!(!account.contains(TOKENS) && !account.contains("New organization"), "{account}");
}

#[tokio::test]
async fn people_create_organizations() {
    let app = TestApp::new().await;
    let me = Browser::first(&app).await;
    let new = "/console/organizations/new";
    assert!(me.get("/console/account").await.expect(200).contains(new));
    let shown = me.submit(new, new, &[("name", " "), ("description", "kept")]).await.expect(400);
    assert!(shown.contains("must not be empty") && shown.contains("value=\"kept\""), "{shown}");
    let to = me.submit(new, new, &[("name", "second <b>"), ("description", "d")]).await.leads();
    assert!(to.starts_with("/console/organization/"), "{to}");
    assert!(me.get(&to).await.expect(200).contains("second &lt;b&gt;"));
    let home = me.get("/console").await.expect(200);
    assert!(home.contains("second &lt;b&gt;") && home.contains(new), "{home}");
}

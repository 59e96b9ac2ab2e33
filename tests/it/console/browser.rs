//! Somebody who is signed in, and sends the forms of pages.

use entity::id::OrganizationId;
use entity::member::Role;
use futures_util::stream::BoxStream;

use crate::harness::{Client, TestApp};

/// Somebody with a session.
pub(super) struct Browser {
    client: Client,
    cookie: String,
    /// A page that they may see.
    home: String,
}

/// What a page answers.
#[derive(Debug)]
pub(super) struct Shown {
    pub(super) status: u16,
    /// Where a redirect leads.
    pub(super) location: String,
    pub(super) text: String,
}

impl Shown {
    /// The text of a page that answers with this status.
    #[track_caller]
    pub(super) fn expect(self, status: u16) -> String {
        assert_eq!(self.status, status, "{} {}", self.location, self.text);
        self.text
    }

    /// Where a form leads that was accepted.
    #[track_caller]
    pub(super) fn leads(self) -> String {
        assert_eq!(self.status, 303, "{}", self.text);
        self.location
    }
}

fn form(fields: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

/// What is between two texts in a page.
pub(super) fn between<'a>(page: &'a str, before: &str, behind: &str) -> Option<&'a str> {
    let (_, rest) = page.split_once(before)?;
    rest.split_once(behind).map(|(found, _)| found)
}

impl Browser {
    /// Signs in with a new token of this role.
    pub(super) async fn new(app: &TestApp, organization: OrganizationId, role: Role) -> Self {
        let token = app.token(organization, role).await;
        let token = token.authorization().strip_prefix("Token ").unwrap().to_owned();
        let mut browser = Self {
            client: app.client(None),
            cookie: String::new(),
            home: format!("/console/organization/{organization}/environments"),
        };
        let (status, headers, text) =
            browser.send("POST", "/console/sign-in", Some(&form(&[("token", token.as_str())]))).await;
        assert_eq!(status, 303, "{text}");
        let cookie = headers["set-cookie"].to_str().unwrap();
        browser.cookie = cookie.split(';').next().unwrap().to_owned();
        browser
    }

    /// Signs in the person behind the first token, with the link that the first start prints.
    pub(super) async fn first(app: &TestApp) -> Self {
        windlass::bootstrap::create_first_organization(&app.app).await.unwrap();
        let link = windlass::console::sign_in_link(&app.app).await.unwrap().unwrap();
        let path = &link[link.find("/console").unwrap()..];
        let mut browser = Self { client: app.client(None), cookie: String::new(), home: "/console/account".into() };
        let (status, headers, text) = browser.send("GET", path, None).await;
        assert_eq!(status, 303, "{text}");
        browser.cookie = headers["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
        browser
    }

    async fn send(&self, method: &str, path: &str, body: Option<&str>) -> (u16, poem::http::HeaderMap, String) {
        let mut headers = vec![("cookie", self.cookie.as_str())];
        if body.is_some() {
            headers.push(("content-type", "application/x-www-form-urlencoded"));
        }
        self.client.whole(method, path, body, &headers).await
    }

    async fn shown(&self, method: &str, path: &str, body: Option<&str>) -> Shown {
        let (status, headers, text) = self.send(method, path, body).await;
        let location = headers.get("location").map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default();
        Shown { status, location, text }
    }

    /// Opens a page.
    pub(super) async fn get(&self, path: &str) -> Shown {
        self.shown("GET", path, None).await
    }

    /// The events of a page that stays open.
    pub(super) async fn events(&self, path: &str) -> BoxStream<'static, String> {
        self.client.pieces(path, &self.cookie).await
    }

    /// The token of the forms of this session.
    pub(super) async fn csrf(&self) -> String {
        let page = self.get(&self.home).await.expect(200);
        between(&page, "name=\"csrf\" value=\"", "\"").expect("no form has a token").to_owned()
    }

    /// Sends a form of a page: the token of the page, and these fields.
    pub(super) async fn submit(&self, page: &str, to: &str, fields: &[(&str, &str)]) -> Shown {
        let text = self.get(page).await.text;
        let token = between(&text, "name=\"csrf\" value=\"", "\"").expect("the page has no form").to_owned();
        assert!(text.contains(&format!("action=\"{to}\"")) || page == to, "{page} has no form for {to}: {text}");
        self.post(to, &token, fields).await
    }

    /// Sends a form, whether a page has it or not.
    pub(super) async fn post(&self, to: &str, token: &str, fields: &[(&str, &str)]) -> Shown {
        let mut all = vec![("csrf", token)];
        all.extend(fields);
        self.shown("POST", to, Some(&form(&all))).await
    }
}

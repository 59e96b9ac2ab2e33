//! Calls of the API, and what their errors mean for a person.

use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde::Deserialize;
use serde_json::Value;

use crate::failure::{Failure, Result};

/// How long an answer may take to begin. A log that is followed may take any time after that.
const WAIT: Duration = Duration::from_secs(30);

/// How long an upload may take.
const UPLOAD: Duration = Duration::from_secs(3600);

const JSON: &str = "application/json";
const JSON_API: &str = "application/vnd.api+json";
const ATOMIC: &str = "application/vnd.api+json;ext=\"https://jsonapi.org/ext/atomic\"";

/// Gets another token for one that the server does not accept any more.
pub(crate) trait Renew {
    fn renewed<'a>(&'a self, refused: &'a str) -> Pin<Box<dyn Future<Output = Result<String>> + 'a>>;
}

/// A server, as whoever has the token.
pub(crate) struct Api {
    base: String,
    token: Mutex<String>,
    http: reqwest::Client,
    renewal: Option<Box<dyn Renew>>,
}

/// What the server answers when it refuses: the text is in one of these, or in both.
#[derive(Deserialize)]
struct Refusal {
    message: Option<String>,
    detail: Option<String>,
}

impl Refusal {
    fn text(self) -> Option<String> {
        self.message.or(self.detail)
    }
}

/// The same in the JSON:API.
#[derive(Deserialize)]
struct Refusals {
    errors: Vec<Refusal>,
}

/// The address of a server, to which paths are added.
pub(crate) fn base(url: &str) -> Result<String> {
    let base = url.trim_end_matches('/');
    let begins_with = |start: &str| base.get(..start.len()).is_some_and(|own| own.eq_ignore_ascii_case(start));
    if !begins_with("http://") && !begins_with("https://") {
        return Err(Failure::Usage(format!("--url must begin with http:// or https://, not {url}")));
    }
    Ok(base.to_owned())
}

/// Whether two addresses are those of the same server, however they are written.
pub(crate) fn is_same_server(one: &str, other: &str) -> bool {
    let parsed = |url: &str| reqwest::Url::parse(url.trim_end_matches('/')).ok();
    one == other || parsed(one).is_some_and(|one| parsed(other) == Some(one))
}

/// Whether a server is on this machine, and without TLS.
fn is_plain_loopback(base: &str) -> bool {
    let host = reqwest::Url::parse(base).ok().filter(|url| url.scheme() == "http");
    host.is_some_and(|url| matches!(url.host_str(), Some("127.0.0.1" | "[::1]" | "localhost")))
}

impl Api {
    pub(crate) fn new(url: &str, token: String) -> Result<Self> {
        let base = base(url)?;
        let mut builder = reqwest::Client::builder().connect_timeout(WAIT);
        if is_plain_loopback(&base) {
            // Such a server needs none of the certificates of this machine, and to read them all takes longer than to ask it.
            builder = builder.tls_certs_only([]);
        }
        let http = builder.build();
        let http = http.map_err(|error| Failure::Refused(error.to_string()))?;
        Ok(Self { base, token: Mutex::new(token), http, renewal: None })
    }

    /// The same, whose token can be renewed.
    pub(crate) fn renewed_by(self, renewal: impl Renew + 'static) -> Self {
        Self { renewal: Some(Box::new(renewal)), ..self }
    }

    fn token(&self) -> MutexGuard<'_, String> {
        self.token.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) async fn get(&self, path: &str, query: &[(&str, String)]) -> Result<Value> {
        read(self.call(Method::GET, path, query, None).await?).await
    }

    /// Sends a change; an answer without a body is null.
    pub(crate) async fn send(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value> {
        read(self.call(method, path, &[], body).await?).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Result<Value> {
        self.send(Method::POST, path, Some(body)).await
    }

    /// Sends a change that takes parameters.
    pub(crate) async fn post_with(&self, path: &str, query: &[(&str, String)], body: &Value) -> Result<Value> {
        read(self.call(Method::POST, path, query, Some(body)).await?).await
    }

    /// Sends a change to the JSON:API.
    pub(crate) async fn json_api(&self, method: Method, path: &str, body: &Value) -> Result<Value> {
        read(self.call_as(JSON_API, method, path, &[], Some(body)).await?).await
    }

    /// Sends several changes to the JSON:API, which are made in one transaction.
    pub(crate) async fn atomic(&self, operations: &[Value]) -> Result<Value> {
        let body = serde_json::json!({ "atomic:operations": operations });
        read(self.call_as(ATOMIC, Method::POST, "/api/v1/operations", &[], Some(&body)).await?).await
    }

    /// An answer that arrives in pieces.
    pub(crate) async fn stream(&self, path: &str, query: &[(&str, String)]) -> Result<Response> {
        self.call(Method::GET, path, query, None).await
    }

    /// Sends a JSON file, which may take a while.
    pub(crate) async fn upload_json(&self, path: &str, query: &[(&str, String)], content: Vec<u8>) -> Result<Value> {
        self.upload(self.http.post(format!("{}{path}", self.base)).query(query), JSON, content).await
    }

    /// Sends the bytes of a file.
    pub(crate) async fn upload_bytes(&self, path: &str, query: &[(&str, String)], content: Vec<u8>) -> Result<Value> {
        let request = self.http.put(format!("{}{path}", self.base)).query(query);
        self.upload(request, "application/octet-stream", content).await
    }

    async fn upload(&self, request: RequestBuilder, content_type: &str, content: Vec<u8>) -> Result<Value> {
        let request = request.header("content-type", content_type).header("accept", JSON).body(content);
        read(self.answered(request, UPLOAD).await?).await
    }

    async fn call(
        &self,
        method: Method,
        path: &str,
        query: &[(&str, String)],
        body: Option<&Value>,
    ) -> Result<Response> {
        self.call_as(JSON, method, path, query, body).await
    }

    async fn call_as(
        &self,
        content_type: &str,
        method: Method,
        path: &str,
        query: &[(&str, String)],
        body: Option<&Value>,
    ) -> Result<Response> {
        let mut request = self.http.request(method, format!("{}{path}", self.base)).query(query);
        if let Some(body) = body {
            request =
                request.header("content-type", content_type).header("accept", content_type).body(body.to_string());
        }
        self.answered(request, WAIT).await
    }

    /// The answer to a request, unless it is a refusal. Nothing has been done for a request whose token was not accepted, so that it can be
    /// sent again with another one.
    async fn answered(&self, request: RequestBuilder, patience: Duration) -> Result<Response> {
        let again = request.try_clone();
        let token = self.token().clone();
        let mut answer = self.sent(request, &token, patience).await?;
        if answer.status() == StatusCode::UNAUTHORIZED
            && let (Some(renewal), Some(again)) = (&self.renewal, again)
        {
            let token = renewal.renewed(&token).await?;
            *self.token() = token.clone();
            answer = self.sent(again, &token, patience).await?;
        }
        if answer.status().is_success() {
            return Ok(answer);
        }
        let status = answer.status();
        let text = answer.text().await.unwrap_or_default();
        Err(refused(status, &said(text)))
    }

    /// The answer to a request with a token.
    async fn sent(&self, request: RequestBuilder, token: &str, patience: Duration) -> Result<Response> {
        let request = request.header("authorization", format!("Token {token}"));
        let answer = tokio::time::timeout(patience, request.send()).await;
        let answer = answer
            .map_err(|_| Failure::Refused(format!("{} did not answer within {} s", self.base, patience.as_secs())))?;
        answer.map_err(|error| Failure::Refused(unreachable(&self.base, &error)))
    }
}

/// The message in an answer that refuses, or all of it if it is of another kind.
fn said(text: String) -> String {
    if let Ok(Refusals { errors }) = serde_json::from_str(&text) {
        return errors.into_iter().filter_map(Refusal::text).collect::<Vec<_>>().join("; ");
    }
    // Of several changes, those before the one that was refused have no errors.
    if let Ok(all) = serde_json::from_str::<Vec<Refusals>>(&text) {
        let errors = all.into_iter().flat_map(|refusals| refusals.errors);
        return errors.filter_map(Refusal::text).collect::<Vec<_>>().join("; ");
    }
    serde_json::from_str::<Refusal>(&text).ok().and_then(Refusal::text).unwrap_or(text)
}

fn refused(status: StatusCode, message: &str) -> Failure {
    let said = if message.trim().is_empty() { format!("the server answered {status}") } else { message.to_owned() };
    match status {
        StatusCode::UNAUTHORIZED => Failure::NotSignedIn(format!(
            "the server does not accept the token: {said}. Set WINDLASS_TOKEN, or run `windlass login`"
        )),
        StatusCode::NOT_FOUND => Failure::NotFound(said),
        StatusCode::CONFLICT => Failure::Conflict(said),
        _ => Failure::Refused(said),
    }
}

/// The innermost cause of an error, which names the system's error.
pub(crate) fn innermost(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

/// Why a server was not reached.
fn unreachable(base: &str, error: &reqwest::Error) -> String {
    let cause = innermost(error);
    format!("{base} cannot be reached: {cause}. Is the server running? Set WINDLASS_URL, --url or a context")
}

async fn read(answer: Response) -> Result<Value> {
    let text = answer.text().await.map_err(|error| Failure::Refused(format!("the answer broke off: {error}")))?;
    if text.is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_str(&text).map_err(|error| Failure::Refused(format!("the answer is no JSON: {error}")))
}

/// The parts of an answer that a command shows.
pub(crate) fn shown<T: serde::de::DeserializeOwned>(value: &Value) -> Result<T> {
    T::deserialize(value).map_err(|error| Failure::Refused(format!("the answer has an unknown form: {error}")))
}

#[cfg(test)]
mod tests {
    use super::{base, is_plain_loopback, is_same_server, said};

    #[test]
    fn servers_are_compared_by_what_their_addresses_mean() {
        for other in
            ["https://Windlass.example.com/", "HTTPS://windlass.example.com", "https://windlass.example.com:443"]
        {
            assert!(is_same_server("https://windlass.example.com", other) && base(other).is_ok(), "{other}");
        }
        assert!(is_same_server("https://example.com/windlass/", "https://example.com/windlass"));
        for other in [
            "http://windlass.example.com",
            "https://windlass.example.com:8443",
            "https://windlass.example.com.evil.example",
            "https://windlass.example.com@evil.example",
            "https://windlass.example.com/Path",
            "windlass.example.com",
            "",
        ] {
            assert!(!is_same_server("https://windlass.example.com", other), "{other}");
        }
        assert!(base("ftp://example.com").is_err() && base("http:/é").is_err());
    }

    #[test]
    fn only_servers_of_this_machine_need_no_certificates() {
        for (base, is_plain) in [
            ("http://127.0.0.1:8080", true),
            ("http://localhost", true),
            ("https://localhost", false),
            ("http://localhost.example.com", false),
            ("http://windlass.example.com", false),
        ] {
            assert_eq!(is_plain_loopback(base), is_plain, "{base}");
        }
    }

    #[test]
    fn the_message_is_told_and_not_the_answer() {
        let told = |text: &str| said(text.to_owned());
        assert_eq!(told(r#"{"status": 400, "detail": "a: is bad", "message": "a: is bad"}"#), "a: is bad");
        assert_eq!(told(r#"{"detail": "a"}"#), "a");
        assert_eq!(told(r#"{"errors": [{"detail": "a"}, {"detail": "b"}]}"#), "a; b");
        assert_eq!(told(r#"[{"errors": []}, {"errors": [{"detail": "b"}]}]"#), "b");
        assert_eq!(told("<html>"), "<html>");
    }
}

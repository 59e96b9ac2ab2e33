//! Calls of the API, and what their errors mean for a person.

use std::time::Duration;

use reqwest::{Method, Response, StatusCode};
use serde::Deserialize;
use serde_json::Value;

use crate::failure::{Failure, Result};

/// How long an answer may take to begin. A log that is followed may take any time after that.
const WAIT: Duration = Duration::from_secs(30);

/// A server, as whoever has the token.
pub(crate) struct Api {
    base: String,
    token: String,
    http: reqwest::Client,
}

/// What the server answers when it refuses.
#[derive(Deserialize)]
struct Refusal {
    #[serde(alias = "detail")]
    message: String,
}

impl Api {
    pub(crate) fn new(url: &str, token: String) -> Result<Self> {
        let base = url.trim_end_matches('/').to_owned();
        if !base.starts_with("http://") && !base.starts_with("https://") {
            return Err(Failure::Usage(format!("--url must begin with http:// or https://, not {url}")));
        }
        let http = reqwest::Client::builder().connect_timeout(WAIT).build();
        Ok(Self { base, token, http: http.map_err(|error| Failure::Refused(error.to_string()))? })
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

    /// An answer that arrives in pieces.
    pub(crate) async fn stream(&self, path: &str, query: &[(&str, String)]) -> Result<Response> {
        self.call(Method::GET, path, query, None).await
    }

    async fn call(
        &self,
        method: Method,
        path: &str,
        query: &[(&str, String)],
        body: Option<&Value>,
    ) -> Result<Response> {
        let mut request = self.http.request(method, format!("{}{path}", self.base)).query(query);
        request = request.header("authorization", format!("Token {}", self.token));
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = tokio::time::timeout(WAIT, request.send()).await;
        let answer = answer
            .map_err(|_| Failure::Refused(format!("{} did not answer within {} s", self.base, WAIT.as_secs())))?;
        let answer = answer.map_err(|error| Failure::Refused(unreachable(&self.base, &error)))?;
        if answer.status().is_success() {
            return Ok(answer);
        }
        let status = answer.status();
        let text = answer.text().await.unwrap_or_default();
        let message = serde_json::from_str::<Refusal>(&text).map_or(text, |refusal| refusal.message);
        Err(refused(status, &message))
    }
}

fn refused(status: StatusCode, message: &str) -> Failure {
    let said = if message.trim().is_empty() { format!("the server answered {status}") } else { message.to_owned() };
    match status {
        StatusCode::UNAUTHORIZED => Failure::NotSignedIn(format!(
            "the server does not accept the token: {said}. Set WINDLASS_TOKEN, or run `windlass login`"
        )),
        StatusCode::NOT_FOUND => Failure::NotFound(said),
        _ => Failure::Refused(said),
    }
}

/// Why a server was not reached: the innermost cause, which names the system's error.
fn unreachable(base: &str, error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
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

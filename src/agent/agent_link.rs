//! Requests to the server.

use std::path::Path;
use std::time::Duration;

use reqwest::{Certificate, StatusCode};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::config::AgentOptions;
use crate::error::{Error, Result};
use crate::runner::agent::protocol::{
    Ask, Hello, LONGEST_WAIT_SECONDS, LogLines, LogStored, Orders, PROTOCOL, Report, StepReport, Welcome, WireLine,
};
use crate::secret::Secret;

/// How long the server has to answer, besides the time that it may wait for orders.
const PATIENCE: Duration = Duration::from_secs(30);

/// Why a request was not answered.
#[derive(Debug)]
pub(super) enum CallError {
    /// The server cannot be reached, or cannot answer at the moment.
    Away(String),
    /// The token is not, or no longer, that of an agent.
    Revoked(String),
    /// Another process uses the token.
    Replaced(String),
    /// The server does not know what the request is about.
    Gone(String),
    /// The server does not accept the request.
    Refused(String),
}

impl std::fmt::Display for CallError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Away(text) | Self::Revoked(text) | Self::Replaced(text) | Self::Gone(text) | Self::Refused(text) => {
                f.write_str(text)
            }
        }
    }
}

/// The server, as one process of an agent.
pub(super) struct AgentLink {
    base: String,
    token: Secret<String>,
    client: reqwest::Client,
    session: Uuid,
}

#[derive(Deserialize)]
struct Refusal {
    message: String,
}

fn read(flag: &str, path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(|error| Error::invalid(flag, format!("{} cannot be read: {error}", path.display())))
}

impl AgentLink {
    pub(super) fn new(options: &AgentOptions) -> Result<Self> {
        let AgentOptions { url, token, token_file, ca_file } = options;
        let base = url.trim_end_matches('/').to_owned();
        if !base.starts_with("https://") && !base.starts_with("http://") {
            return Err(Error::invalid("--url", "must begin with https:// or http://"));
        }
        let token = match (token, token_file) {
            (Some(token), _) => token.clone(),
            (None, Some(path)) => {
                let text = String::from_utf8(read("--token-file", path)?);
                Secret::new(text.map_err(|_| Error::invalid("--token-file", "must be text"))?.trim().to_owned())
            }
            (None, None) => {
                return Err(Error::invalid("--token", "is required, or WINDLASS_AGENT_TOKEN, or --token-file"));
            }
        };
        let mut builder = reqwest::Client::builder().connect_timeout(PATIENCE).pool_idle_timeout(PATIENCE);
        if let Some(path) = ca_file {
            let certificates = Certificate::from_pem_bundle(&read("--ca-file", path)?);
            let invalid = |error| Error::invalid("--ca-file", format!("must be a PEM file with certificates: {error}"));
            builder = builder.tls_certs_merge(certificates.map_err(invalid)?);
        }
        let client = builder.build().map_err(Error::internal)?;
        Ok(Self { base, token, client, session: Uuid::new_v4() })
    }

    async fn call<B: Serialize, T: DeserializeOwned>(
        &self,
        path: &str,
        body: &B,
        patience: Duration,
    ) -> Result<Option<T>, CallError> {
        let request = self.client.post(format!("{}/agent/v1/{path}", self.base)).timeout(patience);
        let request = request.bearer_auth(self.token.expose()).json(body);
        let away = |error: reqwest::Error| CallError::Away(reason(&error));
        let answer = request.send().await.map_err(away)?;
        let status = answer.status();
        if status == StatusCode::NO_CONTENT {
            return Ok(None);
        }
        let text = answer.bytes().await.map_err(away)?;
        if status.is_success() {
            let read = serde_json::from_slice(&text);
            // A proxy may answer for the server.
            return read.map(Some).map_err(|error| CallError::Away(format!("the answer is not valid: {error}")));
        }
        let said = serde_json::from_slice::<Refusal>(&text).ok().map(|refusal| refusal.message);
        let by_server = said.is_some();
        let said = said.unwrap_or_else(|| format!("status {status}"));
        Err(match status {
            StatusCode::UNAUTHORIZED if by_server => CallError::Revoked(said),
            StatusCode::CONFLICT if by_server => CallError::Replaced(said),
            StatusCode::NOT_FOUND if by_server => CallError::Gone(said),
            StatusCode::BAD_REQUEST | StatusCode::PAYLOAD_TOO_LARGE if by_server => CallError::Refused(said),
            _ => CallError::Away(said),
        })
    }

    /// Introduces this process.
    pub(super) async fn connect(&self, (runner, place): (&str, &str), capacity: u32) -> Result<Welcome, CallError> {
        let hello = Hello {
            protocol: PROTOCOL,
            session: self.session,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            runner: runner.to_owned(),
            place: place.to_owned(),
            capacity,
        };
        self.call("connect", &hello, PATIENCE).await?.ok_or_else(|| CallError::Away("the answer is empty".into()))
    }

    /// Asks for orders, and waits for some.
    pub(super) async fn poll(&self, mut ask: Ask) -> Result<Orders, CallError> {
        ask.session = self.session;
        ask.wait_seconds = LONGEST_WAIT_SECONDS;
        let patience = PATIENCE + Duration::from_secs(LONGEST_WAIT_SECONDS);
        Ok(self.call("poll", &ask, patience).await?.unwrap_or_default())
    }

    /// Reports the state of a step.
    pub(super) async fn report(&self, step: StepReport) -> Result<(), CallError> {
        let report = Report { session: self.session, steps: vec![step], removed: Vec::new() };
        self.call::<_, serde::de::IgnoredAny>("report", &report, PATIENCE).await.map(|_| ())
    }

    /// Reports that steps were removed.
    pub(super) async fn removed(&self, names: Vec<String>) -> Result<(), CallError> {
        let report = Report { session: self.session, steps: Vec::new(), removed: names };
        self.call::<_, serde::de::IgnoredAny>("report", &report, PATIENCE).await.map(|_| ())
    }

    /// Sends lines of a log.
    pub(super) async fn log(&self, name: &str, first: u64, lines: Vec<WireLine>) -> Result<LogStored, CallError> {
        let lines = LogLines { session: self.session, name: name.to_owned(), first, lines };
        self.call("log", &lines, PATIENCE).await?.ok_or_else(|| CallError::Away("the answer is empty".into()))
    }
}

/// The innermost error, which says what happened.
fn reason(error: &reqwest::Error) -> String {
    let mut inner: &dyn std::error::Error = error;
    while let Some(source) = inner.source() {
        inner = source;
    }
    inner.to_string()
}

//! Addresses of other machines: the public URL, the issuer of sign-ins, and the collectors.

use std::time::Duration;

use reqwest::redirect::Policy;
use serde_json::Value;

use super::finding::Finding;
use crate::config::Config;

const PATIENCE: Duration = Duration::from_secs(6);

pub(super) async fn check(config: &Config, serves: bool) -> Vec<Finding> {
    let client = match reqwest::Client::builder().timeout(PATIENCE).redirect(Policy::none()).build() {
        Ok(client) => client,
        Err(error) => {
            return vec![Finding::wrong("HTTPS", error.to_string(), "check the certificates of this machine")];
        }
    };
    let mut found = Vec::new();
    if let Some(url) = &config.public_url {
        found.push(public_url(&client, url, serves).await);
    }
    if let Some(issuer) = &config.oidc_issuer {
        found.push(issuer_of(&client, issuer).await);
    }
    if let Some(collector) = &config.otlp_endpoint {
        found.push(collector_of(&client, collector).await);
    }
    found
}

/// Only a server that runs can be reached.
async fn public_url(client: &reqwest::Client, url: &str, serves: bool) -> Finding {
    const SUBJECT: &str = "public URL";
    let address = format!("{}/health/live", url.trim_end_matches('/'));
    let remedy = "check DNS, the proxy and its certificate, and that it forwards every path to --listen";
    match json(client, &address).await {
        Ok(body) if body.get("engine").is_some() => {
            Finding::ok(SUBJECT, format!("{url} is answered by a server of Windlass"))
        }
        _ if !serves => Finding::skipped(SUBJECT, format!("no server runs here, so {url} cannot be tried")),
        Ok(_) => Finding::wrong(SUBJECT, format!("something else answers at {url}"), remedy),
        // Proxies should not pass the health checks on.
        Err(Failure::Status(403 | 404)) => Finding::ok(SUBJECT, format!("{url} is answered, without its health check")),
        Err(failure) => Finding::wrong(SUBJECT, format!("{url} {failure}"), remedy),
    }
}

async fn issuer_of(client: &reqwest::Client, issuer: &str) -> Finding {
    const SUBJECT: &str = "OIDC issuer";
    let remedy = "check --oidc-issuer: it is the exact `issuer` of the issuer's /.well-known/openid-configuration";
    let address = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
    let discovery = match json(client, &address).await {
        Ok(discovery) => discovery,
        Err(failure) => return Finding::wrong(SUBJECT, format!("{address} {failure}"), remedy),
    };
    let text = |name: &str| discovery.get(name).and_then(Value::as_str).map(str::to_owned);
    let same = text("issuer").filter(|found| found.trim_end_matches('/') == issuer.trim_end_matches('/'));
    if same.is_none() {
        let named = text("issuer").unwrap_or_else(|| "none".into());
        return Finding::wrong(SUBJECT, format!("{issuer} calls itself {named}"), remedy);
    }
    let Some(keys) = text("jwks_uri") else {
        return Finding::wrong(SUBJECT, format!("{address} names no jwks_uri"), remedy);
    };
    match json(client, &keys).await {
        Ok(body) => match body.get("keys").and_then(Value::as_array).map_or(0, Vec::len) {
            0 => Finding::wrong(SUBJECT, format!("{keys} has no keys"), "let the issuer publish its signing keys"),
            count => Finding::ok(SUBJECT, format!("{issuer} publishes {count} signing keys")),
        },
        Err(failure) => Finding::wrong(SUBJECT, format!("{keys} {failure}"), remedy),
    }
}

/// Any answer will do: nothing is sent.
async fn collector_of(client: &reqwest::Client, address: &str) -> Finding {
    const SUBJECT: &str = "trace collector";
    match client.get(address).send().await {
        Ok(_) => Finding::ok(SUBJECT, "the collector responds"),
        Err(error) => {
            let detail = format!("the collector cannot be reached: {}", Failure::from(error));
            Finding::warning(SUBJECT, detail, "check --otlp-endpoint, or remove it; the server works without")
        }
    }
}

/// Why there is no document.
enum Failure {
    Status(u16),
    NoDocument,
    Other(String),
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Status(status) => write!(f, "answers with status {status}"),
            Self::NoDocument => f.write_str("answers with something that is not JSON"),
            Self::Other(reason) => write!(f, "cannot be reached: {reason}"),
        }
    }
}

impl From<reqwest::Error> for Failure {
    fn from(error: reqwest::Error) -> Self {
        // The address may contain a secret. The last cause says the most.
        let error = error.without_url();
        let mut cause: &dyn std::error::Error = &error;
        while let Some(next) = cause.source() {
            cause = next;
        }
        Self::Other(cause.to_string())
    }
}

async fn json(client: &reqwest::Client, address: &str) -> Result<Value, Failure> {
    let answer = client.get(address).send().await?;
    if !answer.status().is_success() {
        return Err(Failure::Status(answer.status().as_u16()));
    }
    answer.json().await.map_err(|_| Failure::NoDocument)
}

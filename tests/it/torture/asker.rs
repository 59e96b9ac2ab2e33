//! A client that repeats a request until a server answers it.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use reqwest::StatusCode;
use serde_json::Value;

use super::PATIENCE;

/// Sends a request to the servers in turn, until one answers.
pub(super) struct Asker {
    pub(super) client: reqwest::Client,
    pub(super) token: String,
    pub(super) addresses: Mutex<Vec<String>>,
}

impl Asker {
    pub(super) async fn ask(&self, method: &str, path: &str, key: Option<&str>, body: Option<Value>) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let addresses = self.addresses.lock().unwrap().clone();
            for address in addresses {
                let mut request = self.client.request(method.parse().unwrap(), format!("{address}{path}"));
                request = request.header("Authorization", format!("Token {}", self.token));
                if let Some(key) = key {
                    request = request.header("Idempotency-Key", key);
                }
                if let Some(body) = &body {
                    request = request.header("Content-Type", "application/json").body(body.to_string());
                }
                // A request that failed may have taken effect, so it is repeated with the same key.
                let Ok(answer) = request.send().await else { continue };
                let status = answer.status();
                let Ok(text) = answer.text().await else { continue };
                if status.is_success() {
                    return serde_json::from_str(&text).unwrap_or(Value::Null);
                }
                assert!(status.is_server_error() || status == StatusCode::CONFLICT, "{method} {path}: {status} {text}");
            }
            assert!(Instant::now() < deadline, "{method} {path} is not answered");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

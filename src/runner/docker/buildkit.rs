//! Builds with BuildKit through the API of the engine. The context is sent as an archive, so no session is needed; for the
//! same reason, secrets and SSH mounts are not available.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::StatusCode;
use serde::Deserialize;

use super::build_progress::BuildProgress;
use crate::runner::archive_file::ArchiveFile;

/// What to build.
pub(super) struct Request<'a> {
    pub(super) image: &'a str,
    pub(super) dockerfile: &'a str,
    pub(super) arguments: HashMap<&'a str, &'a str>,
    pub(super) target: Option<&'a str>,
    pub(super) cache: bool,
}

/// Why an image was not built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum NotBuilt {
    /// The engine has no BuildKit.
    NoBuildKit,
    Failed(String),
}

/// A message of the engine: progress of BuildKit, output of the classic builder, or an error.
#[derive(Deserialize)]
struct Message {
    id: Option<String>,
    #[serde(default)]
    aux: serde_json::Value,
    stream: Option<String>,
    #[serde(rename = "errorDetail")]
    error_detail: Option<ErrorDetail>,
}

#[derive(Deserialize)]
struct ErrorDetail {
    message: String,
}

/// The messages of the engine, one a line.
pub(super) struct Answer {
    response: reqwest::Response,
    bytes: Vec<u8>,
    progress: BuildProgress,
}

/// Begins a build.
pub(super) async fn begin(address: &str, request: Request<'_>, context: &ArchiveFile) -> Result<Answer, NotBuilt> {
    let failed = |error: reqwest::Error| NotBuilt::Failed(format!("the Docker engine did not build: {error}"));
    // Fails if a provider is already installed, which is fine.
    let _installed = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().no_proxy();
    let (client, base) = match address.strip_prefix("tcp://").or_else(|| address.strip_prefix("http://")) {
        Some(host) => (client, format!("http://{host}")),
        None => (client.unix_socket(address.strip_prefix("unix://").unwrap_or(address)), "http://localhost".to_owned()),
    };
    let arguments = serde_json::to_string(&request.arguments).map_err(|error| NotBuilt::Failed(error.to_string()))?;
    let mut query = vec![
        ("version", "2"),
        ("t", request.image),
        ("dockerfile", request.dockerfile),
        ("buildargs", arguments.as_str()),
        ("nocache", if request.cache { "false" } else { "true" }),
    ];
    query.extend(request.target.map(|target| ("target", target)));
    let call = client.build().map_err(failed)?.post(format!("{base}/build")).query(&query);
    let body = reqwest::Body::wrap(context.pieces());
    let response = call.header("content-type", "application/x-tar").body(body).send().await.map_err(failed)?;
    let status = response.status();
    if status.is_success() {
        return Ok(Answer { response, bytes: Vec::new(), progress: BuildProgress::default() });
    }
    Err(refusal(status, &response.text().await.unwrap_or_default()))
}

/// Why an engine refused a build.
fn refusal(status: StatusCode, text: &str) -> NotBuilt {
    #[derive(Deserialize)]
    struct Refused {
        message: String,
    }
    let text = serde_json::from_str(text).map_or_else(|_| text.trim().to_owned(), |Refused { message }| message);
    let lower = text.to_lowercase();
    if lower.contains("buildkit") || (status == StatusCode::BAD_REQUEST && lower.contains("version")) {
        NotBuilt::NoBuildKit
    } else {
        NotBuilt::Failed(text)
    }
}

impl Answer {
    /// The next lines of the log; none at the end.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<String>>, NotBuilt> {
        loop {
            if let Some(end) = self.bytes.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.bytes.drain(..=end).collect();
                return self.read(&line).map(Some);
            }
            let piece = self.response.chunk().await;
            match piece.map_err(|error| NotBuilt::Failed(format!("the Docker engine ended the build: {error}")))? {
                Some(piece) => self.bytes.extend_from_slice(&piece),
                None if self.bytes.is_empty() => return Ok(None),
                None => {
                    let rest = std::mem::take(&mut self.bytes);
                    return self.read(&rest).map(Some);
                }
            }
        }
    }

    fn read(&mut self, line: &[u8]) -> Result<Vec<String>, NotBuilt> {
        let Ok(message) = serde_json::from_slice::<Message>(line) else { return Ok(Vec::new()) };
        if let Some(ErrorDetail { message }) = message.error_detail {
            return Err(NotBuilt::Failed(message));
        }
        let trace = message.aux.as_str().filter(|_| message.id.as_deref() == Some("moby.buildkit.trace"));
        if let Some(bytes) = trace.and_then(|text| STANDARD.decode(text).ok()) {
            return Ok(self.progress.lines(&bytes));
        }
        Ok(message.stream.iter().flat_map(|text| text.lines()).map(str::to_owned).collect())
    }
}

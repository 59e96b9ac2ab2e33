//! A provider that remembers what it is told, and gives ids to comments.

use std::sync::{Arc, Mutex};

use poem::http::StatusCode;
use poem::listener::{Acceptor as _, Listener as _, TcpListener};
use poem::{EndpointExt as _, IntoResponse as _, Response};
use serde_json::{Value, json};

/// A request that arrived.
#[derive(Clone, Debug)]
pub(super) struct Said {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) authorization: String,
    pub(super) body: Value,
}

#[derive(Default)]
struct Inner {
    said: Vec<Said>,
    /// What is answered instead, the next one first.
    refusals: Vec<u16>,
    comments: u64,
    /// The state of the commit, if states are accepted as GitLab does.
    gitlab: Option<String>,
    /// Why states were refused.
    refused: Vec<String>,
}

impl Inner {
    /// Why GitLab refuses a state after the one that the commit has.
    fn refusal(&mut self, new: &str) -> Option<String> {
        let old = self.gitlab.as_mut()?;
        let event = match (old.as_str(), new) {
            ("pending" | "running", "pending") => "enqueue",
            ("running", "running") => "run",
            _ => {
                new.clone_into(old);
                return None;
            }
        };
        let text = format!("Cannot transition status via :{event} from :{old}");
        self.refused.push(text.clone());
        Some(text)
    }
}

#[derive(Clone)]
pub(super) struct Provider {
    inner: Arc<Mutex<Inner>>,
    pub(super) url: String,
}

impl Provider {
    pub(super) async fn new() -> Self {
        let acceptor = TcpListener::bind("127.0.0.1:0").into_acceptor().await.unwrap();
        let url = format!("http://{}", acceptor.local_addr()[0].as_socket_addr().unwrap());
        let inner = Arc::new(Mutex::new(Inner::default()));
        let kept = Arc::clone(&inner);
        let serve = poem::endpoint::make(move |mut request: poem::Request| {
            let kept = Arc::clone(&kept);
            async move {
                let body = request.take_body().into_vec().await.unwrap();
                let said = Said {
                    method: request.method().to_string(),
                    path: request.uri().path().to_owned(),
                    authorization: request.header("authorization").unwrap_or_default().to_owned(),
                    body: serde_json::from_slice(&body).unwrap(),
                };
                let mut inner = kept.lock().unwrap();
                if let Some(status) = inner.refusals.pop() {
                    return StatusCode::from_u16(status).unwrap().into_response();
                }
                if let Some(refusal) = said.body["state"].as_str().and_then(|state| inner.refusal(state)) {
                    let text = json!({"message": refusal}).to_string();
                    return Response::builder().status(StatusCode::BAD_REQUEST).body(text);
                }
                if said.method == "POST" && !said.path.contains("status") {
                    inner.comments += 1;
                }
                let id = inner.comments;
                inner.said.push(said);
                // Providers answer with more than the beginning of a page.
                let text = json!({"filler": "x".repeat(5000), "id": id}).to_string();
                Response::builder().status(StatusCode::CREATED).content_type("application/json").body(text)
            }
        });
        tokio::spawn(poem::Server::new_with_acceptor(acceptor).run(serve.map_to_response()));
        Self { inner, url }
    }

    /// Answers the next requests with these statuses.
    pub(super) fn refuse(&self, statuses: &[u16]) {
        self.inner.lock().unwrap().refusals = statuses.iter().rev().copied().collect();
    }

    /// Accepts the states of a commit as GitLab does, which has this one now.
    pub(super) fn as_gitlab(&self, state: &str) {
        self.inner.lock().unwrap().gitlab = Some(state.to_owned());
    }

    /// Why states were refused.
    pub(super) fn refused(&self) -> Vec<String> {
        self.inner.lock().unwrap().refused.clone()
    }

    /// What arrived since the last call.
    pub(super) fn take(&self) -> Vec<Said> {
        std::mem::take(&mut self.inner.lock().unwrap().said)
    }
}

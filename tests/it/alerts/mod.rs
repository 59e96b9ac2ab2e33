//! Alerts from a failed run to the receiver: what is told, once, in groups, and again after a failure.

mod conditions;
mod hanging;
mod incidents;
mod last_word;
mod late;
mod mail;
mod receivers;
mod rules;
mod silences;
mod smtp;
mod storm;
mod told;
mod webhook_news;

use std::sync::{Arc, Mutex};

use entity::id::JobId;
use entity::run::{self, Event, RunState};
use entity::run_spec::RunSpec;
use poem::http::{HeaderMap, StatusCode};
use poem::listener::{Acceptor as _, Listener as _, TcpListener};
use poem::web::{Data, Path};
use poem::{EndpointExt as _, IntoResponse, Response, Route, handler, post};
use serde_json::{Value, json};
use windlass::alert::{self, Memory};
use windlass::error::Error;
use windlass::store;

use crate::harness::{Furnished, TestApp, id};
use crate::world::alert_rule;

/// A request as it was received.
#[derive(Clone, Debug)]
struct Call {
    path: String,
    headers: HeaderMap,
    body: String,
}

/// A receiver that records its requests, and answers with given statuses.
#[derive(Default)]
struct Service {
    calls: Mutex<Vec<Call>>,
    answer: Mutex<Option<StatusCode>>,
    /// How many more requests it takes; it refuses and forgets the others.
    room: Mutex<Option<usize>>,
}

#[handler]
fn receive(service: Data<&Arc<Service>>, path: Path<String>, headers: &HeaderMap, body: String) -> Response {
    if let Some(room) = service.room.lock().unwrap().as_mut() {
        if *room == 0 {
            return StatusCode::TOO_MANY_REQUESTS.into_response();
        }
        *room -= 1;
    }
    let call = Call { path: path.0.clone(), headers: headers.clone(), body };
    service.calls.lock().unwrap().push(call);
    let status = service.answer.lock().unwrap().unwrap_or(StatusCode::OK);
    Response::builder().status(status).body("heard").into_response()
}

impl Service {
    async fn start() -> (Arc<Self>, String) {
        let acceptor = TcpListener::bind("127.0.0.1:0").into_acceptor().await.unwrap();
        let url = format!("http://{}", acceptor.local_addr()[0].as_socket_addr().unwrap());
        let service = Arc::new(Self::default());
        let routes = Route::new().at("/*path", post(receive)).data(service.clone());
        tokio::spawn(poem::Server::new_with_acceptor(acceptor).run(routes.map_to_response()));
        (service, url)
    }

    fn answers(&self, status: StatusCode) {
        *self.answer.lock().unwrap() = Some(status);
    }

    /// Sets a limit of requests.
    fn takes(&self, room: usize) {
        *self.room.lock().unwrap() = Some(room);
    }

    /// The bodies that were received since the last call.
    fn take(&self) -> Vec<Call> {
        std::mem::take(&mut self.calls.lock().unwrap())
    }

    fn texts(&self) -> Vec<String> {
        let text =
            |call: &Call| serde_json::from_str::<Value>(&call.body).unwrap()["text"].as_str().unwrap().to_owned();
        self.take().iter().map(text).collect()
    }
}

/// An organization whose runs end as a test says, with a loop that decides and sends.
struct Watch {
    app: TestApp,
    it: Furnished,
    cluster: String,
    memory: Memory,
}

impl Watch {
    async fn new() -> Self {
        let app = TestApp::with_private_webhooks().await;
        let it = app.furnished().await;
        let clusters = it.client.get(&format!("/organization/{}/cluster", it.organization)).await.expect(200);
        let cluster = id(&clusters["results"][0]);
        Self { app, it, cluster, memory: Memory::default() }
    }

    async fn receiver(&self, change: Value) -> String {
        let mut body = json!({
            "organization_id": self.it.organization, "name": "on-call", "description": "", "type": "SLACK",
            "send_resolved": true,
        });
        merge(&mut body, change);
        id(&self.it.client.post("/alert-receivers", body).await.expect(201))
    }

    async fn slack(&self, url: &str) -> String {
        self.receiver(json!({"webhook_url": format!("{url}/slack")})).await
    }

    /// A rule for the environment; returns its id.
    async fn rule(&self, receivers: &[&String], change: Value) -> String {
        let mut body = alert_rule(self.it.organization, &self.cluster, ("ENVIRONMENT", &self.it.environment));
        body["alert_receiver_ids"] = json!(receivers);
        merge(&mut body, change);
        id(&self.it.client.post("/alert-rules", body).await.expect(201))
    }

    async fn shown(&self, rule: &str) -> Value {
        self.it.client.get(&format!("/alert-rules/{rule}")).await.expect(200)
    }

    async fn job(&self, name: &str) -> String {
        self.it.create(self.it.cron(name, "@yearly")).await
    }

    /// Runs jobs, and ends their runs with an exit code.
    async fn run(&self, jobs: &[&String], exit_code: i32) {
        for job in jobs {
            self.it.client.post(&format!("/job/{job}/run"), json!({})).await.expect(202);
        }
        for _ in 0..4 {
            self.app.settle().await;
            self.app.runner.exit_all(exit_code);
            self.app.settle().await;
        }
    }

    /// Stores a run of a job that has succeeded, as its event says.
    async fn succeeded(&self, job: &str, event: Event) -> run::Model {
        let now = self.app.clock.now();
        let row = run::Model {
            state: RunState::Succeeded,
            started_at: Some(now),
            finished_at: Some(now),
            organization_id: self.it.organization,
            ..run::Model::queued(JobId(job.parse().unwrap()), event, RunSpec::default(), now)
        };
        let id = row.id;
        let db = &self.app.app.db;
        store::write(db, async |tx| store::run::create(tx, vec![row]).await.map_err(Error::from)).await.unwrap();
        store::run::by_id(db, id).await.unwrap().unwrap()
    }

    /// Decides and sends what is due now; returns how many messages were tried.
    async fn pass(&mut self) -> usize {
        let now = self.app.clock.now();
        alert::decide(&self.app.app, &mut self.memory, now).await.unwrap();
        alert::send(&self.app.app).await.unwrap()
    }

    /// The same after some seconds.
    async fn pass_after(&mut self, seconds: i64) -> usize {
        // What happened is decided about at once, and grouped with what follows.
        alert::decide(&self.app.app, &mut self.memory, self.app.clock.now()).await.unwrap();
        self.app.clock.forward(seconds);
        self.pass().await
    }
}

fn merge(body: &mut Value, change: Value) {
    for (key, value) in change.as_object().unwrap() {
        body[key] = value.clone();
    }
}

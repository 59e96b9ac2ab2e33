//! What is open ends with the right to it: web sockets, followed logs and streams, when a token is revoked, a role is withdrawn or a
//! membership ends. A log that was cut off does not look like a complete one.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use futures_util::StreamExt as _;
use poem::http::Method;
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use crate::harness::{Client, Furnished, TestApp, id};
use crate::jwt::{AUDIENCE, Issuer};
use crate::surface::sockets::{Socket, next, open, serve};
use crate::terrakube::{House, tcl};

/// The web sockets of the router, with what they are asked for.
const SOCKETS: [(&str, &str); 4] = [
    ("/service/logs", "service={job}"),
    ("/service/status", "environment={environment}"),
    ("/deployment/status", "environment={environment}"),
    ("/deployment/logs", "environment={environment}"),
];

/// The files with bodies that are streamed: a guard ends those of `LOGS` and the logs of the console; the events of a page end when
/// its rights are checked again; the others are the bodies of requests, or write out what was there when it was requested.
const STREAMS: [&str; 14] = [
    "src/api/job/run_log.rs",
    "src/api/wire/stream.rs",
    "src/cloud/registry_modules.rs",
    "src/cloud/registry_providers.rs",
    "src/cloud/state_versions.rs",
    "src/console/live.rs",
    "src/console/run/log_events.rs",
    "src/console/run/log_file.rs",
    "src/console/workspace/state.rs",
    "src/console/workspace/step_text.rs",
    "src/server/http/body_pace.rs",
    "src/terrakube/state_transfer.rs",
    "src/terrakube/step_files.rs",
    "src/terrakube/step_log.rs",
];

/// The responses that go on until they are ended, and how a log says that it was cut off.
const LOGS: [(&str, &str); 2] = [
    ("/run/{run}/log?follow=true", "windlass: the log is cut off here"),
    (
        "/tfoutput/v1/organization/{organization}/job/{workspace job}/step/{step}/stream",
        "event: error\ndata: the log is cut off",
    ),
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A new socket or stream needs a row in the tables above.
#[test]
fn everything_that_stays_open_is_in_the_tables() {
    let router = std::fs::read_to_string(root().join("src/api/router.rs")).unwrap();
    let routes = router.lines().filter(|line| line.contains("get(socket::"));
    let routes: BTreeSet<&str> = routes.map(|line| line.split('"').nth(1).unwrap()).collect();
    assert_eq!(routes, SOCKETS.iter().map(|(path, _)| *path).collect());
    let mut streams = BTreeSet::new();
    let mut folders = vec![root().join("src")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if std::fs::read_to_string(&path).unwrap().contains("Body::from_bytes_stream") {
                streams.insert(path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned());
            }
        }
    }
    assert_eq!(streams, STREAMS.map(str::to_owned).into());
}

/// How somebody loses the right to what they read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Loss {
    TokenRevoked,
    RoleWithdrawn,
    MembershipEnded,
}

struct Site {
    app: TestApp,
    issuer: Issuer,
    it: Furnished,
    address: String,
    /// The names in paths.
    ids: Vec<(&'static str, String)>,
}

impl Site {
    /// A server with a job and a workspace job that run and write lines.
    async fn new() -> Self {
        let issuer = Issuer::start().await;
        let app = TestApp::with_oidc(&issuer.url, AUDIENCE).await;
        let it = app.furnished().await;
        windlass::bootstrap::add_missing_templates(&app.app).await.unwrap();
        let job = it.deployed(&app, it.lifecycle("job")).await;
        let address = serve(&app).await;
        let house = House { app, client: it.client.clone(), organization: it.organization };
        let workspace = house.workspace("w").await;
        let flow = tcl("flow:\n- {type: customScripts, step: 1, commands: [{runtime: BASH, script: echo hi}]}\n");
        let workspace_job = house.start(&workspace, json!({"tcl": flow})).await;
        house.app.settle().await;
        for step in house.app.runner.steps() {
            house.app.runner.write(&step, &["a line"]);
        }
        house.app.settle().await;
        let step = house.get(&format!("job/{workspace_job}/step")).await["data"][0]["id"].as_str().unwrap().to_owned();
        let ids = vec![
            ("{run}", id(&it.runs(&job).await[0])),
            ("{job}", job),
            ("{environment}", it.environment.clone()),
            ("{organization}", it.organization.to_string()),
            ("{workspace job}", workspace_job),
            ("{step}", step),
        ];
        Self { app: house.app, issuer, it, address, ids }
    }

    fn filled(&self, path: &str) -> String {
        self.ids.iter().fold(path.to_owned(), |path, (name, id)| path.replace(name, id))
    }

    fn path(&self, rest: &str) -> String {
        format!("/organization/{}/{rest}", self.it.organization)
    }

    async fn role(&self, name: &str) -> String {
        let roles = self.it.client.get(&self.path("availableRole")).await.expect(200);
        id(roles["results"].as_array().unwrap().iter().find(|row| row["name"] == name).unwrap())
    }

    /// Somebody who may read everything, and the id of their token or account.
    async fn reader(&self, loss: Loss) -> (Client, String) {
        let viewer = self.role("viewer").await;
        if loss == Loss::TokenRevoked {
            let body = json!({"name": "reader", "role_id": viewer});
            let token = self.it.client.post(&self.path("apiToken"), body).await.expect(201);
            let client = self.it.client.with(Some(&format!("Token {}", token["token"].as_str().unwrap())));
            return (client, id(&token));
        }
        let name = format!("{loss:?}").to_lowercase();
        let email = format!("{name}@example.com");
        let body = json!({"email": email, "role_id": viewer});
        let invitation = id(&self.it.client.post(&self.path("inviteMember"), body).await.expect(201));
        let token = self.issuer.token(0, "one", json!({"sub": name, "email": email}));
        let client = self.it.client.with(Some(&format!("Bearer {token}")));
        client.post(&self.path(&format!("inviteMember/{invitation}")), json!({})).await.expect(201);
        let account = id(&client.get("/account").await.expect(200));
        (client, account)
    }

    async fn lose(&self, loss: Loss, whose: &str) {
        let member = self.path("member");
        let client = &self.it.client;
        match loss {
            Loss::TokenRevoked => {
                client.delete(&self.path(&format!("apiToken/{whose}"))).await.expect(204);
            }
            Loss::RoleWithdrawn => {
                let body = json!({"user_id": whose, "role_id": self.role("billing").await});
                client.put(&member, body).await.expect(200);
            }
            Loss::MembershipEnded => {
                let body = json!({"user_id": whose}).to_string();
                client.call(Method::DELETE, &member, Some(body)).await.expect(204);
            }
        }
    }
}

/// Waits until a socket is closed, and says why.
async fn closed(socket: &mut Socket) -> Option<CloseCode> {
    while let Some(Ok(message)) = socket.next().await {
        if let Message::Close(frame) = message {
            return frame.map(|frame| frame.code);
        }
    }
    None
}

/// Reads a response to its end, which may be a broken connection.
async fn rest_of(mut log: reqwest::Response) -> String {
    let mut text = Vec::new();
    while let Ok(Some(chunk)) = log.chunk().await {
        text.extend(chunk);
    }
    String::from_utf8(text).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_open_ends_with_the_right_to_it() {
    let site = Site::new().await;
    for loss in [Loss::TokenRevoked, Loss::RoleWithdrawn, Loss::MembershipEnded] {
        let (reader, whose) = site.reader(loss).await;
        let headers = [("Authorization", reader.authorization())];
        let mut sockets = Vec::new();
        for (path, query) in SOCKETS {
            let mut socket = open(&site.address, &site.filled(&format!("{path}?{query}")), &headers).await.unwrap();
            next(&mut socket).await;
            sockets.push((path, socket));
        }
        let mut logs = Vec::new();
        for (path, farewell) in LOGS {
            let url = format!("http://{}{}", site.address, site.filled(path));
            let mut log = reqwest::Client::new().get(url).header("Authorization", headers[0].1).send().await.unwrap();
            assert_eq!(log.status(), 200, "{path}");
            let first = log.chunk().await.unwrap().unwrap();
            assert!(String::from_utf8_lossy(&first).contains("a line"), "{path}");
            logs.push((path, farewell, log));
        }
        site.lose(loss, &whose).await;
        let patience = Duration::from_secs(10);
        for (path, mut socket) in sockets {
            let code = tokio::time::timeout(patience, closed(&mut socket)).await;
            assert_eq!(code.unwrap_or_else(|_| panic!("{path} goes on after {loss:?}")), Some(CloseCode::Policy));
        }
        for (path, farewell, log) in logs {
            let rest = tokio::time::timeout(patience, rest_of(log)).await;
            let rest = rest.unwrap_or_else(|_| panic!("{path} goes on after {loss:?}"));
            assert!(rest.contains(farewell), "{path} after {loss:?}: {rest}");
        }
    }
}

/// A log that is written without a pause is checked as well.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_without_a_pause_ends_too() {
    let site = Site::new().await;
    let (reader, whose) = site.reader(Loss::TokenRevoked).await;
    let url = format!("http://{}{}", site.address, site.filled(LOGS[0].0));
    let log = reqwest::Client::new().get(url).header("Authorization", reader.authorization()).send().await.unwrap();
    let runner = site.app.runner.clone();
    let step = runner.steps()[0].clone();
    let rest = tokio::spawn(rest_of(log));
    site.lose(Loss::TokenRevoked, &whose).await;
    let deadline = std::time::Instant::now() + Duration::from_secs(20);
    while !rest.is_finished() {
        assert!(std::time::Instant::now() < deadline, "the log goes on");
        runner.write(&step, &["another line"]);
        site.app.tick().await;
    }
    assert!(rest.await.unwrap().contains(LOGS[0].1));
}

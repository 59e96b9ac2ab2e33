//! The web sockets of the official console and command line.

use std::time::Duration;

use futures_util::StreamExt as _;
use poem::listener::{Acceptor as _, Listener as _, TcpListener};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{self, Message};
use windlass::api;

use crate::harness::{Furnished, TestApp};

pub(crate) type Socket = tokio_tungstenite::WebSocketStream<tokio_tungstenite::MaybeTlsStream<tokio::net::TcpStream>>;

pub(crate) async fn serve(app: &TestApp) -> String {
    let acceptor = TcpListener::bind("127.0.0.1:0").into_acceptor().await.unwrap();
    let address = acceptor.local_addr()[0].as_socket_addr().unwrap().to_string();
    tokio::spawn(
        poem::Server::new_with_acceptor(acceptor)
            .run(api::endpoint(&app.app, windlass::terrakube::routes(poem::Route::new()))),
    );
    address
}

pub(crate) async fn open(
    address: &str,
    path: &str,
    headers: &[(&'static str, &str)],
) -> Result<Socket, tungstenite::Error> {
    let mut request = format!("ws://{address}{path}").into_client_request().unwrap();
    for (name, value) in headers {
        request.headers_mut().insert(*name, value.parse().unwrap());
    }
    tokio_tungstenite::connect_async(request).await.map(|(socket, _)| socket)
}

pub(crate) async fn next(socket: &mut Socket) -> Value {
    let message = tokio::time::timeout(Duration::from_secs(10), socket.next()).await.expect("no frame came");
    let Message::Text(text) = message.unwrap().unwrap() else { panic!("no text") };
    serde_json::from_str(&text).unwrap()
}

async fn deployed(app: &TestApp, it: &Furnished) -> String {
    let job = it.deployed(app, it.lifecycle("My Job")).await;
    app.runner.write(&app.runner.steps()[0], &["early", "earlier"]);
    app.settle().await;
    job
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lines_of_a_job_come_as_they_are_written() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = deployed(&app, &it).await;
    let address = serve(&app).await;
    let path = format!(
        "/service/logs?organization={}&cluster=&project={}&environment={}&service={job}",
        it.organization, it.project, it.environment
    );
    let mut socket = open(&address, &path, &[("Authorization", it.client.authorization())]).await.unwrap();
    let first = next(&mut socket).await;
    assert_eq!((&first["message"], first["created_at"].is_i64()), (&json!("early"), true));
    assert_eq!(
        (&first["pod_name"], &first["container_name"], &first["version"]),
        (&json!("my-job-1"), &json!("My Job"), &json!("1.36.1"))
    );
    assert_eq!(next(&mut socket).await["message"], "earlier");
    app.runner.write(&app.runner.steps()[0], &["late"]);
    app.settle().await;
    assert_eq!(next(&mut socket).await["message"], "late");
    // Only the newest lines, if the client asks for them.
    let mut short =
        open(&address, &format!("{path}&limit=1"), &[("Authorization", it.client.authorization())]).await.unwrap();
    assert_eq!(next(&mut short).await["message"], "late");
    // A run that starts later is followed too.
    app.runner.exit_all(0);
    app.settle().await;
    it.client.post(&format!("/job/{job}/run"), json!({})).await.expect(202);
    app.settle().await;
    app.runner.write(&app.runner.steps()[0], &["again"]);
    app.settle().await;
    let again = next(&mut socket).await;
    assert_eq!((&again["message"], &again["pod_name"]), (&json!("again"), &json!("my-job-2")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn states_and_logs_of_a_deployment() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = deployed(&app, &it).await;
    let address = serve(&app).await;
    let place =
        format!("organization={}&cluster=x&project={}&environment={}", it.organization, it.project, it.environment);
    // A browser cannot send the header.
    let token = it.client.authorization().trim_start_matches("Token ").to_owned();
    let protocols = format!("v1, auth.bearer.{token}");
    let browser = [("Sec-WebSocket-Protocol", protocols.as_str())];
    let mut states = open(&address, &format!("/deployment/status?{place}"), &browser).await.unwrap();
    let of_job = |frame: &Value| {
        let stages = frame["stages"].as_array().unwrap().iter();
        let jobs = stages.flat_map(|stage| stage["jobs"].as_array().unwrap().clone());
        jobs.map(|job| job["state"].clone()).next().unwrap()
    };
    let first = next(&mut states).await;
    assert_eq!((&first["environment"]["state"], of_job(&first)), (&json!("DEPLOYING"), json!("EXECUTING")));
    let mut services = open(&address, &format!("/service/status?{place}"), &browser).await.unwrap();
    let running = next(&mut services).await;
    let environment = &running["environments"][0];
    assert_eq!((&environment["id"], &environment["project_id"]), (&json!(it.environment), &json!(it.project)));
    assert_eq!((&environment["jobs"][0]["id"], &environment["jobs"][0]["state"]), (&json!(job), &json!("RUNNING")));
    assert_eq!(environment["jobs"][0]["pods"][0]["name"], "my-job-1");
    let mut logs = open(&address, &format!("/deployment/logs?{place}"), &browser).await.unwrap();
    assert_eq!(next(&mut logs).await["details"]["stage"]["step"], "Start");
    app.runner.exit_all(1);
    app.settle().await;
    let second = next(&mut states).await;
    assert_eq!(
        (&second["environment"]["state"], of_job(&second)),
        (&json!("DEPLOYMENT_ERROR"), json!("DEPLOYMENT_ERROR"))
    );
    assert_eq!(next(&mut services).await["environments"][0]["jobs"][0]["state"], "ERROR");
    let steps = async |logs: &mut Socket| loop {
        let entry = next(logs).await;
        if entry["type"] == "error" {
            return entry;
        }
    };
    assert_eq!(steps(&mut logs).await["error"]["user_log_message"], "exit code 1");
    it.client.post(&format!("/job/{job}/cleanFailedJob"), json!({})).await.expect(200);
    assert_eq!(next(&mut services).await["environments"][0]["jobs"][0]["state"], "STOPPED");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sockets_are_guarded() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = deployed(&app, &it).await;
    let address = serve(&app).await;
    let other = app.organization("other").await;
    let stranger = app.token(other, entity::member::Role::Admin).await;
    let paths = [
        format!("/service/logs?service={job}"),
        format!("/service/status?environment={}", it.environment),
        format!("/deployment/status?environment={}", it.environment),
        format!("/deployment/logs?environment={}", it.environment),
    ];
    let status =
        async |path: &str, authorization: &str| match open(&address, path, &[("Authorization", authorization)]).await {
            Err(tungstenite::Error::Http(answer)) => answer.status().as_u16(),
            Ok(_) => 101,
            Err(error) => panic!("{error}"),
        };
    for path in &paths {
        assert_eq!(status(path, "Token nobody").await, 401, "{path}");
        assert_eq!(status(path, stranger.authorization()).await, 404, "{path}");
        assert_eq!(status(path, it.client.authorization()).await, 101, "{path}");
        let nothing = path.split('?').next().unwrap();
        assert_eq!(status(nothing, it.client.authorization()).await, 400, "{path}");
        let bad = format!("{nothing}?service=x&environment=x");
        assert_eq!(status(&bad, it.client.authorization()).await, 400, "{bad}");
    }
}

#[tokio::test]
async fn operators_see_health_and_counters() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = it.deployed(&app, it.cron("minutely", "* * * * *")).await;
    app.clock.set("2026-11-22T10:02:00Z");
    app.settle().await;
    app.runner.exit_all(0);
    app.settle().await;
    let text = it.client.raw("/metrics").await;
    for line in [
        "windlass_times_recorded_total 1",
        "windlass_times_skipped_total{reason=\"Missed\"} 1",
        "windlass_runs_ended_total{outcome=\"Succeeded\",trigger=\"Schedule\"} 1",
        "windlass_runs{state=\"running\"} 0",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
    }
    assert!(!text.contains(&job), "no ids");
    assert_eq!(it.client.raw("/health/live").await, "{\"engine\":\"starting\"}");
    app.app.pulse.beat(windlass::liveness::pulse::Loop::Plan, app.clock.now());
    app.app.pulse.beat(windlass::liveness::pulse::Loop::Work, app.clock.now());
    let zones = windlass_schedule::time_zone::database();
    let ready = "{\"database\":\"well\",\"engine\":\"well\",\"key\":\"well\"}";
    assert_eq!(it.client.raw("/health/ready").await, ready);
    let health = "{\"database\":\"well\",\"engine\":\"well\",\"failing_passes\":[],\"key\":\"well\",";
    assert_eq!(it.client.raw("/health").await, format!("{health}\"time_zones\":\"{zones}\"}}"));
    app.clock.forward(121);
    assert_eq!(it.client.with(None).status("/health/live").await, 503);
}

/// A look costs as many queries with many jobs as with one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_look_at_many_jobs_is_two_queries() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    for number in 0..12 {
        let job = it.create(it.lifecycle(&format!("job {number}"))).await;
        for _ in 0..(number % 3) {
            it.client.post(&format!("/job/{job}/run"), json!({})).await.expect(202);
        }
    }
    let more = json!({"name": "more"});
    it.client.post(&format!("/project/{}/environment", it.project), more).await.expect(201);
    app.settle().await;
    let address = serve(&app).await;
    let headers = [("Authorization", it.client.authorization())];
    let path = format!("/service/status?organization={}", it.organization);
    let mut socket = open(&address, &path, &headers).await.unwrap();
    let frame = next(&mut socket).await;
    let environments = frame["environments"].as_array().unwrap();
    assert_eq!(environments.len(), 2);
    let jobs = environments.iter().flat_map(|environment| environment["jobs"].as_array().unwrap());
    let mut pods: Vec<usize> = jobs.map(|job| job["pods"].as_array().unwrap().len()).collect();
    pods.sort_unstable();
    assert_eq!(pods, [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2]);
    let before = app.statements();
    tokio::time::sleep(Duration::from_millis(700)).await;
    // Two or three looks; the clock stands still, so that the credential is remembered.
    let sent = app.statements() - before;
    assert!((2..=6).contains(&sent), "{sent} statements");
    socket.close(None).await.unwrap();
}

//! The listener: slow clients are disconnected, and others are served meanwhile.

use std::time::Duration;

use futures_util::StreamExt as _;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;

use crate::harness::wait_for;
use crate::server::Server;

/// Longer than all limits of these tests.
const PATIENCE: Duration = Duration::from_secs(20);

/// A server that waits for at most a second, unless a flag says otherwise.
fn impatient(folder: &std::path::Path, words: &[&str]) -> Server {
    let mut all = vec!["serve", "--demo", "--runner", "process"];
    for flag in
        ["--header-timeout-seconds", "--idle-timeout-seconds", "--body-timeout-seconds", "--send-timeout-seconds"]
    {
        if !words.contains(&flag) {
            all.extend([flag, "1"]);
        }
    }
    all.extend(words);
    Server::start(folder, &all, None)
}

async fn connect(server: &Server) -> TcpStream {
    TcpStream::connect(server.url.trim_start_matches("http://")).await.unwrap()
}

/// What the server sends until it closes the connection.
async fn rest(mut stream: TcpStream) -> String {
    let mut text = Vec::new();
    match tokio::time::timeout(PATIENCE, stream.read_to_end(&mut text)).await.expect("the connection stays open") {
        Ok(_) => {}
        Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset),
    }
    String::from_utf8(text).unwrap()
}

async fn metric(server: &Server, line: &str) -> u64 {
    let (_, _, text) = server.call("GET", "/metrics", None).await;
    let found = text.lines().find_map(|found| found.strip_prefix(line)).unwrap_or("0");
    found.trim().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_that_do_not_go_on_are_closed() {
    let folder = tempfile::tempdir().unwrap();
    let server = impatient(folder.path(), &[]);
    let head = format!("GET /organization HTTP/1.1\r\nhost: a\r\nauthorization: Token {}\r\n", server.token);
    let (silent, mut half, mut kept) = (connect(&server).await, connect(&server).await, connect(&server).await);
    half.write_all(head.as_bytes()).await.unwrap();
    kept.write_all(format!("{head}\r\n").as_bytes()).await.unwrap();
    // One byte after the other does not help.
    let mut slow = connect(&server).await;
    let drip = tokio::spawn(async move {
        for byte in head.bytes().cycle() {
            if slow.write_all(&[byte]).await.is_err() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    });
    server.get("/organization").await;
    assert_eq!(rest(silent).await, "");
    assert_eq!(rest(half).await, "");
    let kept = rest(kept).await;
    assert!(kept.starts_with("HTTP/1.1 200 OK\r\n"), "{kept}");
    tokio::time::timeout(PATIENCE, drip).await.expect("the slow client goes on").unwrap();
    // The one that was kept was closed as idle.
    assert_eq!(metric(&server, "windlass_http_slow_clients_total{part=\"Headers\"}").await, 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_has_to_arrive() {
    let folder = tempfile::tempdir().unwrap();
    let server = impatient(folder.path(), &["--body-bytes-per-second", "100000"]);
    let head = |path: &str, length: usize| {
        format!(
            "POST {path} HTTP/1.1\r\nhost: a\r\nauthorization: Token {}\r\ncontent-length: {length}\r\n\r\n",
            server.token
        )
    };
    let mut stalled = connect(&server).await;
    stalled.write_all(format!("{}{{", head("/organization", 100)).as_bytes()).await.unwrap();
    let text = rest(stalled).await;
    assert!(text.starts_with("HTTP/1.1 408 Request Timeout\r\n"), "{text}");
    assert_eq!(metric(&server, "windlass_http_slow_clients_total{part=\"Body\"}").await, 1);
    // A body that is large and arrives fast enough may take longer than a second.
    let jobs = server.get(&server.jobs_path()).await;
    let path = format!("/job/{}/environmentVariable", jobs["results"][0]["id"].as_str().unwrap());
    let body = format!("{{\"key\": \"LONG\", \"value\": \"x\"{}}}", " ".repeat(300_000));
    let mut steady = connect(&server).await;
    steady.write_all(head(&path, body.len()).as_bytes()).await.unwrap();
    for piece in body.as_bytes().chunks(50_000) {
        steady.write_all(piece).await.unwrap();
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    let text = rest(steady).await;
    assert!(text.starts_with("HTTP/1.1 201 Created\r\n"), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_does_not_read_is_disconnected() {
    let folder = tempfile::tempdir().unwrap();
    let server = impatient(folder.path(), &["--idle-timeout-seconds", "60", "--header-timeout-seconds", "60"]);
    // The responses to these do not fit into the buffers of the connection.
    let request = "GET /docs HTTP/1.1\r\nhost: a\r\n\r\n".repeat(50);
    let mut deaf = connect(&server).await;
    deaf.write_all(request.as_bytes()).await.unwrap();
    wait_for("the end of the connection", async || {
        (metric(&server, "windlass_http_slow_clients_total{part=\"Response\"}").await == 1).then_some(())
    })
    .await;
    drop(deaf);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_are_bounded() {
    let folder = tempfile::tempdir().unwrap();
    let server = impatient(folder.path(), &["--max-connections-per-address", "3", "--header-timeout-seconds", "5"]);
    let mut open = Vec::new();
    for _ in 0..3 {
        open.push(connect(&server).await);
    }
    let refused = rest(connect(&server).await).await;
    assert!(refused.starts_with("HTTP/1.1 503 Service Unavailable\r\n"), "{refused}");
    drop(open);
    wait_for("a free place", async || {
        let mut stream = connect(&server).await;
        stream.write_all(b"GET /health/live HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await.ok()?;
        rest(stream).await.starts_with("HTTP/1.1 200").then_some(())
    })
    .await;
    assert!(metric(&server, "windlass_http_connections_refused_total").await >= 1);
}

/// The limits of requests are none of a web socket, on which nothing may happen for long.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_quiet_web_socket_stays_open() {
    let folder = tempfile::tempdir().unwrap();
    let server = impatient(folder.path(), &[]);
    let organization = &server.get("/organization").await["results"][0]["id"];
    let environment = server.greeting_id("/environment/");
    let job = server.greeting_id("/job/");
    let project = &server.get(&format!("/environment/{environment}")).await["project"]["id"];
    let [organization, project] = [organization, project].map(|id| id.as_str().unwrap());
    let url = format!(
        "{}/service/logs?organization={organization}&cluster=&project={project}&environment={environment}&service={job}",
        server.url.replace("http", "ws")
    );
    let mut request = url.into_client_request().unwrap();
    request.headers_mut().insert("authorization", format!("Token {}", server.token).parse().unwrap());
    let (mut socket, _) = tokio_tungstenite::connect_async(request).await.unwrap();
    let deadline = tokio::time::Instant::now() + Duration::from_secs(4);
    while let Ok(frame) = tokio::time::timeout_at(deadline, socket.next()).await {
        let frame = frame.expect("the socket was closed").unwrap();
        assert!(!frame.is_close());
        let _line: Option<Value> = frame.to_text().ok().and_then(|text| serde_json::from_str(text).ok());
    }
}

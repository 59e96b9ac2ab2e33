//! A git repository behind git's own HTTP server.

use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};

use poem::listener::{Acceptor as _, Listener as _, TcpListener};

pub(crate) fn git(folder: &Path, words: &[&str]) {
    let mut command = Command::new("git");
    command.current_dir(folder).args([
        "-c",
        "user.name=Ann",
        "-c",
        "user.email=ann@example.com",
        "-c",
        "init.defaultBranch=main",
    ]);
    command.env("GIT_COMMITTER_DATE", "2026-01-02T03:04:05Z").env("GIT_AUTHOR_DATE", "2026-01-02T03:04:05Z");
    let done = command.args(words).output().unwrap();
    assert!(done.status.success(), "git {words:?}: {}", String::from_utf8_lossy(&done.stderr));
}

/// What a server does with a request.
#[derive(Clone)]
pub(crate) enum Rule {
    /// Everyone may read.
    Open,
    /// The login is "x-access-token" with the password "pass".
    Login,
    /// Everything is at another server.
    Redirect(String),
}

/// The `Authorization` headers that a server received.
pub(crate) type Received = Arc<Mutex<Vec<String>>>;

/// A repository behind git's own HTTP server, which asks for a login.
pub(crate) async fn repository() -> (tempfile::TempDir, String) {
    let folder = folder();
    let (server, _) = serve(folder.path(), Rule::Login).await;
    (folder, format!("{server}/app.git"))
}

/// A folder with the repository `app.git`, and with its files in `work`.
pub(crate) fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    git(folder.path(), &["init", "-q", "work"]);
    let work = folder.path().join("work");
    std::fs::create_dir(work.join("app")).unwrap();
    std::fs::write(work.join("app/Dockerfile"), "ARG VERSION\nFROM busybox:1 AS base\nFROM base\n").unwrap();
    std::fs::write(work.join("notes"), "none\n").unwrap();
    std::fs::create_dir(work.join("tools")).unwrap();
    let commands = "- {runtime: BASH, priority: 2, script: echo imported second}\n- {runtime: BASH, priority: 1, script: echo imported first}\n";
    std::fs::write(work.join("tools/commands.yaml"), commands).unwrap();
    git(&work, &["add", "."]);
    git(&work, &["commit", "-q", "-m", "first"]);
    git(&work, &["commit", "-q", "--allow-empty", "-m", "second, with: marks"]);
    git(&work, &["checkout", "-q", "-b", "other"]);
    git(&work, &["commit", "-q", "--allow-empty", "-m", "elsewhere"]);
    git(&work, &["checkout", "-q", "main"]);
    git(folder.path(), &["clone", "-q", "--bare", "work", "app.git"]);
    git(&folder.path().join("app.git"), &["config", "uploadpack.allowFilter", "true"]);
    folder
}

/// Serves the repositories of a folder. Returns the address, and what is received.
pub(crate) async fn serve(root: &Path, rule: Rule) -> (String, Received) {
    let root = root.to_owned();
    let acceptor = TcpListener::bind("127.0.0.1:0").into_acceptor().await.unwrap();
    let address = format!("http://{}", acceptor.local_addr()[0].as_socket_addr().unwrap());
    let received = Received::default();
    let seen = Arc::clone(&received);
    let serve = poem::endpoint::make(move |mut request: poem::Request| {
        let (root, rule, seen) = (root.clone(), rule.clone(), Arc::clone(&seen));
        async move {
            seen.lock().unwrap().extend(request.header("authorization").map(str::to_owned));
            let body = request.take_body().into_vec().await.unwrap();
            answer(&root, &rule, &request, &body)
        }
    });
    tokio::spawn(poem::Server::new_with_acceptor(acceptor).run(serve));
    (address, received)
}

fn answer(root: &Path, rule: &Rule, request: &poem::Request, body: &[u8]) -> poem::Response {
    use poem::http::StatusCode;
    // x-access-token:pass
    let known = request.header("authorization") == Some("Basic eC1hY2Nlc3MtdG9rZW46cGFzcw==");
    match rule {
        Rule::Redirect(to) => {
            let response = poem::Response::builder().status(StatusCode::FOUND);
            response.header("location", format!("{to}{}", request.uri())).finish()
        }
        Rule::Login if !known => {
            let response = poem::Response::builder().status(StatusCode::UNAUTHORIZED);
            response.header("www-authenticate", "Basic realm=\"x\"").finish()
        }
        Rule::Open | Rule::Login => backend(root, request, body),
    }
}

/// `git http-backend` as a CGI program.
fn backend(root: &Path, request: &poem::Request, body: &[u8]) -> poem::Response {
    use std::io::Write as _;
    let header = |name: &str| request.header(name).unwrap_or_default().to_owned();
    let mut child = Command::new("git")
        .arg("http-backend")
        .env("GIT_PROJECT_ROOT", root)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("REQUEST_METHOD", request.method().as_str())
        .env("PATH_INFO", request.uri().path())
        .env("QUERY_STRING", request.uri().query().unwrap_or_default())
        .env("CONTENT_TYPE", header("content-type"))
        .env("HTTP_CONTENT_ENCODING", header("content-encoding"))
        .env("GIT_PROTOCOL", header("git-protocol"))
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(body).unwrap();
    let output = child.wait_with_output().unwrap().stdout;
    let end = output.windows(4).position(|part| part == b"\r\n\r\n").unwrap();
    let mut response = poem::Response::builder();
    for line in String::from_utf8_lossy(&output[..end]).lines() {
        let (name, value) = line.split_once(": ").unwrap();
        match name {
            "Status" => response = response.status(value[..3].parse::<poem::http::StatusCode>().unwrap()),
            _ => response = response.header(name, value),
        }
    }
    response.body(output[end + 4..].to_vec())
}

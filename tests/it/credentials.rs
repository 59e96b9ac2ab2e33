//! Stored credentials belong to an organization and an origin, and are sent nowhere else.

use std::sync::Arc;

use serde_json::{Value, json};
use windlass::git::{self, Checkout, Login, SshKey};
use windlass::secret::{Origin, Secret};

use crate::git_server::{Received, Rule, folder, git, serve};
use crate::harness::{Furnished, TestApp, id};
use crate::terrakube::{House, change, detail, new, tcl};

fn login(url: &str) -> Login {
    let origins = vec![Origin::of(url).unwrap()];
    Login { username: "x-access-token".into(), token: Secret::new("pass".into()), origins }
}

fn wanted(url: &str) -> Checkout {
    Checkout {
        url: url.to_owned(),
        branch: Some("main".into()),
        commit: None,
        submodules: true,
        login: None,
        key: None,
        local: false,
    }
}

/// Adds a submodule to the repository of a folder.
fn add_submodule(folder: &std::path::Path, url: &str) {
    let work = folder.join("work");
    std::fs::write(work.join(".gitmodules"), format!("[submodule \"other\"]\n  path = other\n  url = {url}\n"))
        .unwrap();
    git(&work, &["add", "."]);
    git(&work, &["update-index", "--add", "--cacheinfo", "160000,0123456789012345678901234567890123456789,other"]);
    git(&work, &["commit", "-q", "-m", "with a submodule"]);
    git(&work, &["push", "-q", "../app.git", "main"]);
}

#[track_caller]
fn nothing(received: &Received) {
    assert_eq!(received.lock().unwrap().as_slice(), [] as [&str; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn git_does_not_send_a_login_to_where_it_is_redirected() {
    let files = folder();
    let (open, received) = serve(files.path(), Rule::Open).await;
    let (closed, asked) = serve(files.path(), Rule::Login).await;
    let (moved, _) = serve(files.path(), Rule::Redirect(open)).await;
    let (away, _) = serve(files.path(), Rule::Redirect(closed)).await;
    let url = format!("{moved}/app.git");
    let commits = git::commits(&url, Some("main"), Some(&login(&url))).await.unwrap();
    assert_eq!(commits.len(), 2);
    nothing(&received);
    let url = format!("{away}/app.git");
    let reason = git::commits(&url, Some("main"), Some(&login(&url))).await.unwrap_err();
    assert!(reason.contains("another host requires a login"), "{reason}");
    nothing(&asked);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn submodules_get_the_login_of_their_own_origin() {
    let (own, other) = (folder(), folder());
    let (server, asked) = serve(own.path(), Rule::Login).await;
    let (foreign, received) = serve(other.path(), Rule::Login).await;
    let url = format!("{server}/app.git");
    add_submodule(own.path(), &format!("{foreign}/app.git"));
    let checkout = Checkout { login: Some(login(&url)), ..wanted(&url) };
    let reason = git::checkout(&checkout).await.map(|(_, commit)| commit).unwrap_err();
    assert!(reason.contains("cannot fetch the submodules: another host requires a login"), "{reason}");
    nothing(&received);
    let before = asked.lock().unwrap().len();
    assert!(before > 0);
    // A submodule on the same server gets the login: what fails is its commit.
    add_submodule(own.path(), "../app.git");
    let reason = git::checkout(&checkout).await.map(|(_, commit)| commit).unwrap_err();
    assert!(reason.contains("no such branch or commit"), "{reason}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn submodules_get_the_ssh_key_of_their_own_host() {
    let own = folder();
    let (server, _) = serve(own.path(), Rule::Open).await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    add_submodule(own.path(), &format!("ssh://git@127.0.0.1:{port}/app.git"));
    let key = SshKey { private: Secret::new("not a key".into()), known_hosts: None };
    let checkout = Checkout { key: Some(key), ..wanted(&format!("{server}/app.git")) };
    let reason = git::checkout(&checkout).await.map(|(_, commit)| commit).unwrap_err();
    assert!(reason.contains("the SSH key belongs to another host"), "{reason}");
    assert!(reason.contains(&format!("is not sent to 127.0.0.1:{port}")), "{reason}");
    let connected = tokio::time::timeout(std::time::Duration::from_millis(50), listener.accept()).await;
    assert!(connected.is_err(), "the host was connected to");
}

async fn git_token(it: &Furnished, api: &str) -> String {
    let path = format!("/organization/{}/gitToken", it.organization);
    let body = json!({"name": "git", "type": "GITHUB", "token": "pass", "git_api_url": api});
    id(&it.client.post(&path, body).await.expect(201))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_git_token_is_used_for_its_own_host_only() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let files = folder();
    let (own, _) = serve(files.path(), Rule::Login).await;
    let (foreign, received) = serve(files.path(), Rule::Login).await;
    let token = git_token(&it, &format!("{own}/api/v3")).await;
    let repository = |server: &str| {
        let url = format!("{server}/app.git");
        json!({"url": url, "provider": "GITHUB", "git_token_id": token, "branch": "main", "root_path": "/app"})
    };
    let check = format!("/environment/{}/checkDockerfile", it.environment);
    let ask = |server: &str| json!({"git_repository": repository(server), "dockerfile_path": "Dockerfile"});
    it.client.post(&check, ask(&own)).await.expect(200);
    let refused = it.client.post(&check, ask(&foreign)).await.detail(400);
    let reason = format!("the credential belongs to {own} and is not sent to {foreign}");
    assert!(refused.starts_with("git_repository.git_token_id: ") && refused.ends_with(&reason), "{refused}");
    let job = |server: &str| {
        let mut job = it.cron("job", "@daily");
        job["source"] = json!({"docker": {"dockerfile_path": "Dockerfile", "git_repository": repository(server)}});
        job
    };
    let jobs = format!("/environment/{}/job", it.environment);
    let refused = it.client.post(&jobs, job(&foreign)).await.detail(400);
    assert!(refused.starts_with("source.docker.git_repository.git_token_id: "), "{refused}");
    let made = it.create(job(&own)).await;
    it.client.get(&format!("/job/{made}/commit")).await.expect(200);
    // A job that names the other host is in the database already.
    let row =
        windlass::store::job::by_id(&app.app.db, entity::id::JobId(made.parse().unwrap())).await.unwrap().unwrap();
    let text = serde_json::to_string(&row.spec).unwrap().replace(&own, &foreign);
    let spec = serde_json::from_str(&text).unwrap();
    windlass::store::row::update(&app.app.db, entity::job::Model { spec, ..row }).await.unwrap();
    assert!(it.client.get(&format!("/job/{made}/commit")).await.detail(400).ends_with(&reason));
    it.client.post(&format!("/job/{made}/deploy"), json!({})).await.expect(202);
    app.settle().await;
    let runs = entity_runs(&app).await;
    assert!(runs.iter().any(|run| run.reason.as_deref().is_some_and(|text| text.ends_with(&reason))), "{runs:?}");
    nothing(&received);
}

async fn entity_runs(app: &TestApp) -> Vec<entity::run::Model> {
    use sea_orm::EntityTrait as _;
    entity::run::Entity::find().all(&app.app.db).await.unwrap()
}

/// A job whose commands are imported; returns the reason why it failed.
async fn import(house: &House, workspace: &str, url: &str, vcs: &str) -> String {
    let flow = format!(
        "flow:\n- {{type: customScripts, step: 1, importCommands: {{repository: '{url}', folder: tools, branch: main, vcsId: {vcs}}}}}\n"
    );
    let job = house.start(workspace, json!({"tcl": tcl(&flow)})).await;
    house.app.settle().await;
    assert_eq!(house.status(&job).await.0, "failed");
    let mut runs = entity_runs(&house.app).await;
    runs.sort_by_key(|run| run.number);
    runs.pop().unwrap().reason.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_is_used_for_its_own_organization_and_host_only() {
    let house = House::new().await;
    let files = folder();
    let (server, received) = serve(files.path(), Rule::Login).await;
    let workspace = house.create("workspace", "workspace", json!({"name": "a"})).await;
    let url = format!("{server}/app.git");
    let others = house.app.organization("others").await;
    let stranger = house.app.token(others, entity::member::Role::Admin).await;
    let vcs = |endpoint: &str| {
        new("vcs", json!({"name": "hub", "vcsType": "GITHUB", "accessToken": "pass", "endpoint": endpoint}))
    };
    let theirs = stranger.post(&format!("/api/v1/organization/{others}/vcs"), vcs(&server)).await;
    let theirs = crate::terrakube::id(&theirs.expect(201));
    let reason = import(&house, &workspace, &url, &theirs).await;
    assert!(reason.ends_with("the credential belongs to another organization"), "{reason}");
    let own =
        crate::terrakube::id(&house.client.post(&house.path("vcs"), vcs("https://git.example")).await.expect(201));
    let reason = import(&house, &workspace, &url, &own).await;
    let text = format!("the credential belongs to https://git.example and is not sent to {server}");
    assert!(reason.ends_with(&text), "{reason}");
    nothing(&received);
    // The same for the source of a workspace.
    let path = format!("/api/v1/workspace/{workspace}");
    let source = change("workspace", &workspace, json!({"source": url, "branch": "main"}));
    house.client.patch(&path, source).await.expect(204);
    let link = json!({"data": {"type": "vcs", "id": own}});
    house.client.patch(&format!("{path}/relationships/vcs"), link).await.expect(204);
    let job = house.start(&workspace, json!({"templateReference": house.template("Plan").await})).await;
    house.app.settle().await;
    assert_eq!(house.status(&job).await.0, "failed");
    assert!(
        entity_runs(&house.app)
            .await
            .iter()
            .any(|run| run.reason.as_deref() == Some(&format!("the vcs of the workspace: {text}")))
    );
    nothing(&received);
}

#[tokio::test]
async fn another_origin_needs_the_secret_again() {
    let app = TestApp::with_private_webhooks().await;
    let it = app.furnished().await;
    let organization = format!("/organization/{}", it.organization);
    let registry =
        |url: &str, config: Value| json!({"name": "own", "kind": "GENERIC_CR", "url": url, "config": config});
    let token = |api: &str, token: &str| json!({"name": "git", "type": "GITLAB", "token": token, "git_api_url": api});
    let hook = |url: &str, secret: Option<&str>| json!({"kind": "STANDARD", "target_url": url, "target_secret": secret, "events": ["DEPLOYMENT_STARTED"]});
    let login = json!({"username": "u", "password": "p"});
    let user = json!({"username": "u"});
    let cases = [
        (
            "containerRegistry",
            registry("https://a.example", login.clone()),
            registry("https://a.example/x", user.clone()),
            registry("https://a.example:8443", user.clone()),
            registry("https://a.example:8443", login),
            "config.password: must be given again",
        ),
        (
            "gitToken",
            token("https://a.example/api/v4", "p"),
            token("https://a.example/api/v5", ""),
            token("http://a.example/api/v4", ""),
            token("http://a.example/api/v4", "p"),
            "token: must be given again",
        ),
        (
            "webhook",
            hook("https://a.example", Some("p")),
            hook("https://a.example/b", None),
            hook("https://b.example", None),
            hook("https://b.example", Some("")),
            "target_secret: must be given again",
        ),
    ];
    for (kind, first, same, moved, complete, reason) in cases {
        let made = id(&it.client.post(&format!("{organization}/{kind}"), first).await.expect(201));
        let path = format!("{organization}/{kind}/{made}");
        it.client.put(&path, same).await.expect(200);
        let refused = it.client.put(&path, moved).await.detail(400);
        assert!(refused.starts_with(reason), "{kind}: {refused}");
        it.client.put(&path, complete).await.expect(200);
    }
    // Without a host, a git token keeps the one that it has.
    let path = format!("{organization}/gitToken");
    let made = id(&it.client.post(&path, token("https://a.example/api/v4", "p")).await.expect(201));
    let changed = it.client.put(&format!("{path}/{made}"), json!({"name": "g", "type": "GITLAB", "token": "q"})).await;
    assert_eq!(changed.expect(200)["git_api_url"], "https://a.example/api/v4");
}

#[tokio::test]
async fn another_origin_of_a_connection_needs_its_secrets_again() {
    let house = House::new().await;
    let first = json!({"name": "v", "vcsType": "GITHUB", "accessToken": "p", "clientSecret": "s"});
    let vcs = house.create("vcs", "vcs", first).await;
    let path = house.path(&format!("vcs/{vcs}"));
    let patch = async |attributes: Value| house.client.patch(&path, change("vcs", &vcs, attributes)).await;
    patch(json!({"endpoint": "https://github.com/acme", "name": "w"})).await.expect(204);
    for attributes in [
        json!({"endpoint": "https://git.example"}),
        json!({"endpoint": "http://github.com"}),
        json!({"endpoint": null, "vcsType": "GITLAB"}),
    ] {
        assert!(
            detail(patch(attributes.clone()).await, 400).starts_with("accessToken must be given again"),
            "{attributes}"
        );
    }
    let half = json!({"endpoint": "https://git.example", "accessToken": "q"});
    assert!(detail(patch(half).await, 400).starts_with("clientSecret must be given again"));
    patch(json!({"endpoint": "https://git.example", "accessToken": "q", "clientSecret": null})).await.expect(204);
    let first = json!({"name": "k", "privateKey": "p", "knownHosts": "git.example ssh-ed25519 AAAA"});
    let ssh = house.create("ssh", "ssh", first).await;
    let path = house.path(&format!("ssh/{ssh}"));
    let patch = async |attributes: Value| house.client.patch(&path, change("ssh", &ssh, attributes)).await;
    patch(json!({"name": "l"})).await.expect(204);
    assert!(detail(patch(json!({"knownHosts": null})).await, 400).starts_with("privateKey must be given again"));
    patch(json!({"knownHosts": "b.example ssh-ed25519 AAAA", "privateKey": "p"})).await.expect(204);
    // A key that was used with a host belongs to it.
    let ssh = house.create("ssh", "ssh", json!({"name": "m", "privateKey": "p"})).await;
    let path = house.path(&format!("ssh/{ssh}"));
    let patch = async |attributes: Value| house.client.patch(&path, change("ssh", &ssh, attributes)).await;
    let id = entity::id::SshKeyId(ssh.parse().unwrap());
    let db = &house.app.app.db;
    windlass::store::workspace::bind_ssh_key(db, id, "git@git.example:a.git").await.unwrap();
    windlass::store::workspace::bind_ssh_key(db, id, "git@evil.example:a.git").await.unwrap();
    for known in ["evil.example ssh-ed25519 AAAA", "git.example,evil.example ssh-rsa AAAA", "*.example ssh-rsa AAAA"] {
        assert!(detail(patch(json!({"knownHosts": known})).await, 400).starts_with("privateKey"), "{known}");
    }
    patch(json!({"knownHosts": "git.example ssh-ed25519 AAAA"})).await.expect(204);
    patch(json!({"knownHosts": null, "privateKey": "q"})).await.expect(204);
    let row = windlass::store::workspace::ssh_key(db, id).await.unwrap().unwrap();
    assert_eq!(row.bound_urls, None, "a new key belongs to no host yet");
}

/// A registry that redirects. Where it redirects to may not ask for a login, nor name a token service.
#[tokio::test]
async fn only_the_registry_itself_gets_its_login() {
    use poem::http::StatusCode;
    let serve = async |answer: Arc<dyn Fn(bool) -> poem::Response + Send + Sync>| {
        use poem::listener::{Acceptor as _, Listener as _, TcpListener};
        let acceptor = TcpListener::bind("127.0.0.1:0").into_acceptor().await.unwrap();
        let address = acceptor.local_addr()[0].as_socket_addr().unwrap().to_string();
        let received = Received::default();
        let seen = Arc::clone(&received);
        let endpoint = poem::endpoint::make_sync(move |request: poem::Request| {
            let authorization = request.header("authorization").map(str::to_owned);
            let known = authorization.is_some();
            seen.lock().unwrap().extend(authorization);
            answer(known)
        });
        tokio::spawn(poem::Server::new_with_acceptor(acceptor).run(endpoint));
        (address, received)
    };
    let realm = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let challenge = format!("Bearer realm=\"https://{}/token\"", realm.local_addr().unwrap());
    let unauthorized = |challenge: &str| {
        let response = poem::Response::builder().status(StatusCode::UNAUTHORIZED);
        response.header("www-authenticate", challenge).finish()
    };
    let (elsewhere, received) = serve(Arc::new(move |_| unauthorized(&challenge))).await;
    let to = format!("http://{elsewhere}/x");
    let redirect = move || poem::Response::builder().status(StatusCode::FOUND).header("location", &to).finish();
    let again = redirect.clone();
    let (registry, _) = serve(Arc::new(move |_| redirect())).await;
    let (careful, asked) =
        serve(Arc::new(move |known| if known { again() } else { unauthorized("Basic realm=\"x\"") })).await;
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let path = format!("/organization/{}/containerRegistry", it.organization);
    for host in [registry, careful] {
        let config = json!({"username": "u", "password": "p"});
        let body = json!({"name": host, "kind": "GENERIC_CR", "url": format!("https://{host}"), "config": config});
        let made = id(&it.client.post(&path, body).await.expect(201));
        let refused = it.client.get(&format!("{path}/{made}/images?imageName=a")).await.detail(400);
        assert!(refused.contains("rejected the login"), "{refused}");
    }
    assert_eq!(asked.lock().unwrap().as_slice(), ["Basic dTpw"]);
    nothing(&received);
    let connected = tokio::time::timeout(std::time::Duration::from_millis(50), realm.accept()).await;
    assert!(connected.is_err(), "the token service of another host was asked");
}

/// The first workspace that uses an SSH key decides to which host it belongs.
#[tokio::test]
async fn an_ssh_key_is_used_for_the_host_of_its_first_use_only() {
    let house = House::new().await;
    let ssh = house.create("ssh", "ssh", json!({"name": "k", "privateKey": "p"})).await;
    let flow =
        json!({"tcl": tcl("flow:\n- {type: customScripts, step: 1, commands: [{runtime: BASH, script: ls}]}\n")});
    let job_of = async |name: &str, source: &str| {
        let workspace = house.create("workspace", "workspace", json!({"name": name, "source": source})).await;
        let path = house.path(&format!("workspace/{workspace}/relationships/ssh"));
        house.client.patch(&path, json!({"data": {"type": "ssh", "id": ssh}})).await.expect(204);
        let job = house.start(&workspace, flow.clone()).await;
        house.app.settle().await;
        let output = house.get(&format!("job/{job}")).await["data"]["attributes"]["output"].clone();
        (house.status(&job).await.0, output.as_str().unwrap_or_default().to_owned())
    };
    assert_eq!(job_of("a", "git@git.example:a.git").await.0, "running");
    assert_eq!(job_of("b", "ssh://me@git.example/b.git").await.0, "running");
    for (name, source) in [("c", "git@evil.example:a.git"), ("d", "ssh://git@git.example:2222/a.git")] {
        let (status, output) = job_of(name, source).await;
        assert_eq!(status, "failed");
        assert!(
            output.contains("the ssh key of the workspace: the credential belongs to ssh://git.example"),
            "{output}"
        );
    }
}

/// Git reads no repository with what is in the environment of the server, and jobs cannot read it from git.
#[tokio::test(flavor = "multi_thread")]
async fn git_gets_little_of_the_environment_of_the_server() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let (git, seen) = (folder.path().join("git"), folder.path().join("seen"));
    std::fs::write(&git, format!("#!/bin/sh\nenv >> {}\nexit 1\n", seen.display())).unwrap();
    std::fs::set_permissions(&git, std::fs::Permissions::from_mode(0o755)).unwrap();
    let mut program = std::process::Command::new(env!("CARGO_BIN_EXE_windlass"));
    let path = format!("{}:{}", folder.path().display(), std::env::var("PATH").unwrap());
    program.args(["serve", "--runner", "process"]).env("PATH", &path).env("https_proxy", "http://proxy.example");
    for secret in ["PGPASSWORD", "AWS_SECRET_ACCESS_KEY", "WINDLASS_TOKEN", "GIT_CONFIG_PARAMETERS"] {
        program.env(secret, "ababab");
    }
    let server = crate::server::Server::start_by(folder.path(), program, None);
    let organization = id(&server.get("/organization").await["results"][0]);
    let base = format!("/api/v1/organization/{organization}");
    let workspace = json!({"name": "a", "source": "https://git.example/a.git"});
    let workspace = server.create(&format!("{base}/workspace"), new("workspace", workspace)).await;
    let flow = "flow:\n- {type: customScripts, step: 1, commands: [{runtime: BASH, script: ls}]}\n";
    let mut job = new("job", json!({"tcl": tcl(flow)}));
    job["data"]["relationships"] = json!({"workspace": {"data": {"type": "workspace", "id": workspace}}});
    server.create(&format!("{base}/job"), job).await;
    let read = async || std::fs::read_to_string(&seen).ok().filter(|text| text.contains("GIT_TERMINAL_PROMPT"));
    let seen = crate::harness::wait_for("a call of git", read).await;
    assert!(
        !seen.contains("ababab") && seen.contains(&path) && seen.contains("https_proxy=http://proxy.example"),
        "{seen}"
    );
}

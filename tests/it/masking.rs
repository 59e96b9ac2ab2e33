//! Masking from end to end: what real programs print, in lines that are longer than a piece, on both streams and both runners.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::harness::{Furnished, TestApp};
use crate::runner::docker_image;
use crate::server::{Server, done};
use crate::terrakube::House;

/// The runners that can be tested here.
fn runners() -> Vec<&'static str> {
    let mut runners = vec!["process"];
    runners.extend(docker_image().map(|_| "docker"));
    runners
}

/// Creates and runs a job with secrets, and returns its run and its log.
async fn log_of(server: &Server, secrets: &[(&str, &str)], script: &str) -> (Value, String) {
    let jobs = server.get(&server.jobs_path()).await;
    let registry = jobs["results"][0]["source"]["image"]["registry_id"].clone();
    let body = json!({
        "name": format!("leaky {}", uuid::Uuid::now_v7()), "healthchecks": {}, "memory": 64,
        "source": {"image": {"image_name": "library/busybox", "tag": "1.36.1", "registry_id": registry}},
        "schedule": {"on_start": {"entrypoint": "/bin/sh", "arguments": ["-c", script]}},
    });
    let (status, job, text) = server.call("POST", &server.jobs_path(), Some(body)).await;
    assert_eq!(status, 201, "{text}");
    let job = job["id"].as_str().unwrap();
    for (key, value) in secrets {
        let secret = json!({"key": key, "value": value});
        assert_eq!(server.call("POST", &format!("/job/{job}/secret"), Some(secret)).await.0, 201);
    }
    assert_eq!(server.call("POST", &format!("/job/{job}/deploy"), Some(json!({}))).await.0, 202);
    let run = server.run(job, 120, done).await;
    let (_, _, log) = server.call("GET", &format!("/run/{}/log", run["id"].as_str().unwrap()), None).await;
    (run, log)
}

/// A secret across the end of a piece, which has 1 MiB, is masked on both streams.
#[tokio::test(flavor = "multi_thread")]
async fn secrets_across_the_pieces_of_a_long_line() {
    for runner in runners() {
        let folder = tempfile::tempdir().unwrap();
        let server = Server::start(folder.path(), &["serve", "--demo", "--runner", runner], None);
        let secret = "correct<horse>battery";
        let script = "for stream in 1 2; do (head -c 16380 /dev/zero | tr '\\0' x; printf %s \"$PASSWORD\"; \
             head -c 1032180 /dev/zero | tr '\\0' y; printf %s \"$PASSWORD\"; \
             head -c 6000000 /dev/zero | tr '\\0' z; printf '%s\\n' \"$PASSWORD\") >&$stream; done";
        let (run, log) = log_of(&server, &[("PASSWORD", secret)], script).await;
        assert_eq!(run["state"], "SUCCEEDED", "{runner}: {run}");
        // Not even a part of it is there.
        let leaks: Vec<usize> = ["corr", "horse", "battery"].iter().filter_map(|part| log.find(part)).collect();
        assert!(leaks.is_empty(), "{runner}: {leaks:?}");
        let count = |letter| log.matches(letter).count();
        assert_eq!(
            (count("********"), count("x"), count("y"), count("z")),
            (6, 32_760, 2_064_360, 12_000_000),
            "{runner}"
        );
    }
}

/// The forms in which shells and other tools print secrets are masked, and the leaves of structured values.
#[tokio::test(flavor = "multi_thread")]
async fn forms_that_tools_print() {
    for runner in runners() {
        let folder = tempfile::tempdir().unwrap();
        let server = Server::start(folder.path(), &["serve", "--demo", "--runner", runner], None);
        let structured = r#"{"user": {"token": "tok<e>n&\"7"}, "pin": 4711471}"#;
        let secrets = [
            ("QUOTED", "it's \"12\" $5\\n"),
            ("PLAIN", "hunter22"),
            ("STRUCTURED", structured),
            ("LINES", "true\n1234\nlong enough to mask\nnull"),
        ];
        let script = "exec 2>&1; set -x; : \"$QUOTED\"; set +x; printf 'user:%s' \"$PLAIN\" | base64; \
             echo 'a true 1234 null z'; echo 'one: long enough to mask.'; printf '%s\\n' \"$LINES\"; \
             echo \"https://user:$PLAIN@host/\"; echo 'tok<e>n&\"7 tok\\u003ce\\u003en\\u0026\\\"7 tok%3Ce%3En%26%227 4711471'";
        let (run, log) = log_of(&server, &secrets, script).await;
        assert_eq!(run["state"], "SUCCEEDED", "{runner}: {run}");
        let basic = STANDARD.encode("user:hunter22");
        for leak in ["12", "hunter22", basic.as_str(), "tok", "4711471", "long enough"] {
            let expected = if leak == "12" { 1 } else { 0 };
            assert_eq!(log.matches(leak).count(), expected, "{runner}: {leak} in {log}");
        }
        // Lines that are common words are masked only where the whole secret is.
        assert_eq!(log.matches("a true 1234 null z\n").count(), 1, "{runner}: {log}");
        assert!(log.contains("one: ********.\n********\n********\n********\n********\n"), "{runner}: {log}");
        assert!(log.ends_with("https://user:********@host/\n******** ******** ******** ********\n"), "{runner}: {log}");
    }
}

/// A running job with the secret `correct horse`.
async fn leaky(app: &TestApp, it: &Furnished) -> String {
    let job = it.create(it.lifecycle("leaky")).await;
    it.client
        .post(&format!("/job/{job}/secret"), json!({"key": "PASSWORD", "value": "correct horse"}))
        .await
        .expect(201);
    it.client.post(&format!("/job/{job}/deploy"), json!({})).await.expect(202);
    app.settle().await;
    job
}

/// Lines of one stream that come between the pieces of a line of the other one, a takeover by another server in the middle of a secret,
/// and more lines than can wait: no part of the secret is stored.
#[tokio::test]
async fn a_takeover_in_the_middle_of_a_secret() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = leaky(&app, &it).await;
    let run = it.runs(&job).await.remove(0);
    let log = async || it.client.get(&format!("/run/{}/log", run["id"].as_str().unwrap())).await.text;
    let name = app.runner.steps().remove(0);
    // Character by character, the secret is never the end of one piece.
    for piece in ["so: c", "o", "r", "r"] {
        app.runner.write_open(&name, piece);
        app.settle().await;
    }
    assert_eq!(log().await, "");
    app.clock.forward(16);
    let second = app.restarted().await;
    app.runner.write_errors(&name, &["other"; 100]);
    second.settle().await;
    assert_eq!(log().await.lines().take(2).collect::<Vec<_>>(), ["so: ********", ""], "what cannot wait is masked");
    second.clock.forward(16);
    let third = second.restarted().await;
    app.runner.write_open(&name, "ect ho");
    third.settle().await;
    app.runner.write(&name, &["rse!"]);
    app.runner.exit_all(0);
    third.settle().await;
    let (errors, rest): (Vec<String>, Vec<String>) =
        log().await.lines().map(str::to_owned).partition(|line| line == "other");
    assert_eq!((errors.len(), rest), (100, ["so: ********", "", "", "", "********", "!"].map(str::to_owned).to_vec()));
}

/// Reasons that repeat what a step wrote are masked, and an output that contains a secret is one.
#[tokio::test]
async fn reasons_and_outputs_are_masked() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = leaky(&app, &it).await;
    let name = app.runner.steps().remove(0);
    let file = r#"{"URL": {"value": "https://u:correct%20horse@h", "description": "with correct horse"},
        "PLAIN": {"value": "nothing"}, "bad name correct horse": {"value": "1"}}"#;
    app.runner.leave(&name, file);
    app.runner.exit_all(0);
    app.settle().await;
    let run = it.runs(&job).await.remove(0);
    let reason = run["reason"].as_str().unwrap();
    assert!(reason.contains("bad name ********") && !reason.contains("correct"), "{reason}");
    let rows = it.client.get(&format!("/variable?parent_id={}&scope=ENVIRONMENT", it.environment)).await;
    assert!(!rows.text.contains("correct"), "{}", rows.text);
    let variables = it.client.get(&format!("/environment/{}/secret", it.environment)).await.text;
    assert!(
        variables.contains("_URL") && !variables.contains("_PLAIN") && !variables.contains("correct"),
        "{variables}"
    );
    // Why an attempt could not be started.
    app.runner.fail_starts(Some("pod message: correct horse is wrong"));
    it.client.post(&format!("/job/{job}/deploy"), json!({})).await.expect(202);
    app.settle().await;
    let failed = it.runs(&job).await.into_iter().find(|run| run["state"] == "FAILED").unwrap();
    assert!(failed["reason"].as_str().unwrap().contains("pod message: ******** is wrong"), "{failed}");
}

/// The texts and numbers of a sensitive expression are masked, wherever they are in it.
#[tokio::test]
async fn leaves_of_sensitive_workspace_variables() {
    let house = House::new().await;
    let workspace = house.workspace("a").await;
    let value = "{ password = \"p<a>ss&word\", port = 54321, hosts = [\"alpha-host\", { name = \"beta-host\" }], on = true, \
         cert = <<EOT\nfirst line of it\ntrue\nEOT\n}";
    let variable = json!({"key": "db", "value": value, "hcl": true, "category": "TERRAFORM", "sensitive": true});
    house.create(&format!("workspace/{workspace}/variable"), "variable", variable).await;
    let plan = house.template("Plan").await;
    house.start(&workspace, json!({"templateReference": plan})).await;
    house.app.settle().await;
    let name = house.app.runner.steps().remove(0);
    let lines = [
        r#"p<a>ss&word, "p\u003ca\u003ess\u0026word""#,
        "port 54321 of alpha-host, beta-host",
        "true password",
        "first line of it",
    ];
    house.app.runner.write(&name, &lines);
    house.app.runner.exit_all(1);
    house.app.settle().await;
    let step = house.get("job/1/step").await["data"][0].clone();
    let output = step["attributes"]["output"].as_str().unwrap();
    let log = house.client.get(&output.replace("https://windlass.example", "")).await;
    let expected = ["********, \"********\"", "port ******** of ********, ********", "true password", "********"];
    assert_eq!(log.text.lines().take(4).collect::<Vec<_>>(), expected);
}

//! The overhead of a run in a container.

use std::process::Command;
use std::time::{Duration, Instant};

use super::server::serve;
use super::table::Table;

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// A run of a container, compared with the same container started by the Docker command line.
pub(crate) async fn over_docker(table: &mut Table, image: &str) {
    let folder = tempfile::tempdir().unwrap();
    let (_server, url, token) = serve(folder.path(), &["--runner", "docker", "--demo"]);
    let _installed = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::new();
    let call = async |method: &str, path: &str, body: Option<serde_json::Value>| -> serde_json::Value {
        let request = client.request(method.parse().unwrap(), format!("{url}{path}"));
        let mut request = request.header("Authorization", format!("Token {token}"));
        if let Some(body) = body {
            request = request.header("Content-Type", "application/json").body(body.to_string());
        }
        request.send().await.unwrap().json().await.unwrap()
    };
    let organization = call("GET", "/organization", None).await["results"][0]["id"].as_str().unwrap().to_owned();
    let services = call("GET", &format!("/organization/{organization}/services"), None).await;
    let cron = services["results"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["job_type"] == "CRON" || one["name"].as_str().is_some());
    let job = cron.unwrap()["id"].as_str().unwrap().to_owned();
    let (mut own, mut plain) = (Vec::new(), Vec::new());
    let (name, tag) = image.rsplit_once(':').unwrap();
    assert!(name.contains("busybox") && !tag.is_empty());
    for _ in 0..15 {
        let begin = Instant::now();
        let body = serde_json::json!({"entrypoint": "/bin/true", "arguments": []});
        let run = call("POST", &format!("/job/{job}/run"), Some(body)).await;
        let run = run["id"].as_str().unwrap().to_owned();
        loop {
            let state = call("GET", &format!("/run/{run}"), None).await["state"].as_str().unwrap().to_owned();
            match state.as_str() {
                "QUEUED" | "RUNNING" => tokio::time::sleep(Duration::from_millis(3)).await,
                "SUCCEEDED" => break,
                other => panic!("the run is {other}"),
            }
        }
        own.push(begin.elapsed().as_secs_f64() * 1000.0);
        let begin = Instant::now();
        let words = ["run", "--rm", "--cpus", "0.5", "--memory", "512m", "--entrypoint", "/bin/true", image];
        assert!(Command::new("docker").args(words).status().unwrap().success());
        plain.push(begin.elapsed().as_secs_f64() * 1000.0);
    }
    let (own, plain) = (median(own), median(plain));
    table.row("docker run, and the same as a run", format!("{plain:.0} ms, {own:.0} ms"));
    table.row("... overhead", format!("{:.0} ms", own - plain));
}

//! What an operator reads at the level info: one line for each step in the life of a run and of a deployment, with its ids.

use std::fs::File;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::harness::wait_for;

/// A server with samples; killed when dropped.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _killed = self.0.kill();
        let _ended = self.0.wait();
    }
}

/// The lines of the log, which is one JSON object each.
fn lines(log: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(log).unwrap();
    // The last line may be half written.
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

fn with<'a>(lines: &'a [Value], message: &str) -> Vec<&'a Value> {
    lines.iter().map(|line| &line["fields"]).filter(|fields| fields["message"] == message).collect()
}

#[tokio::test]
async fn runs_and_deployments_are_logged_from_start_to_end() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let words =
        ["serve", "--demo", "--runner", "process", "--listen", "127.0.0.1:0", "--log", "info", "--log-format", "json"];
    let mut command = Command::new(env!("CARGO_BIN_EXE_windlass"));
    command.args(words).current_dir(folder.path()).stdin(Stdio::null());
    // Wherever the lines go: the greeting is no JSON.
    let file = File::create(&log).unwrap();
    command.stdout(file.try_clone().unwrap()).stderr(file);
    let _server = Server(command.spawn().unwrap());
    let lines = wait_for("the end of a run and of its deployment", async || {
        let lines = lines(&log);
        let ended = !with(&lines, "run ended").is_empty() && !with(&lines, "deployment ended").is_empty();
        ended.then_some(lines)
    })
    .await;
    let ended = with(&lines, "run ended")[0];
    let run = &ended["run"];
    assert!(run.as_str().is_some_and(|id| id.len() == 36), "{ended}");
    assert_eq!((&ended["state"], &ended["exit_code"]), (&Value::from("SUCCEEDED"), &Value::from(0)), "{ended}");
    assert!(ended["seconds"].as_f64().is_some_and(|seconds| seconds > 0.0), "{ended}");
    for message in ["run claimed", "run started"] {
        let of_run = with(&lines, message).into_iter().filter(|fields| &fields["run"] == run).count();
        assert_eq!(of_run, 1, "{message}");
    }
    let finished = with(&lines, "deployment ended")[0];
    assert_eq!(
        (&finished["outcome"], &finished["action"]),
        (&Value::from("SUCCEEDED"), &Value::from("DEPLOY")),
        "{finished}"
    );
    let started = with(&lines, "deployment started")[0];
    for field in ["deployment", "environment"] {
        assert!(started[field].is_string() && started[field] == finished[field], "{started} {finished}");
    }
}

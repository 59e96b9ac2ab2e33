//! An agent may talk to any server: one that owns none of its runs.

use serde_json::json;

use super::{AgentProcess, Site, started, text};
use crate::server::{Server, done};

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_talks_to_a_server_that_owns_no_run() {
    if std::env::var("WINDLASS_TEST_DATABASE_URL").is_err() {
        return;
    }
    let mut site = Site::new(&[]).await;
    // The second server has the keys of the first one, and claims nothing.
    let key = site.folder.path().join("windlass-data/secret.key");
    let key = format!("{}", key.display());
    let folder = site.folder.path().join("second");
    std::fs::create_dir(&folder).unwrap();
    let mut words: Vec<String> = site.words().into_iter().filter(|word| *word != "--demo").map(str::to_owned).collect();
    let listen = words.iter().position(|word| word == "--listen").unwrap();
    words[listen + 1] = "127.0.0.1:0".into();
    words.extend(["--max-runs", "0", "--secret-key-file", &key].map(str::to_owned));
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let second = Server::start(&folder, &words, Some(&site.server().token));
    let agent =
        AgentProcess::start(&site.folder.path().join("agent"), &second.url, &site.token, &["--runner", "process"]);
    let job = site.deployed("echo hello; exit 2").await;
    let run = site.server().run(&job, 60, done).await;
    assert_eq!((&run["state"], &run["exit_code"]), (&json!("FAILED"), &json!(2)), "{run}: {}", agent.log());
    assert!(site.log(&run).await.contains("hello"));
    // The first server is killed, and one that owns nothing yet takes its run over.
    let job = site.deployed("i=0; while [ $i -lt 80 ]; do echo \"line $i\"; i=$((i+1)); sleep 0.1; done; exit 7").await;
    let run = site.server().run(&job, 60, started).await;
    site.logged(&run, "line 3").await;
    let token = site.kill_server();
    site.start_server(&token);
    let run = site.server().run(&job, 60, done).await;
    assert_eq!((&run["state"], &run["exit_code"]), (&json!("FAILED"), &json!(7)), "{run}: {}", agent.log());
    let log = site.log(&run).await;
    assert_eq!(log.lines().filter(|line| line.starts_with("line ")).count(), 80, "{}", text(&run["id"]));
}

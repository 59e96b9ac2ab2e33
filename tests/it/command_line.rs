//! The client: its commands as a person and as a script types them, against a server of the same program.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use crate::server::Server;

struct Client<'a> {
    server: &'a Server,
    home: &'a Path,
}

impl Client<'_> {
    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_windlass"));
        command.args(words).env_remove("WINDLASS_CONTEXT").env_remove("WINDLASS_ORGANIZATION");
        command.env("WINDLASS_URL", &self.server.url).env("WINDLASS_TOKEN", &self.server.token);
        command.env("WINDLASS_CONFIG_FOLDER", self.home);
        command
    }

    fn run(&self, words: &[&str]) -> Output {
        self.command(words).output().unwrap()
    }

    /// What a command prints, which must end with this exit code.
    fn prints(&self, words: &[&str], code: i32) -> String {
        let done = self.run(words);
        let errors = String::from_utf8_lossy(&done.stderr).into_owned();
        assert_eq!(done.status.code(), Some(code), "{words:?}: {errors}");
        String::from_utf8(done.stdout).unwrap()
    }

    fn fails(&self, words: &[&str], code: i32) -> String {
        let done = self.run(words);
        assert_eq!(done.status.code(), Some(code), "{words:?}");
        String::from_utf8(done.stderr).unwrap()
    }

    fn json(&self, words: &[&str]) -> Value {
        let words = [words, &["-o", "json"]].concat();
        serde_json::from_str(&self.prints(&words, 0)).unwrap()
    }
}

fn demo(folder: &Path) -> Server {
    Server::start(folder, &["serve", "--demo", "--runner", "process"], None)
}

#[tokio::test]
async fn jobs_are_run_and_read_by_their_names() {
    let folder = tempfile::tempdir().unwrap();
    let server = demo(folder.path());
    let client = Client { server: &server, home: &folder.path().join("client") };
    let status = client.prints(&["status"], 0);
    assert_eq!(status.lines().count(), 2, "one line for each job, without a header: {status}");
    let cron = status.lines().find(|line| line.starts_with("every minute\tdemo/demo\t")).unwrap();
    assert!(cron.contains("every minute (Etc/UTC)"), "{cron}");

    let log = client.prints(&["job", "run", "demo/EVERY minute", "--watch", "-e", "A=1", "--", "-c", "echo got $A"], 0);
    assert_eq!(log, "got 1\n");
    let failed = client.fails(&["job", "run", "every minute", "--watch", "--", "-c", "exit 3"], 5);
    assert!(failed.contains("failed") && failed.contains("exit code 3"), "{failed}");
    let history = client.prints(&["job", "history", "every minute"], 0);
    let newest: Vec<&str> = history.lines().next().unwrap().split('\t').collect();
    assert_eq!((newest[2], newest[3], newest[6]), ("failed", "manual", "3"));

    let number = newest[0];
    assert!(client.prints(&["run", "get", number], 0).starts_with(&format!("run {number} failed")));
    assert_eq!(client.json(&["run", "get", number])["exit_code"], 3);
    let again = client.fails(&["run", "rerun", number, "--watch"], 5);
    assert!(again.contains("exit code 3"), "{again}");
    let listed = client.prints(&["run", "list", "--job", "every minute", "--state", "failed"], 0);
    assert!(listed.lines().count() >= 2 && listed.contains("demo/every minute"), "{listed}");
    assert_eq!(client.json(&["status"])["failing"], 1);
    assert!(client.fails(&["status", "--failed", "--exit-status"], 5).contains("failed"));
}

#[tokio::test]
async fn schedules_are_explained_paused_and_resumed() {
    let folder = tempfile::tempdir().unwrap();
    let server = demo(folder.path());
    let client = Client { server: &server, home: folder.path() };
    let times = client.json(&["job", "next", "every minute", "--count", "3"]);
    assert_eq!(times["results"].as_array().unwrap().len(), 3);
    assert!(client.prints(&["job", "pause", "every minute"], 0).contains("is paused"));
    let next = client.prints(&["job", "next", "every minute", "--count", "1"], 0);
    assert!(next.contains("skipped: paused"), "{next}");
    let explained = client.prints(&["job", "explain", "every minute"], 0);
    assert!(explained.contains("demo/demo/every minute at "), "{explained}");
    assert!(client.prints(&["job", "resume", "every minute"], 0).contains("goes on"));
    let skip = client.prints(&["job", "skip", "every minute"], 0);
    assert!(skip.contains("skips 20"), "{skip}");
    assert!(client.prints(&["stop", "demo", "--watch"], 0).is_empty(), "what is watched is told on standard error");
    assert!(client.prints(&["deploy", "demo/demo", "--watch"], 0).is_empty());
    assert!(client.fails(&["job", "explain", "every minute", "--at", "yesterday"], 2).contains("--at"));
}

#[tokio::test]
async fn projects_and_environments_are_created_and_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let server = demo(folder.path());
    let client = Client { server: &server, home: folder.path() };
    client.prints(&["project", "create", "shop"], 0);
    client.prints(&["env", "create", "demo", "--project", "shop", "--mode", "staging"], 0);
    let environments = client.prints(&["env", "list"], 0);
    assert!(environments.contains("shop/demo\tstaging\t"), "{environments}");
    let ambiguous = client.fails(&["deploy", "demo"], 2);
    assert!(ambiguous.contains("demo/demo") && ambiguous.contains("shop/demo"), "{ambiguous}");
    assert!(client.fails(&["env", "delete", "shop/demo"], 2).contains("--yes"));
    client.prints(&["env", "delete", "shop/demo", "--yes"], 0);
    assert!(
        client.fails(&["env", "create", "demo", "--project", "nothing"], 3).contains("there is no project nothing")
    );
    let yaml = client.prints(&["project", "list", "-o", "yaml"], 0);
    assert!(yaml.contains("name: shop"), "{yaml}");
}

#[tokio::test]
async fn a_stored_context_is_used_and_its_token_goes_nowhere_else() {
    let folder = tempfile::tempdir().unwrap();
    let server = demo(folder.path());
    let home = folder.path().join("client");
    let client = Client { server: &server, home: &home };
    assert!(client.prints(&["login", "--name", "here"], 0).contains("signed in"));
    let without = |words: &[&str]| {
        client.command(words).env_remove("WINDLASS_URL").env_remove("WINDLASS_TOKEN").output().unwrap()
    };
    assert_eq!(without(&["status"]).status.code(), Some(0));
    let file = std::fs::metadata(home.join("contexts.json")).unwrap();
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&file.permissions()) & 0o777, 0o600);
    let elsewhere = client
        .command(&["status"])
        .env_remove("WINDLASS_TOKEN")
        .env("WINDLASS_URL", "http://127.0.0.1:1")
        .output()
        .unwrap();
    assert_eq!(elsewhere.status.code(), Some(4), "the token of one server is not sent to another");
    let wrong = client.command(&["login"]).env("WINDLASS_TOKEN", "windlass_wrong").output().unwrap();
    assert_eq!(wrong.status.code(), Some(4));
    assert!(client.prints(&["context", "list"], 0).contains("here\t"));
    client.prints(&["context", "delete", "here"], 0);
    assert_eq!(without(&["status"]).status.code(), Some(4));
    let nobody = client.command(&["status"]).env("WINDLASS_URL", "http://127.0.0.1:1").output().unwrap();
    assert_eq!(nobody.status.code(), Some(1));
    assert!(String::from_utf8(nobody.stderr).unwrap().contains("cannot be reached"));
}

/// A script reads the same names of fields in every release.
#[tokio::test]
async fn help_and_completions_name_every_command() {
    let folder = tempfile::tempdir().unwrap();
    let program = |words: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_windlass"));
        let done = command.args(words).current_dir(folder.path()).output().unwrap();
        assert!(done.status.success(), "{words:?}: {}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8(done.stdout).unwrap()
    };
    let help = program(&["--help"]);
    let completions = program(&["completions", "bash"]);
    for command in ["status", "job", "run", "project", "env", "deploy", "stop", "login", "context", "completions"] {
        assert!(help.contains(&format!("  {command} ")), "{command}: {help}");
        assert!(completions.contains(command), "{command}");
        let own = program(&[command, "--help"]);
        assert!(!own.contains("--max-runs"), "settings of the server are no flags of {command}: {own}");
    }
    assert!(help.contains("serve") && help.contains("--max-runs"));
    assert!(program(&["help", "job"]).contains("explain"));
}

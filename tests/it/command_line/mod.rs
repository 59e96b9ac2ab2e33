//! The client: its commands as a person and as a script types them, against a server of the same program.

mod device;
mod exec;
mod files;
mod import;
mod jobs;
mod states;

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use crate::server::Server;
use crate::terrakube::terraform::{Site, tools};

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
    // A run of the schedule would be the newest one, once in a minute.
    client.prints(&["job", "pause", "every minute"], 0);

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
    let written = [format!("{}/", server.url), server.url.replace("http", "HTTP")];
    for url in written {
        let same = client.command(&["status"]).env_remove("WINDLASS_TOKEN").env("WINDLASS_URL", &url).output().unwrap();
        assert_eq!(same.status.code(), Some(0), "{url}: the same server");
    }
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

#[tokio::test]
async fn variables_and_secrets_are_set_where_they_belong() {
    let folder = tempfile::tempdir().unwrap();
    let server = demo(folder.path());
    let client = Client { server: &server, home: folder.path() };
    let said = client.prints(&["variable", "set", "REGION=eu=west", "--env", "demo"], 0);
    assert_eq!(said, "the variable REGION of demo/demo is created; deployments use it from now on\n");
    client.prints(&["variable", "set", "REGION=us", "--job", "every minute"], 0);
    assert!(client.prints(&["variable", "set", "REGION=asia", "--job", "every minute"], 0).contains("is changed"));
    let listed = client.prints(&["variable", "list", "--job", "every minute"], 0);
    assert!(listed.lines().any(|line| line == "REGION\tjob\tasia"), "{listed}");
    assert!(client.prints(&["variable", "list", "--env", "demo"], 0).contains("REGION\tenvironment\teu=west"));

    let file = folder.path().join("password");
    std::fs::write(&file, "hush-hush").unwrap();
    client.prints(&["secret", "set", "PASSWORD", "--from-file", file.to_str().unwrap(), "--project", "demo"], 0);
    let typed = client
        .command(&["secret", "set", "TOKEN", "--env", "demo", "--from-env", "OF_TEST"])
        .env("OF_TEST", "t")
        .output();
    assert!(typed.unwrap().status.success());
    assert!(client.fails(&["secret", "set", "PASSWORD=x", "--env", "demo"], 2).contains("standard input"));
    assert!(client.fails(&["variable", "set", "PASSWORD=x", "--project", "demo"], 2).contains("windlass secret set"));
    assert!(client.fails(&["variable", "set", "A=x"], 2).contains("--project"));
    let secrets = client.prints(&["secret", "list", "--env", "demo"], 0);
    assert!(secrets.contains("PASSWORD\tproject") && !secrets.contains("hush"), "{secrets}");
    client.prints(&["deploy", "demo", "--watch"], 0);
    let log = client.prints(&["job", "run", "every minute", "--watch", "--", "-c", "echo $REGION ${#PASSWORD}"], 0);
    assert_eq!(log, "asia 9\n");

    assert!(client.fails(&["variable", "delete", "REGION", "--project", "demo", "--yes"], 3).contains("of its own"));
    assert!(client.fails(&["variable", "delete", "REGION", "--env", "demo"], 2).contains("--yes"));
    client.prints(&["variable", "delete", "REGION", "--job", "every minute", "--yes"], 0);
    client.prints(&["secret", "delete", "PASSWORD", "--project", "demo", "--yes"], 0);
    client.prints(&["deploy", "demo", "--watch"], 0);
    let log = client.prints(&["job", "run", "every minute", "--watch", "--", "-c", "echo $REGION ${#PASSWORD}"], 0);
    assert_eq!(log, "eu=west 0\n");
}

/// What people have in their crontabs: variables, mail, pipes, `%`, locks, names, steps, and what has no equivalent.
const CRONTAB: &str = r"
SHELL=/bin/sh
PATH=/usr/local/bin:/usr/bin:/bin
MAILTO=ops@example.com
REGION=eu

# The nightly backup
30 2 * * * echo backed up $REGION
*/5 8-17 * * mon-fri printf 'a\nb\n' | grep -c .
0 6 1 * * cat%Dear boss,%all is well 100\%.
0 0 */2 * 1 flock -n FOLDER/lock echo cleaned
@daily echo $PATH
@hourly exit 3
15 4 * * sun echo weekly
0 22-23 * * * echo late
5,35 * * * * echo twice an hour
@reboot /opt/agent
60 * * * * /opt/never
0 4 * * *
";

#[tokio::test]
async fn a_crontab_comes_over_and_runs() {
    let folder = tempfile::tempdir().unwrap();
    let server = demo(folder.path());
    let client = Client { server: &server, home: folder.path() };
    let file = folder.path().join("crontab");
    std::fs::write(&file, CRONTAB.replace("FOLDER", folder.path().to_str().unwrap())).unwrap();
    let file = file.to_str().unwrap();
    let import = ["import", "crontab", file, "--dialect", "vixie", "--time-zone", "Europe/Paris"];

    // Without --apply, no server is asked.
    let alone = client
        .command(&import)
        .env_remove("WINDLASS_TOKEN")
        .env("WINDLASS_URL", "http://127.0.0.1:1")
        .output()
        .unwrap();
    let told = String::from_utf8(alone.stdout).unwrap();
    assert_eq!(alone.status.code(), Some(5), "{told}");
    let of = |what: &str| told.lines().filter(|line| line.split('\t').nth(1) == Some(what)).count();
    assert_eq!((of("job"), of("refused")), (10, 2), "{told}");
    assert!(told.contains("ops@example.com") && told.contains("start of the server"), "{told}");

    let apply = [&import[..], &["--apply", "--deploy", "--env", "demo"]].concat();
    let done = client.run(&apply);
    let told = String::from_utf8(done.stdout).unwrap();
    assert_eq!(told.matches("\tcreated\t").count(), 10, "{told}");
    let again = String::from_utf8(client.run(&apply).stdout).unwrap();
    assert_eq!((again.matches("\tcreated\t").count(), again.matches("\texists\t").count()), (0, 10), "{again}");

    let jobs = client.prints(&["job", "list"], 0);
    let name = |schedule: &str| {
        let line = jobs.lines().find(|line| line.contains(schedule)).unwrap_or_else(|| panic!("{schedule}: {jobs}"));
        line.split('\t').next().unwrap().to_owned()
    };
    client.prints(&["deploy", "demo", "--watch"], 0);
    for (schedule, log) in [("02:30", "backed up eu\n"), ("06:00", "Dear boss,\nall is well 100%.")] {
        let found = client.prints(&["job", "run", &name(schedule), "--watch"], 0);
        assert_eq!(found.trim_end(), log.trim_end());
    }
    let listed = client.json(&["job", "list"]);
    let all: Vec<&str> =
        listed["results"].as_array().unwrap().iter().map(|job| job["name"].as_str().unwrap()).collect();
    assert_eq!(all.len(), 12, "{all:?}");
    let lock = client.prints(&["job", "run", "echo-2", "--watch"], 0);
    assert_eq!(lock, "cleaned\n");

    // A workflow has no command of its own, so that one has to be given.
    let workflow = folder.path().join("weekly.yml");
    std::fs::write(&workflow, "on:\n  schedule:\n    - cron: '0 6 * * 1'\n      timezone: Asia/Tokyo\n").unwrap();
    let github = ["import", "github", workflow.to_str().unwrap(), "--apply", "--deploy", "--env", "demo"];
    let missing = client.run(&github);
    let told = String::from_utf8(missing.stdout).unwrap();
    assert_eq!(missing.status.code(), Some(5), "{told}");
    assert!(told.contains("\tfailed\tweekly\t") && told.contains("give --command"), "{told}");
    let told = client.prints(&[&github[..], &["--command", "echo from elsewhere"]].concat(), 0);
    assert!(told.contains("\tcreated\tweekly\t0 6 * * 1 (Asia/Tokyo)\t"), "{told}");
    client.prints(&["deploy", "demo", "--watch"], 0);
    assert_eq!(client.prints(&["job", "run", "weekly", "--watch"], 0), "from elsewhere\n");
    let said =
        client.prints(&["import", "expression", "0 0 6 ? * 2", "--dialect", "quartz", "--time-zone", "Asia/Tokyo"], 0);
    assert!(said.starts_with("schedule\t0 6 * * 1\n") && said.matches("T06:00:00+09:00\n").count() == 5, "{said}");

    assert!(client.fails(&["import", "crontab", "/nowhere"], 2).contains("/nowhere"));
    assert!(client.fails(&["import", "crontab", file, "--apply"], 2).contains("--env"));
}

#[tokio::test]
async fn workspaces_are_planned_approved_and_read() {
    let Some((tools, tool)) = tools().into_iter().next() else { return };
    let site = Site::with(tools, tool, &["--runner", "process"]).await;
    let client = Client { server: site.server(), home: site.folder() };
    site.workspace(&[("who", "me", false)]).await;
    let listed = client.prints(&["workspace", "list"], 0);
    let name = listed.split('\t').next().unwrap();
    let plan = client.prints(&["workspace", "plan", name], 0);
    assert!(plan.contains("1 to add"), "{plan}");
    assert!(client.fails(&["workspace", "approve", name], 3).contains("waits for an approval"));
    let run = ["workspace", "run", name, "--template", "Terraform-Plan/Apply-Cli", "--watch"];
    assert!(client.prints(&run, 0).contains("1 to add"));
    assert!(client.prints(&["workspace", "reject", name], 0).contains("is rejected"));
    client.prints(&run, 0);
    let applied = client.prints(&["workspace", "approve", name, "--watch"], 0);
    assert!(applied.contains("Apply complete"), "{applied}");
    assert_eq!(client.prints(&["workspace", "output", name, "who"], 0), "me-0\n");
    assert_eq!(client.prints(&["workspace", "output", name], 0), "who\tme-0\n");
    assert_eq!(client.json(&["workspace", "state", "export", name])["outputs"]["who"]["value"], "me-0");
    assert!(client.fails(&["workspace", "output", name, "where"], 3).contains("no output where"));
    assert!(client.fails(&["workspace", "run", name, "--template", "nothing"], 3).contains("no template nothing"));
    assert!(client.fails(&["workspace", "plan", "nothing"], 3).contains(name));
}

#[tokio::test]
async fn tokens_are_created_and_revoked() {
    let folder = tempfile::tempdir().unwrap();
    let server = demo(folder.path());
    let client = Client { server: &server, home: folder.path() };
    let created = client.run(&["api-token", "create", "ci", "--role", "Viewer", "--description", "for the pipeline"]);
    assert!(created.status.success(), "{created:?}");
    let token = String::from_utf8(created.stdout).unwrap();
    let listed = client.prints(&["api-token", "list"], 0);
    let line = listed.lines().find(|line| line.starts_with("ci\t")).unwrap();
    assert!(line.to_lowercase().contains("viewer") && line.contains("for the pipeline"), "{line}");
    assert!(!listed.contains(token.trim()), "{listed}");
    let with = |words: &[&str]| client.command(words).env("WINDLASS_TOKEN", token.trim()).output().unwrap();
    assert!(with(&["job", "list"]).status.success());
    assert_eq!(with(&["project", "create", "x"]).status.code(), Some(1), "a viewer changes nothing");
    assert!(client.fails(&["api-token", "revoke", "ci"], 2).contains("--yes"));
    assert_eq!(client.prints(&["api-token", "revoke", "ci", "--yes"], 0), "the token ci is revoked\n");
    assert_eq!(with(&["job", "list"]).status.code(), Some(4));
    assert!(client.fails(&["api-token", "revoke", "ci", "--yes"], 3).contains("there is no token ci"));
    assert!(client.fails(&["api-token", "create", "x", "--role", "king"], 3).contains("there are: "));
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
    for command in [
        "status",
        "job",
        "run",
        "project",
        "env",
        "variable",
        "secret",
        "workspace",
        "check",
        "exec",
        "import",
        "apply",
        "diff",
        "export",
        "schema",
        "deploy",
        "stop",
        "login",
        "context",
        "completions",
        "man",
    ] {
        assert!(help.contains(&format!("  {command} ")), "{command}: {help}");
        assert!(completions.contains(command), "{command}");
        let own = program(&[command, "--help"]);
        assert!(!own.contains("--max-runs"), "settings of the server are no flags of {command}: {own}");
    }
    assert!(help.contains("serve") && help.contains("--max-runs"));
    assert!(program(&["help", "job"]).contains("explain"));
    program(&["man", folder.path().to_str().unwrap()]);
    let page = std::fs::read_to_string(folder.path().join("windlass-job-explain.1")).unwrap();
    assert!(page.contains(".TH") && page.contains("explain"), "{page}");
    let page = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
    for command in ["serve", "migrate", "backup", "restore", "doctor", "token", "healthcheck"] {
        let own = page(&format!("windlass-{command}.1"));
        assert!(own.contains("max\\-runs"), "{command}: {own}");
        assert!(page("windlass.1").contains(&format!("windlass\\-{command}(1)")), "{command}: {}", page("windlass.1"));
        assert!(completions.contains(&format!("windlass__subcmd__{command})")), "{command}");
    }
    assert!(page("windlass.1").contains("windlass\\-job(1)") && !page("windlass.1").contains("max\\-runs"));
}

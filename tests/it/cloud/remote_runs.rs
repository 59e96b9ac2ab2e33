//! The programs themselves, with plans and applies that the server carries out.

use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;

use serde_json::{Value, json};

use super::terraform::{Desk, programs};

impl Desk {
    /// Calls a program that asks something.
    fn answer(&self, folder: &Path, words: &[&str], answer: &str) -> (bool, String) {
        let mut child = self
            .command(folder, words)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(answer.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        (output.status.success(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
    }

    /// The runs of a workspace, the newest first: their statuses.
    async fn statuses(&self, workspace: &str) -> Vec<String> {
        let id = self.workspace(workspace).await["id"].as_str().unwrap().to_owned();
        let (status, body) = self.api("GET", &format!("/api/v2/workspaces/{id}/runs"), None).await;
        assert_eq!(status, 200, "{body}");
        let of = |run: &Value| run["attributes"]["status"].as_str().unwrap().to_owned();
        body["data"].as_array().unwrap().iter().map(of).collect()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn plans_and_applies_of_a_cloud_block() {
    for program in programs() {
        let desk = Desk::with_runs(program);
        let folder = desk.module("named", &desk.cloud("name = \"network\""));
        // What is next to the module comes along, and what is ignored does not.
        std::fs::write(folder.join("word.txt"), "from a file").unwrap();
        std::fs::write(folder.join(".terraformignore"), "secret.txt\n").unwrap();
        std::fs::write(folder.join("secret.txt"), "x").unwrap();
        let files = "output \"file\" { value = file(\"word.txt\") }\n\
                     output \"ignored\" { value = fileexists(\"secret.txt\") }\n";
        std::fs::write(folder.join("files.tf"), files).unwrap();
        desk.run(&folder, &["init", "-input=false", "-no-color"]);
        let plan = desk.run(&folder, &["plan", "-input=false", "-no-color", "-var", "word=zed"]);
        assert!(plan.contains("+ input  = \"zed\"") && plan.contains("Plan: 1 to add"), "{plan}");
        assert_eq!(desk.statuses("network").await, ["planned_and_finished"]);
        let applied = desk.run(&folder, &["apply", "-auto-approve", "-input=false", "-no-color"]);
        assert!(applied.contains("Apply complete! Resources: 1 added"), "{applied}");
        assert_eq!(desk.run(&folder, &["output", "-raw", "word"]), "hello");
        assert_eq!(desk.run(&folder, &["output", "-raw", "file"]), "from a file");
        assert_eq!(desk.run(&folder, &["output", "-raw", "ignored"]), "false");
        // Somebody is asked, and says yes or no.
        let two = ["apply", "-no-color", "-var", "word=two"];
        let (succeeded, text) = desk.answer(&folder, &two, "yes\n");
        assert!(succeeded && text.contains("Apply complete! Resources: 0 added, 1 changed"), "{text}");
        assert_eq!(desk.run(&folder, &["output", "-raw", "word"]), "two");
        let (succeeded, text) = desk.answer(&folder, &["apply", "-no-color", "-var", "word=three"], "no\n");
        assert!(!succeeded, "{text}");
        assert_eq!(desk.statuses("network").await[0], "discarded");
        // Exit codes say whether there are changes.
        let detailed = |word: &str| {
            let word = format!("word={word}");
            let words = ["plan", "-no-color", "-input=false", "-detailed-exitcode", "-var", &word];
            desk.command(&folder, &words).output().unwrap().status.code()
        };
        assert_eq!((detailed("two"), detailed("four")), (Some(0), Some(2)));
        // What a configuration does wrong is said as on one's own machine.
        let wrong = desk.fail(
            &folder,
            &[
                "plan",
                "-no-color",
                "-input=false",
                "-var",
                "unknown=1",
                "-target",
                "no.thing[\"a\"]",
                "-destroy",
                "-refresh=false",
            ],
        );
        assert!(wrong.contains("unknown"), "{wrong}");
        std::fs::write(folder.join("broken.tf"), "output \"broken\" { value = var.missing }\n").unwrap();
        let broken = desk.fail(&folder, &["plan", "-no-color", "-input=false"]);
        assert!(broken.contains("Reference to undeclared input variable"), "{broken}");
        std::fs::remove_file(folder.join("broken.tf")).unwrap();
        let (succeeded, text) = desk.answer(&folder, &["destroy", "-no-color"], "yes\n");
        assert!(succeeded && text.contains("1 destroyed"), "{text}");
        assert_eq!(desk.run(&folder, &["state", "list"]).trim(), "");
        assert_eq!(desk.statuses("network").await[0], "applied");
    }
}

/// A plan that was saved is applied later, unless the state has changed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn saved_plans() {
    for program in programs() {
        let desk = Desk::with_runs(program);
        let folder = desk.module("saved", &desk.cloud("name = \"saved\""));
        desk.run(&folder, &["init", "-input=false", "-no-color"]);
        let save = |word: &str, file: &str| {
            let (word, out) = (format!("word={word}"), format!("-out={file}"));
            desk.run(&folder, &["plan", "-input=false", "-no-color", "-var", &word, &out]);
        };
        save("one", "first.plan");
        save("two", "second.plan");
        let applied = desk.run(&folder, &["apply", "-input=false", "-no-color", "first.plan"]);
        assert!(applied.contains("Apply complete!"), "{applied}");
        assert_eq!(desk.run(&folder, &["output", "-raw", "word"]), "one");
        let stale = desk.fail(&folder, &["apply", "-input=false", "-no-color", "second.plan"]);
        assert!(stale.contains("Saved plan cannot be applied"), "{stale}");
        assert_eq!(desk.statuses("saved").await, ["planned_and_saved", "applied"]);
    }
}

/// A saved plan is shown without sensitive values, and with them only to programs that ask for everything.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn saved_plans_are_shown() {
    for program in programs() {
        let desk = Desk::with_runs(program);
        let folder = desk.module("shown", &desk.cloud("name = \"shown\""));
        let files = "variable \"password\" {\n  sensitive = true\n  default = \"the-password\"\n}\n\
                     resource \"terraform_data\" \"login\" { input = { user = \"me\", password = var.password } }\n";
        std::fs::write(folder.join("login.tf"), files).unwrap();
        desk.run(&folder, &["init", "-input=false", "-no-color"]);
        let plan = |more: &[&str]| {
            desk.run(&folder, &[&["plan", "-input=false", "-no-color", "-out=saved.plan"][..], more].concat());
            desk.run(&folder, &["show", "-no-color", "saved.plan"])
        };
        let shown = plan(&[]);
        for text in [
            "# terraform_data.login will be created",
            "+ password = (sensitive value)",
            "+ input  = \"hello\"",
            "+ secret = (sensitive value)",
            "Plan: 2 to add, 0 to change, 0 to destroy.",
            "Run status: planned and saved (confirmable)",
        ] {
            assert!(shown.contains(text), "{text}: {shown}");
        }
        assert!(!shown.contains("the-password") && !shown.contains("hidden-hello"), "{shown}");
        let id = desk.workspace("shown").await["id"].as_str().unwrap().to_owned();
        let (_, runs) = desk.api("GET", &format!("/api/v2/workspaces/{id}/runs"), None).await;
        let path =
            format!("/api/v2/plans/{}", runs["data"][0]["relationships"]["plan"]["data"]["id"].as_str().unwrap());
        let (status, redacted) = desk.api("GET", &format!("{path}/json-output-redacted"), None).await;
        assert!(
            status == 200 && redacted["provider_schemas"]["terraform.io/builtin/terraform"].is_object(),
            "{redacted}"
        );
        assert!(!redacted.to_string().contains("the-password") && !redacted.to_string().contains("hidden-hello"));
        let whole = desk.run(&folder, &["show", "-json", "saved.plan"]);
        let whole: Value = serde_json::from_str(&whole).unwrap();
        assert_eq!(whole["variables"]["password"]["value"], "the-password");
        desk.run(&folder, &["apply", "-input=false", "-no-color", "saved.plan"]);
        // That a sensitive value changes is said.
        let shown = plan(&["-var", "password=another-password"]);
        assert!(shown.contains("# terraform_data.login will be updated in-place"), "{shown}");
        assert!(shown.contains("~ password = (sensitive value)"), "{shown}");
        assert!(!shown.contains("the-password") && !shown.contains("another-password"), "{shown}");
        // Of other plans there is no JSON form.
        desk.run(&folder, &["plan", "-input=false", "-no-color"]);
        let (_, runs) = desk.api("GET", &format!("/api/v2/workspaces/{id}/runs"), None).await;
        let path =
            format!("/api/v2/plans/{}", runs["data"][0]["relationships"]["plan"]["data"]["id"].as_str().unwrap());
        let (status, refused) = desk.api("GET", &format!("{path}/json-output-redacted"), None).await;
        assert!(status == 404 && refused.to_string().contains("only done for saved plans"), "{refused}");
    }
}

/// The older backend says less to the server, and asks it to apply by itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_remote_backend() {
    for program in programs() {
        let desk = Desk::with_runs(program);
        let folder = desk.module("remote", &desk.remote("name = \"legacy\""));
        desk.run(&folder, &["init", "-input=false", "-no-color"]);
        let plan = desk.run(&folder, &["plan", "-input=false", "-no-color"]);
        assert!(plan.contains("Plan: 1 to add"), "{plan}");
        let applied = desk.run(&folder, &["apply", "-auto-approve", "-input=false", "-no-color"]);
        assert!(applied.contains("Apply complete! Resources: 1 added"), "{applied}");
        assert_eq!(desk.run(&folder, &["output", "-raw", "word"]), "hello");
        assert_eq!(desk.statuses("legacy").await, ["applied", "planned_and_finished"]);
    }
}

/// A plan is not kept waiting by somebody who thinks about theirs, and a locked workspace can be planned.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn plans_beside_an_approval_and_a_lock() {
    for program in programs() {
        let desk = Desk::with_runs(program);
        let folder = desk.module("busy", &desk.cloud("name = \"busy\""));
        desk.run(&folder, &["init", "-input=false", "-no-color"]);
        // Without input nobody is asked, and the run stays open.
        desk.fail(&folder, &["apply", "-input=false", "-no-color"]);
        assert_eq!(desk.statuses("busy").await, ["planned"]);
        let id = desk.workspace("busy").await["id"].as_str().unwrap().to_owned();
        let (status, _) = desk.api("POST", &format!("/api/v2/workspaces/{id}/actions/lock"), Some(json!({}))).await;
        assert_eq!(status, 200);
        let plan = desk.run(&folder, &["plan", "-input=false", "-no-color"]);
        assert!(plan.contains("Plan: 1 to add"), "{plan}");
        assert_eq!(desk.statuses("busy").await, ["planned_and_finished", "planned"]);
    }
}

/// While somebody holds the lock of the state, the program counts its own lock timeout, and says who that is.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_lock_timeout_of_an_apply() {
    for program in programs() {
        let desk = Desk::with_runs(program);
        let folder = desk.module("held", &desk.cloud("name = \"held\""));
        desk.run(&folder, &["init", "-input=false", "-no-color"]);
        let id = desk.workspace("held").await["id"].as_str().unwrap().to_owned();
        let lock = format!("/api/v2/workspaces/{id}/actions/lock");
        assert_eq!(desk.api("POST", &lock, Some(json!({"reason": "audit"}))).await.0, 200);
        let words = ["apply", "-auto-approve", "-input=false", "-no-color", "-lock-timeout=2s"];
        // Terraform ends with an error, and OpenTofu without one.
        let (_, refused) = desk.call(&folder, &words);
        assert!(refused.contains("Lock timeout exceeded"), "{refused}");
        assert!(
            refused.contains("The run waits: the lock of the state is held by") && refused.contains("(audit)"),
            "{refused}"
        );
        assert_eq!(desk.statuses("held").await, ["canceled"]);
    }
}

/// The program shows why an apply failed that ended before it looked, and ends with an error.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_apply_that_fails_at_once_is_shown() {
    for program in programs() {
        let desk = Desk::with_runs(program);
        let folder = desk.module("failing", &desk.cloud("name = \"failing\""));
        let failing = "resource \"terraform_data\" \"failing\" {\n  provisioner \"local-exec\" { command = \"echo the reason; exit 3\" }\n}\n";
        std::fs::write(folder.join("failing.tf"), failing).unwrap();
        desk.run(&folder, &["init", "-input=false", "-no-color"]);
        let failed = desk.fail(&folder, &["apply", "-auto-approve", "-input=false", "-no-color"]);
        assert!(failed.contains("the reason") && failed.contains("local-exec provisioner error"), "{failed}");
        assert_eq!(desk.statuses("failing").await, ["errored"]);
    }
}

/// Configuration of what is imported is written into the file that the user names.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn configuration_is_generated() {
    for program in programs() {
        let desk = Desk::with_runs(program);
        let folder = desk.module("generated", &desk.cloud("name = \"generated\""));
        std::fs::write(folder.join("import.tf"), "import {\n  to = terraform_data.x\n  id = \"abc\"\n}\n").unwrap();
        desk.run(&folder, &["init", "-input=false", "-no-color"]);
        let plan = ["plan", "-input=false", "-no-color"];
        desk.fail(&folder, &plan);
        let shown = desk.run(&folder, &[&plan[..], &["-generate-config-out=gen.tf"]].concat());
        assert!(shown.contains("Plan: 1 to import, 1 to add"), "{shown}");
        let written = std::fs::read_to_string(folder.join("gen.tf")).unwrap();
        assert!(written.contains("resource \"terraform_data\" \"x\" {"), "{written}");
        // The file is configuration like any other.
        desk.run(&folder, &["apply", "-auto-approve", "-input=false", "-no-color"]);
        assert!(desk.run(&folder, &["state", "list"]).contains("terraform_data.x"));
    }
}

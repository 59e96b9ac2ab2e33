//! Pure: turns a Terraform or OpenTofu step into a POSIX shell script and the files that it needs.
//!
//! The script forwards an interrupt to the running program once and waits for it to exit, so that the state is written
//! and its lock released. It writes `result.json`, and `plan` for a plan, next to the output file.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::script_head::{FETCH, HEAD};
use crate::runner::step_spec::StepFile;
use crate::secret::Secret;

/// The folder of the files in a container.
const FOLDER: &str = "/windlass";

/// The operation of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    Plan,
    PlanDestroy,
    Apply,
    Destroy,
    /// Scripts only.
    Scripts,
}

/// When a script of the template runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    BeforeInit,
    Before,
    After,
    /// After the step has failed.
    Failure,
}

/// A Terraform step.
#[derive(Clone, Debug)]
pub struct TerraformStep {
    pub operation: Operation,
    /// `terraform`, `tofu`, or the path of one of them.
    pub tool: String,
    /// The folder of the root module inside the source.
    pub folder: String,
    /// In the order of execution.
    pub scripts: Vec<(Phase, String)>,
    /// The content of the file of variable values.
    pub values: Secret<String>,
    /// The plan of an earlier step.
    pub plan: Option<Secret<Vec<u8>>>,
    pub refresh: bool,
    pub refresh_only: bool,
    pub targets: Vec<String>,
    pub replacements: Vec<String>,
    /// Whether the script exchanges source and plan with the server itself, because the runner cannot.
    pub fetches: bool,
}

/// A script with its files.
#[derive(Clone, Debug)]
pub struct Script {
    pub program: String,
    pub arguments: Vec<String>,
    pub files: Vec<StepFile>,
}

/// The script of a step.
#[must_use]
pub fn script(work: &TerraformStep) -> Script {
    let mut files = Vec::new();
    let mut text = if work.fetches { format!("{FETCH}{HEAD}") } else { HEAD.to_owned() };
    let mut number = 0;
    let mut named = Vec::new();
    for (phase, script) in &work.scripts {
        number += 1;
        let variable = format!("WINDLASS_SCRIPT_{number}");
        files.push(file(&variable, &format!("script-{number}"), script.clone()));
        named.push((*phase, variable));
    }
    let failures = named.iter().filter(|(phase, _)| *phase == Phase::Failure);
    let failures: String = failures.map(|(_, variable)| format!("  shell \"${variable}\"\n")).collect();
    let _ = write!(text, "fail() {{\n  code=$1\n  [ -z \"$stopped\" ] || exit 130\n{}  exit \"$1\"\n}}\n", failures);
    let folder = work.folder.trim_matches('/');
    let _ =
        writeln!(text, "cd \"$WINDLASS_SOURCE\"/{} || fail 1", quoted(if folder.is_empty() { "." } else { folder }));
    text.push_str("export workingDirectory=\"$PWD\"\n");
    let phase = |wanted: Phase| -> String {
        let these = named.iter().filter(|(phase, _)| *phase == wanted);
        these.map(|(_, variable)| format!("shell \"${variable}\" || fail $?\n")).collect()
    };
    if work.operation == Operation::Scripts {
        for wanted in [Phase::BeforeInit, Phase::Before, Phase::After] {
            text.push_str(&phase(wanted));
        }
    } else {
        files.push(file("WINDLASS_VALUES", "values.tfvars", work.values.expose().clone()));
        if let Some(plan) = work.plan.as_ref().filter(|_| !work.fetches) {
            files.push(file("WINDLASS_PLAN", "plan.base64", STANDARD.encode(plan.expose())));
        }
        text.push_str(&phase(Phase::BeforeInit));
        text.push_str(
            "printf 'terraform {\\n  backend \"http\" {}\\n}\\n' > windlass_override.tf || fail 1\n\
             cat \"$WINDLASS_VALUES\" > zz_windlass.auto.tfvars || fail 1\n",
        );
        let tool = quoted(&work.tool);
        let _ = writeln!(text, "run {tool} init -input=false -no-color || fail $?");
        text.push_str(&phase(Phase::Before));
        text.push_str(&operation(work, &tool));
        text.push_str(&phase(Phase::After));
    }
    text.push_str("[ -z \"$stopped\" ] || exit 130\nexit 0\n");
    Script { program: "/bin/sh".into(), arguments: vec!["-c".into(), text, "windlass".into()], files }
}

fn file(variable: &str, name: &str, content: String) -> StepFile {
    StepFile { variables: vec![variable.to_owned()], path: format!("{FOLDER}/{name}"), content: Secret::new(content) }
}

fn operation(work: &TerraformStep, tool: &str) -> String {
    let mut options = String::from("-input=false -no-color");
    let names = |options: &mut String| {
        for (option, values) in [("-target", &work.targets), ("-replace", &work.replacements)] {
            for value in values {
                let _ = write!(options, " {}", quoted(&format!("{option}={value}")));
            }
        }
    };
    let refresh = match (work.refresh_only, work.refresh) {
        (true, _) => " -refresh-only",
        (false, false) => " -refresh=false",
        (false, true) => "",
    };
    match work.operation {
        Operation::Plan | Operation::PlanDestroy => {
            if work.operation == Operation::PlanDestroy {
                options.push_str(" -destroy");
            }
            options.push_str(refresh);
            names(&mut options);
            let hand_over = if work.fetches {
                "base64 windlass.plan > windlass.plan.base64 && insist send windlass.plan.base64 plan || fail 1\n"
            } else {
                "cat windlass.plan > \"$left/plan\" || fail 1\n"
            };
            format!(
                "run {tool} plan {options} -detailed-exitcode -out=windlass.plan; code=$?\n\
                 case $code in\n0) tell false ;;\n2) tell true ;;\n*) fail \"$code\" ;;\nesac\n{hand_over}"
            )
        }
        Operation::Apply => {
            let from = if work.plan.is_some() && work.fetches {
                "insist fetch plan windlass.plan.base64 && base64 -d windlass.plan.base64 > windlass.plan || fail 1\n"
            } else if work.plan.is_some() {
                "base64 -d \"$WINDLASS_PLAN\" > windlass.plan || fail 1\n"
            } else {
                options.push_str(refresh);
                names(&mut options);
                ""
            };
            let plan = if work.plan.is_some() { " windlass.plan" } else { "" };
            format!("{from}{}", applied(tool, &format!("apply {options} -auto-approve{plan}")))
        }
        Operation::Destroy => {
            options.push_str(refresh);
            names(&mut options);
            applied(tool, &format!("destroy {options} -auto-approve"))
        }
        Operation::Scripts => String::new(),
    }
}

/// A command that writes state. State that could not be uploaded is left in `errored.tfstate` and pushed again.
fn applied(tool: &str, command: &str) -> String {
    format!(
        "run {tool} {command}; code=$?\n\
         if [ -f errored.tfstate ]; then {tool} state push errored.tfstate && rm -f errored.tfstate; fi\n\
         [ \"$code\" = 0 ] || fail \"$code\"\n"
    )
}

/// Quotes a word for the shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn work(operation: Operation) -> TerraformStep {
        TerraformStep {
            operation,
            tool: "tofu".into(),
            folder: "/".into(),
            scripts: Vec::new(),
            values: Secret::new(String::new()),
            plan: None,
            refresh: true,
            refresh_only: false,
            targets: Vec::new(),
            replacements: Vec::new(),
            fetches: false,
        }
    }

    fn text(work: &TerraformStep) -> String {
        script(work).arguments.swap_remove(1)
    }

    #[test]
    fn commands() {
        let plan =
            text(&TerraformStep { refresh: false, targets: vec!["a.b[\"c's\"]".into()], ..work(Operation::Plan) });
        assert!(
            plan.contains(r#"plan -input=false -no-color -refresh=false '-target=a.b["c'\''s"]' -detailed-exitcode"#),
            "{plan}"
        );
        assert!(text(&work(Operation::PlanDestroy)).contains("-destroy"));
        let apply = text(&TerraformStep { plan: Some(Secret::new(vec![1])), ..work(Operation::Apply) });
        assert!(apply.contains("-auto-approve windlass.plan") && apply.contains("base64 -d"));
        assert!(
            text(&TerraformStep { refresh_only: true, ..work(Operation::Apply) })
                .contains("-refresh-only -auto-approve")
        );
        assert!(!text(&work(Operation::Scripts)).contains("tofu"));
    }

    #[test]
    fn a_folder_is_a_word() {
        let script = text(&TerraformStep { folder: "a b/$(id)/'".into(), ..work(Operation::Plan) });
        assert!(script.contains(r#"cd "$WINDLASS_SOURCE"/'a b/$(id)/'\'''"#), "{script}");
    }

    #[test]
    fn scripts_are_files() {
        let scripts = vec![(Phase::Before, "echo 1".to_owned()), (Phase::Failure, "echo 2".to_owned())];
        let made = script(&TerraformStep { scripts, ..work(Operation::Plan) });
        let names: Vec<&str> = made.files.iter().flat_map(|file| &file.variables).map(String::as_str).collect();
        assert_eq!(names, ["WINDLASS_SCRIPT_1", "WINDLASS_SCRIPT_2", "WINDLASS_VALUES"]);
        assert!(!made.arguments[1].contains("echo 1"));
    }
}

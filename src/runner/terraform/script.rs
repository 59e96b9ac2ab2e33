//! Pure: turns a Terraform or OpenTofu step into a POSIX shell script and the files that it needs.
//!
//! The script forwards an interrupt to the running program once and waits for it to exit, so that the state is written
//! and its lock released. It writes `result.json`, and `plan` for a plan, next to the output file.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::layout::{PLAN_BYTES, PLAN_JSON_BYTES, PLAN_JSON_FILE, PROVIDERS_JSON_BYTES, PROVIDERS_JSON_FILE};
use super::lock_file::{self, LOCK_FILE};
use super::script_backend::{SeenName, backend};
use super::script_generate::{GENERATE, SHOW_GENERATED};
use super::script_head::{FETCH, HEAD};
use super::script_init::{KEEP, initialized, version_of};
use super::shell_words::{given, quoted};
use super::tfvars;
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
    /// The first line that it prints about its version, if that is known.
    pub version: Option<String>,
    /// The folder of the root module inside the source.
    pub folder: String,
    /// In the order of execution.
    pub scripts: Vec<(Phase, String)>,
    /// The content of the file of variable values.
    pub values: Secret<String>,
    /// Values that the tool parses by the type of their variables.
    pub loose: Vec<(String, Secret<String>)>,
    /// Remarks for the log.
    pub notes: Vec<&'static str>,
    /// The plan of an earlier step.
    pub plan: Option<Secret<Vec<u8>>>,
    pub refresh: bool,
    pub refresh_only: bool,
    pub targets: Vec<String>,
    pub replacements: Vec<String>,
    /// Whether the plan is kept for later, so that programs ask for its JSON form.
    pub saves_plan: bool,
    /// How long to wait for the lock of the state; none if it is not taken.
    pub lock_timeout_seconds: Option<u32>,
    /// Whether the plan writes configuration for what is to be imported and has none.
    pub generates: bool,
    /// Whether a later step applies this plan.
    pub is_applied_later: bool,
    /// The name that the tool sees as that of its workspace; none for `default`.
    pub seen: Option<SeenName>,
    /// Whether the script exchanges source and plan with the server itself, because the runner cannot.
    pub fetches: bool,
}

/// A script with its files.
#[derive(Clone, Debug)]
pub struct Script {
    pub program: String,
    pub arguments: Vec<String>,
    pub files: Vec<StepFile>,
    pub environment: Vec<(String, Secret<String>)>,
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
    let _ = write!(
        text,
        "fail() {{\n  code=$1\n  umask \"$mask\"\n  [ -z \"$stopped\" ] || exit 130\n{}  exit \"$1\"\n}}\n",
        failures
    );
    text.push_str(&enter(&work.folder));
    for note in &work.notes {
        let _ = writeln!(text, "echo {}", quoted(note));
    }
    let phase = |wanted: Phase| -> String {
        let these = named.iter().filter(|(phase, _)| *phase == wanted);
        these.map(|(_, variable)| format!("shell \"${variable}\" || fail $?\n")).collect()
    };
    let mut environment = Vec::new();
    if work.operation == Operation::Scripts {
        for wanted in [Phase::BeforeInit, Phase::Before, Phase::After] {
            text.push_str(&phase(wanted));
        }
    } else {
        files.push(file("WINDLASS_VALUES", "values.tfvars", work.values.expose().clone()));
        if let Some(plan) = work.plan.as_ref().filter(|_| !work.fetches) {
            files.push(file("WINDLASS_PLAN", "plan.base64", STANDARD.encode(plan.expose())));
        }
        let lock_file = work.plan.as_ref().and_then(|plan| lock_file::of_plan(plan.expose()));
        let locks = lock_file.is_some();
        files.extend(lock_file.map(|text| file("WINDLASS_LOCK_FILE", "lock.hcl", text)));
        let tool = quoted(&work.tool);
        text.push_str(&phase(Phase::BeforeInit));
        text.push_str(&version_of(work.version.as_deref(), &tool));
        text.push_str(&prepare(work, &mut environment));
        if locks {
            let _ = writeln!(text, "rm -f {LOCK_FILE} && cat \"$WINDLASS_LOCK_FILE\" > {LOCK_FILE} || fail 1");
        }
        let has_scripts = named.iter().any(|(phase, _)| *phase == Phase::BeforeInit);
        text.push_str(&initialized(&tool, work.plan.is_some() && !has_scripts));
        text.push_str(&phase(Phase::Before));
        text.push_str(&operation(work, &tool));
        text.push_str(&phase(Phase::After));
        if work.is_applied_later {
            text.push_str(KEEP);
        }
    }
    text.push_str("[ -z \"$stopped\" ] || exit 130\nexit 0\n");
    Script { program: "/bin/sh".into(), arguments: vec!["-c".into(), text, "windlass".into()], files, environment }
}

/// Changes to the folder of the root module, which must be inside the source once symbolic links are followed.
fn enter(folder: &str) -> String {
    let folder = folder.trim_matches('/');
    let folder = quoted(if folder.is_empty() { "." } else { folder });
    format!(
        "top=$(cd \"$WINDLASS_SOURCE\" && pwd -P) || fail 1\n\
         cd -P \"$top\"/{folder} || fail 1\n\
         case \"$(pwd -P)/\" in \"$top\"/*) ;; *) echo 'the folder of the workspace is outside the repository' >&2; fail 1 ;; esac\n\
         export workingDirectory=\"$PWD\"\n"
    )
}

/// Configures the state backend and the values of variables. Only this user can read the files; what
/// the tool and the scripts create keeps the usual mode. Files of the same names in the
/// repository are removed first, because they could be symbolic links to other places.
fn prepare(work: &TerraformStep, environment: &mut Vec<(String, Secret<String>)>) -> String {
    let mut text = String::from(
        "umask 077\n\
         rm -f windlass_override.tf zz_windlass.auto.tfvars windlass.plan windlass.plan.base64 windlass.plan.json \
         windlass.providers.json windlass.generated errored.tfstate || fail 1\n",
    );
    text.push_str(&backend(work.seen.as_ref()));
    text.push_str("umask \"$mask\"\nprepared=1\n");
    for (number, (key, value)) in work.loose.iter().enumerate() {
        let variable = format!("WINDLASS_OPTION_{}", number + 1);
        let _ = writeln!(text, "declares '{key}' && options=\"$options${variable}\"");
        environment.push((variable, Secret::new(tfvars::option(key, value.expose()))));
        environment.push((format!("TF_VAR_{key}"), value.clone()));
    }
    text
}

fn file(variable: &str, name: &str, content: String) -> StepFile {
    StepFile { variables: vec![variable.to_owned()], path: format!("{FOLDER}/{name}"), content: Secret::new(content) }
}

fn operation(work: &TerraformStep, tool: &str) -> String {
    let mut options = format!("-input=false -no-color {}", lock(work));
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
            options.push_str(&addresses(work));
            options.push_str(if work.generates { GENERATE } else { "" });
            format!(
                "{}umask 077\nrun {tool} plan {options} -detailed-exitcode -out=windlass.plan \"$@\"; code=$?\n\
                 case $code in\n0) tell false ;;\n2) tell true; changed=1 ;;\n*) {}fail \"$code\" ;;\nesac\n{}{}umask \"$mask\"\n",
                given("plan"),
                if work.generates { SHOW_GENERATED } else { "" },
                hand_over(work),
                explain(work, tool)
            )
        }
        Operation::Apply if work.plan.is_some() => {
            let from = if work.fetches {
                "insist fetch plan windlass.plan.base64 && base64 -d windlass.plan.base64 > windlass.plan || fail 1\n"
            } else {
                "base64 -d \"$WINDLASS_PLAN\" > windlass.plan || fail 1\n"
            };
            let values = format!("early || {{ set --; options=; }}\n{}", given("apply"));
            let command = format!("apply {options} -auto-approve \"$@\" windlass.plan");
            format!("umask 077\n{from}umask \"$mask\"\n{values}{}", applied(work, tool, &command))
        }
        Operation::Apply | Operation::Destroy => {
            options.push_str(refresh);
            options.push_str(&addresses(work));
            let command = if work.operation == Operation::Apply { "apply" } else { "destroy" };
            let applied = applied(work, tool, &format!("{command} {options} -auto-approve \"$@\""));
            format!("{}{applied}", given(command))
        }
        Operation::Scripts => String::new(),
    }
}

/// The option about the lock of the state.
fn lock(work: &TerraformStep) -> String {
    work.lock_timeout_seconds.map_or_else(|| "-lock=false".to_owned(), |wait| format!("-lock-timeout={wait}s"))
}

/// The options that select resources.
fn addresses(work: &TerraformStep) -> String {
    let mut options = String::new();
    for (option, values) in [("-target", &work.targets), ("-replace", &work.replacements)] {
        for value in values {
            let _ = write!(options, " {}", quoted(&format!("{option}={value}")));
        }
    }
    options
}

/// Hands the plan over to the server. An upload that the server would refuse is not tried.
fn hand_over(work: &TerraformStep) -> String {
    if !work.fetches {
        return "rm -f \"$left/plan\" && cat windlass.plan > \"$left/plan\" || fail 1\n".to_owned();
    }
    let mib = PLAN_BYTES / 1024 / 1024;
    format!(
        "[ \"$(wc -c < windlass.plan)\" -le {PLAN_BYTES} ] || {{ echo 'the plan is larger than {mib} MiB' >&2; fail 1; }}\n\
         base64 windlass.plan > windlass.plan.base64 && insist send windlass.plan.base64 plan || fail 1\n"
    )
}

/// Hands the plan over as JSON, from which it is shown, and of a saved plan the schemas of providers, with which programs show it. Without
/// them, the step goes on, and its log shows the plan.
fn explain(work: &TerraformStep, tool: &str) -> String {
    let plan = ("windlass.plan.json", PLAN_JSON_FILE, PLAN_JSON_BYTES);
    let text =
        document(work, &format!("{tool} show -json windlass.plan"), plan, "the plan could not be stored to be shown");
    if !work.saves_plan {
        return text;
    }
    let providers = ("windlass.providers.json", PROVIDERS_JSON_FILE, PROVIDERS_JSON_BYTES);
    let failed = "the schemas of providers could not be stored, so the saved plan cannot be shown";
    text + &document(work, &format!("{tool} providers schema -json"), providers, failed)
}

/// Hands over what a command prints, as a file; an empty one if it is too large.
fn document(work: &TerraformStep, command: &str, (own, file, most): (&str, &str, u64), failed: &str) -> String {
    let send = if work.fetches {
        format!("send {own} {file} && rm -f {own}")
    } else {
        format!("mv -f {own} \"$left/{file}\"")
    };
    format!(
        "if run {command} > {own} 2>/dev/null; then\n\
         [ \"$(wc -c < {own})\" -le {most} ] || : > {own}\n\
         {send} || echo '{failed}; see this log instead'\n\
         else rm -f {own}\nfi\n"
    )
}

/// A command that writes state. State that could not be uploaded is left in `errored.tfstate` and pushed again.
fn applied(work: &TerraformStep, tool: &str, command: &str) -> String {
    let lock = lock(work);
    format!(
        "run {tool} {command}; code=$?\n\
         if [ -f errored.tfstate ]; then {tool} state push {lock} errored.tfstate && rm -f errored.tfstate; fi\n\
         [ \"$code\" = 0 ] || fail \"$code\"\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn work(operation: Operation) -> TerraformStep {
        TerraformStep {
            notes: Vec::new(),
            operation,
            tool: "tofu".into(),
            version: None,
            folder: "/".into(),
            scripts: Vec::new(),
            values: Secret::new(String::new()),
            loose: Vec::new(),
            lock_timeout_seconds: Some(300),
            plan: None,
            saves_plan: false,
            generates: false,
            is_applied_later: false,
            refresh: true,
            refresh_only: false,
            seen: None,
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
            plan.contains(r#"plan -input=false -no-color -lock-timeout=300s -refresh=false '-target=a.b["c'\''s"]' -detailed-exitcode"#),
            "{plan}"
        );
        assert!(text(&work(Operation::PlanDestroy)).contains("-destroy"));
        let apply = text(&TerraformStep { plan: Some(Secret::new(vec![1])), ..work(Operation::Apply) });
        assert!(apply.contains("-auto-approve \"$@\" windlass.plan") && apply.contains("base64 -d"));
        assert!(
            text(&TerraformStep { refresh_only: true, ..work(Operation::Apply) })
                .contains("-refresh-only -auto-approve")
        );
        assert!(!text(&work(Operation::Scripts)).contains("'tofu'"));
        assert!(
            plan.contains("'tofu' show -json windlass.plan")
                && plan.contains("mv -f windlass.plan.json \"$left/plan.json\""),
            "{plan}"
        );
        let unlocked = text(&TerraformStep { lock_timeout_seconds: None, ..work(Operation::Plan) });
        assert!(unlocked.contains(" plan -input=false -no-color -lock=false -detailed-exitcode"), "{unlocked}");
        assert!(!plan.contains("providers schema"));
        assert!(plan.contains("version=$('tofu' version"), "{plan}");
        let known = text(&TerraformStep { version: Some("OpenTofu v1.11.2".into()), ..work(Operation::Plan) });
        assert!(known.contains("version='OpenTofu v1.11.2'") && !known.contains("'tofu' version"), "{known}");
        let saved = text(&TerraformStep { saves_plan: true, ..work(Operation::Plan) });
        assert!(saved.contains("'tofu' providers schema -json > windlass.providers.json"), "{saved}");
        let generating = text(&TerraformStep { generates: true, ..work(Operation::Plan) });
        assert!(generating.contains(" -generate-config-out=windlass.generated -detailed-exitcode"), "{generating}");
        assert!(generating.contains("cat windlass.generated") && !plan.contains("cat windlass.generated"));
        let sent = text(&TerraformStep { fetches: true, ..work(Operation::Plan) });
        assert!(sent.contains("send windlass.plan.json plan.json") && !sent.contains("$left/plan.json"), "{sent}");
    }

    #[test]
    fn a_folder_is_a_word() {
        let script = text(&TerraformStep { folder: "a b/$(id)/'".into(), ..work(Operation::Plan) });
        assert!(script.contains(r#"cd -P "$top"/'a b/$(id)/'\'''"#), "{script}");
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

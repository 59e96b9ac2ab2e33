//! Pure: a step of Terraform or OpenTofu as a script of a POSIX shell and the files that it needs.
//!
//! The script hands an interruption on to what it runs, once, and waits for its end: so that state is written and the
//! lock given back. What it leaves are `result.json` and, of a plan, `plan`, beside the file of outputs.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::runner::StepFile;
use crate::secret::Secret;

/// The file in which a step says what it came to.
pub const RESULT_FILE: &str = "result.json";
/// The file of a plan.
pub const PLAN_FILE: &str = "plan";
/// The largest plan that is kept, in bytes.
pub const PLAN_BYTES: u64 = 64 * 1024 * 1024;
/// Where the checked out source is.
pub const SOURCE_VARIABLE: &str = "WINDLASS_SOURCE";
/// Where they are in a container.
pub const SOURCE_FOLDER: &str = "/windlass/source";
/// What a step that fetches its files itself finds them at, and how it shows who it is.
pub const FILES_VARIABLE: &str = "WINDLASS_FILES";
pub const AUTHORIZATION_VARIABLE: &str = "WINDLASS_AUTHORIZATION";
/// The file in the source that names the commit.
pub const COMMIT_FILE: &str = ".windlass-commit";
/// Where files are put in a container.
const FOLDER: &str = "/windlass";

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    Plan,
    PlanDestroy,
    Apply,
    Destroy,
    /// Nothing but scripts.
    Scripts,
}

/// When a script is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    BeforeInit,
    Before,
    After,
    /// When the step has failed.
    Failure,
}

/// A step.
#[derive(Clone, Debug)]
pub struct Work {
    pub operation: Operation,
    /// `terraform` or `tofu`, or the path of one.
    pub tool: String,
    /// Of the root module, inside the source.
    pub folder: String,
    /// In their order.
    pub scripts: Vec<(Phase, String)>,
    /// The text of a file of values of variables.
    pub values: Secret<String>,
    /// What a step before it planned.
    pub plan: Option<Secret<Vec<u8>>>,
    pub refresh: bool,
    pub refresh_only: bool,
    pub targets: Vec<String>,
    pub replacements: Vec<String>,
    /// It fetches its source and its plan from the server, and hands over what it has planned: nobody else can.
    pub fetches: bool,
}

/// A script with its files.
#[derive(Clone, Debug)]
pub struct Script {
    pub program: String,
    pub arguments: Vec<String>,
    pub files: Vec<StepFile>,
}

/// What every script begins with. A process of the background ignores interruptions unless it asks for them, which
/// Terraform does; a script does not, and is ended.
const HEAD: &str = r#"child= stopped= how=INT
stop() { stopped=1; [ -z "$child" ] || kill -"$how" "$child" 2>/dev/null; }
trap stop INT TERM
run() {
  [ -z "$stopped" ] || exit 130
  "$@" &
  child=$!
  wait "$child"; code=$?
  while kill -0 "$child" 2>/dev/null; do wait "$child"; code=$?; done
  child=
  return "$code"
}
shell() {
  how=TERM
  if command -v bash >/dev/null 2>&1; then run bash "$1"; else run sh "$1"; fi
  code=$?
  how=INT
  return "$code"
}
left=$(dirname "$WINDLASS_OUTPUT_FILE")
commit=$(cat "$WINDLASS_SOURCE/.windlass-commit" 2>/dev/null)
tell() { printf '{"changes":%s,"commit":%s}\n' "$1" "${commit:+\"$commit\"}" | sed 's/"commit":}/"commit":null}/' > "$left/result.json"; }
tell null
"#;

/// What a script begins with that has to fetch its files. The server may be away for a moment.
const FETCH: &str = r#"trap 'exit 130' INT TERM
fetch() {
  if command -v wget >/dev/null 2>&1
  then wget -q -O "$2" --header "Authorization: $WINDLASS_AUTHORIZATION" "$WINDLASS_FILES/$1"
  else curl -sSf -o "$2" -H "Authorization: $WINDLASS_AUTHORIZATION" "$WINDLASS_FILES/$1"
  fi
}
send() {
  if command -v wget >/dev/null 2>&1
  then wget -q -O /dev/null --header "Authorization: $WINDLASS_AUTHORIZATION" --post-file "$1" "$WINDLASS_FILES/$2"
  else curl -sSf -o /dev/null -H "Authorization: $WINDLASS_AUTHORIZATION" --data-binary "@$1" "$WINDLASS_FILES/$2"
  fi
}
insist() { tries=0; until "$@"; do tries=$((tries + 1)); [ "$tries" -lt 20 ] || return 1; sleep 3; done; }
insist fetch source "$WINDLASS_SOURCE/.windlass.tar" || { echo 'its files could not be fetched from the server' >&2; exit 1; }
tar -xf "$WINDLASS_SOURCE/.windlass.tar" -C "$WINDLASS_SOURCE" && rm -f "$WINDLASS_SOURCE/.windlass.tar" || exit 1
"#;

/// The script of a step.
#[must_use]
pub fn script(work: &Work) -> Script {
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

fn operation(work: &Work, tool: &str) -> String {
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

/// A command that writes state. Where it could not store the last of it, it leaves that in a file, and it is tried again.
fn applied(tool: &str, command: &str) -> String {
    format!(
        "run {tool} {command}; code=$?\n\
         if [ -f errored.tfstate ]; then {tool} state push errored.tfstate && rm -f errored.tfstate; fi\n\
         [ \"$code\" = 0 ] || fail \"$code\"\n"
    )
}

/// A word of the shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

/// A line of a file of values: an expression as it is, or a text.
#[must_use]
pub fn value_line(key: &str, value: &str, expression: bool) -> String {
    if expression { format!("{key} = {value}\n") } else { format!("{key} = \"{}\"\n", text_literal(value)) }
}

/// A text as it stands between quotes.
#[must_use]
pub fn text_literal(value: &str) -> String {
    let mut text = String::with_capacity(value.len() + 2);
    let mut letters = value.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            // A template begins with these; doubled they stand for themselves.
            '$' | '%' if letters.peek() == Some(&'{') => {
                text.push(letter);
                text.push(letter);
            }
            control if u32::from(control) < 0x20 => {
                let _ = write!(text, "\\u{:04x}", u32::from(control));
            }
            other => text.push(other),
        }
    }
    text
}

/// Whether a key can be the name of a variable of Terraform.
#[must_use]
pub fn is_name(key: &str) -> bool {
    let mut letters = key.chars();
    letters.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && letters.all(|letter| letter.is_ascii_alphanumeric() || letter == '_' || letter == '-')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn work(operation: Operation) -> Work {
        Work {
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

    fn text(work: &Work) -> String {
        script(work).arguments.swap_remove(1)
    }

    #[test]
    fn commands() {
        let plan = text(&Work { refresh: false, targets: vec!["a.b[\"c's\"]".into()], ..work(Operation::Plan) });
        assert!(
            plan.contains(r#"plan -input=false -no-color -refresh=false '-target=a.b["c'\''s"]' -detailed-exitcode"#),
            "{plan}"
        );
        assert!(text(&work(Operation::PlanDestroy)).contains("-destroy"));
        let apply = text(&Work { plan: Some(Secret::new(vec![1])), ..work(Operation::Apply) });
        assert!(apply.contains("-auto-approve windlass.plan") && apply.contains("base64 -d"));
        assert!(text(&Work { refresh_only: true, ..work(Operation::Apply) }).contains("-refresh-only -auto-approve"));
        assert!(!text(&work(Operation::Scripts)).contains("tofu"));
    }

    #[test]
    fn a_folder_is_a_word() {
        let script = text(&Work { folder: "a b/$(id)/'".into(), ..work(Operation::Plan) });
        assert!(script.contains(r#"cd "$WINDLASS_SOURCE"/'a b/$(id)/'\'''"#), "{script}");
    }

    #[test]
    fn scripts_are_files() {
        let scripts = vec![(Phase::Before, "echo 1".to_owned()), (Phase::Failure, "echo 2".to_owned())];
        let made = script(&Work { scripts, ..work(Operation::Plan) });
        let names: Vec<&str> = made.files.iter().flat_map(|file| &file.variables).map(String::as_str).collect();
        assert_eq!(names, ["WINDLASS_SCRIPT_1", "WINDLASS_SCRIPT_2", "WINDLASS_VALUES"]);
        assert!(!made.arguments[1].contains("echo 1"));
    }

    #[test]
    fn values_are_texts_or_expressions() {
        assert_eq!(value_line("a", "1", false), "a = \"1\"\n");
        assert_eq!(value_line("a", "[1, 2]", true), "a = [1, 2]\n");
        assert_eq!(value_line("a", "\"${x}\"\n\\%{y}$z\u{1}", false), "a = \"\\\"$${x}\\\"\\n\\\\%%{y}$z\\u0001\"\n");
        assert!(is_name("a_B-1") && !is_name("1a") && !is_name("a=b") && !is_name(""));
    }
}

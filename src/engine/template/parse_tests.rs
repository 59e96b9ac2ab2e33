//! Tests of reading templates.

use proptest::prelude::{ProptestConfig, Strategy, prop_assert, prop_assert_eq, prop_oneof, proptest};
use serde_json::{Value, json};

use super::*;

fn read(yaml: &str) -> Result<Vec<FlowStep>, TemplateError> {
    parse(&STANDARD.encode(yaml))
}

#[test]
fn every_key_of_a_step() {
    let steps = read(
        "flow:\n- {type: customScripts, step: 300, inputsEnv: {A: $B}, commands: [{runtime: BASH, priority: 2, script: two}, \
         {runtime: BASH, priority: 1, after: true, beforeInit: true, verbose: true, script: one}]}\n\
         - {type: terraformApply, step: 200, ignoreError: true, onFailure: [{runtime: BASH, script: sorry}]}\n\
         - {type: approval, step: 150, team: OPS, onReject: [{runtime: BASH, script: no}]}\n\
         - {type: scheduleTemplates, templates: [{name: Plan, schedule: '0 0 * * * ?'}]}\n\
         - {type: terraformPlan, step: 100, importComands: {repository: 'https://git', folder: a, branch: main}}\n",
    )
    .unwrap();
    let numbers: Vec<i32> = steps.iter().map(|step| step.step).collect();
    assert_eq!(numbers, [0, 100, 150, 200, 300]);
    let scripts: Vec<&str> = steps[4].commands.iter().map(|command| command.script.as_str()).collect();
    assert_eq!(scripts, ["one", "two"]);
    assert_eq!(steps[1].import_commands.as_ref().unwrap().branch, "main");
    assert!(steps[3].ignore_error && steps[3].on_failure[0].script == "sorry");
}

#[test]
fn equal_numbers_keep_their_order() {
    let steps = read("flow:\n- {type: terraformPlan, name: a}\n- {type: terraformApply, name: b}\n").unwrap();
    assert_eq!(steps.iter().filter_map(|step| step.name.as_deref()).collect::<Vec<_>>(), ["a", "b"]);
}

#[test]
fn marks_comments_anchors_and_plain_words() {
    let comments = "# why\n".repeat(100);
    let yaml = format!(
        "---\n{comments}flow:\n{comments}- &plan\n{comments}  type: terraformPlan\n  name: 12\n  team: no\n- <<: *plan\n  step: 2\n...\n"
    );
    let steps = read(&yaml).unwrap();
    assert_eq!((steps[0].name.as_deref(), steps[0].team.as_deref()), (Some("12"), Some("no")));
    assert_eq!((steps[1].step, steps[1].name.as_deref()), (2, Some("12")));
    assert!(read("flow: [{type: approval}]\n---\nflow: [{type: approval}]\n").is_err(), "two documents");
    assert!(read("flow: [{type: approval, ignoreError: yes}]").is_err(), "yes is a word, not true");
}

#[test]
fn errors_say_why() {
    for (yaml, says) in [
        ("flow: []", "no step"),
        ("flow:\n- type: yamlTemplates", "unknown variant"),
        ("flow:\n- {type: approval, teem: a}", "unknown field"),
        ("flows: []", "unknown field"),
        ("flow:\n- {type: customScripts}", "no script"),
        ("flow:\n- {type: customScripts, commands: [{runtime: GROOVY, script: a}]}", "Groovy"),
        ("flow:\n- {type: customScripts, commands: [{runtime: BASH, script: ' '}]}", "empty script"),
        ("flow:\n- {type: scheduleTemplates}", "schedules no template"),
        (": {", "cannot be parsed"),
    ] {
        let Err(TemplateError(reason)) = read(yaml) else { panic!("{yaml} was accepted") };
        assert!(reason.contains(says), "{yaml}: {reason}");
    }
    assert_eq!(
        read("flow:\n- {type: terraformPlan, name: \"a\\0\"}"),
        Err(TemplateError("flow[0].name: must not contain NUL characters".into()))
    );
    assert!(parse("%%%").is_err());
    assert!(read(&format!("flow:\n{}", "- {type: terraformPlan}\n".repeat(101))).is_err());
}

#[test]
fn each_bound_is_refused_just_above() {
    let long = |bytes: usize| {
        let step = "flow:\n- {type: terraformPlan}\n#";
        format!("{step}{}", "x".repeat(bytes - step.len()))
    };
    assert!(read(&long(TEMPLATE_BYTES)).is_ok());
    for bytes in [TEMPLATE_BYTES + 1, TEMPLATE_BYTES + 4, 2 * TEMPLATE_BYTES] {
        assert_eq!(read(&long(bytes)), Err(TemplateError("a template can have at most 262144 bytes".into())));
    }
    let steps = |count: usize| format!("flow:\n{}", "- {type: terraformPlan}\n".repeat(count));
    assert!(read(&steps(TEMPLATE_STEPS)).is_ok());
    assert_eq!(read(&steps(TEMPLATE_STEPS + 1)), Err(TemplateError("a flow can have at most 100 steps".into())));
}

/// A step that is valid.
fn step() -> impl Strategy<Value = Value> {
    let text = "[ -~éü→😀]{1,20}[a-z]";
    let kind = "(terraformPlan|terraformApply|terraformDestroy|approval|disableWorkspace)";
    let script = (text, -9..9, proptest::bool::ANY);
    let script = script.prop_map(
        |(text, priority, after)| json!({"runtime": "BASH", "script": text, "priority": priority, "after": after}),
    );
    let parts = (kind, 0..5, proptest::option::of(text), text, proptest::collection::vec(script, 0..4));
    parts.prop_map(|(kind, step, name, team, commands)| {
        json!({"type": kind, "step": step, "name": name, "team": team, "commands": commands, "inputsEnv": {team: "1"}})
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_is_a_panic(text in prop_oneof![".{0,80}", "(flow:)?[-a: \\[\\]{}&*!|>'\"%@`#,?\n\t<0-9]{0,120}"]) {
        let _either = (parse(&text), read(&text), parse_commands(&text));
    }

    /// JSON is YAML: what is written is read, in the order of the numbers.
    #[test]
    fn steps_read_as_they_were_written(flow in proptest::collection::vec(step(), 1..8)) {
        let steps = read(&json!({"flow": flow}).to_string()).unwrap();
        prop_assert!(steps.is_sorted_by_key(|step| step.step));
        let mut sorted = flow;
        sorted.sort_by_key(|step| step["step"].as_i64());
        for (read, written) in steps.iter().zip(&sorted) {
            prop_assert_eq!(&json!(read)["name"], &written["name"]);
            prop_assert_eq!(&json!(read)["team"], &written["team"]);
            prop_assert_eq!(&json!(read)["inputsEnv"], &written["inputsEnv"]);
            let mut scripts = written["commands"].as_array().cloned().unwrap();
            scripts.sort_by_key(|script| script["priority"].as_i64());
            let scripts: Vec<_> = scripts.iter().map(|script| script["script"].as_str().unwrap()).collect();
            prop_assert_eq!(read.commands.iter().map(|command| command.script.as_str()).collect::<Vec<_>>(), scripts);
        }
        prop_assert_eq!(steps.len(), sorted.len());
    }
}

//! Tests of reading templates.

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

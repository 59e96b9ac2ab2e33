//! The rights that flows need.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::super::{DEFAULTS, parse};
use super::*;

const NOBODY: Rights = Rights {
    view: true,
    workspaces: false,
    templates: false,
    logins: false,
    modules: false,
    providers: false,
    states: false,
    plan: false,
    approve: false,
    teams: false,
    organization: false,
};
const PLANNER: Rights = Rights { plan: true, ..NOBODY };
const WRITER: Rights = Rights { approve: true, ..PLANNER };

fn flow(yaml: &str) -> Vec<FlowStep> {
    parse(&STANDARD.encode(format!("flow:\n{yaml}"))).unwrap()
}

/// The permission that a refusal names; "" if there is none.
fn lacks(yaml: &str, is_own: bool, rights: Rights) -> String {
    let text = refusal(&flow(yaml), is_own, rights).unwrap_or_default();
    let permission = text.split("permission ").nth(1).unwrap_or_default();
    permission.chars().take_while(char::is_ascii_alphabetic).collect()
}

const PLAN: &str = "- {type: terraformPlan, step: 1}\n";
const APPROVAL: &str = "- {type: approval, step: 2}\n";
const APPLY: &str = "- {type: terraformApply, step: 3}\n";
const DESTROY: &str = "- {type: terraformDestroy, step: 3}\n";
const SCRIPTS: &str = "- {type: customScripts, step: 4, commands: [{runtime: BASH, script: env}]}\n";
const DISABLE: &str = "- {type: disableWorkspace, step: 5}\n";
const SCHEDULE: &str = "- {type: scheduleTemplates, step: 5, templates: [{name: Destroy, schedule: '0 0 3 * * ?'}]}\n";

#[test]
fn each_step_needs_its_right() {
    for (yaml, rights, expected) in [
        (PLAN.to_owned(), NOBODY, "planJob"),
        (PLAN.to_owned(), PLANNER, ""),
        (SCRIPTS.to_owned(), NOBODY, "planJob"),
        (SCRIPTS.to_owned(), PLANNER, ""),
        (APPLY.to_owned(), PLANNER, "approveJob"),
        (DESTROY.to_owned(), PLANNER, "approveJob"),
        (format!("{PLAN}{APPLY}"), PLANNER, "approveJob"),
        (format!("{PLAN}{APPLY}"), WRITER, ""),
        // The right to approve does not contain the right to plan.
        (APPLY.to_owned(), Rights { approve: true, ..NOBODY }, "planJob"),
        (format!("{PLAN}{APPROVAL}{APPLY}"), PLANNER, ""),
        // Steps are carried out by number, wherever they are in the text.
        (format!("{PLAN}{APPLY}{APPROVAL}"), PLANNER, ""),
        (format!("{PLAN}{APPLY}{}", APPROVAL.replace('2', "4")), PLANNER, "approveJob"),
        (DISABLE.to_owned(), WRITER, "manageWorkspace"),
        (format!("{APPROVAL}{DISABLE}"), WRITER, "manageWorkspace"),
        (SCHEDULE.to_owned(), WRITER, "manageWorkspace"),
        (SCHEDULE.to_owned(), Rights { workspaces: true, ..WRITER }, ""),
    ] {
        assert_eq!(lacks(&yaml, false, rights), expected, "{yaml} {rights:?}");
    }
}

#[test]
fn a_flow_of_ones_own_needs_the_right_to_manage_templates() {
    for yaml in [PLAN, APPROVAL, APPLY, SCRIPTS] {
        assert_eq!(lacks(yaml, true, WRITER), "manageTemplate", "{yaml}");
        assert_eq!(lacks(yaml, true, Rights { templates: true, ..WRITER }), "", "{yaml}");
    }
    // That right is none to apply.
    assert_eq!(lacks(APPLY, true, Rights { templates: true, ..PLANNER }), "approveJob");
}

#[test]
fn the_default_templates_by_right() {
    let may = |rights| DEFAULTS.map(|one| refusal(&parse(&one.stored()).unwrap(), false, rights).is_none());
    assert_eq!(may(NOBODY), [false; 5]);
    assert_eq!(may(PLANNER), [true, false, false, true, true]);
    assert_eq!(may(WRITER), [true; 5]);
}

#[test]
fn a_step_writes_the_state_if_it_has_to_and_whoever_is_behind_it_may() {
    let writes = |yaml: &str, is_approved, rights| writes_state(&flow(yaml)[0], is_approved, rights);
    let owner = Rights { states: true, ..WRITER };
    let with_script = "- {type: terraformPlan, step: 1, commands: [{runtime: BASH, script: env, before: true}]}\n";
    for (yaml, is_approved, rights, expected) in [
        (PLAN, false, owner, false),
        (PLAN, true, owner, false),
        (with_script, false, PLANNER, false),
        (with_script, false, WRITER, true),
        (SCRIPTS, false, PLANNER, false),
        (SCRIPTS, false, Rights { states: true, ..PLANNER }, true),
        (SCRIPTS, true, PLANNER, true),
        (APPLY, false, PLANNER, false),
        (APPLY, false, WRITER, true),
        (APPLY, true, PLANNER, true),
        (DESTROY, false, WRITER, true),
    ] {
        assert_eq!(writes(yaml, is_approved, rights), expected, "{yaml} {is_approved} {rights:?}");
    }
}

#[test]
fn flows_that_destroy() {
    for (yaml, expected) in [
        ("- {type: terraformDestroy, step: 1}\n", true),
        ("- {type: disableWorkspace, step: 1}\n", true),
        ("- {type: terraformPlanDestroy, step: 1}\n", false),
        (
            "- {type: terraformPlanDestroy, step: 1}\n- {type: approval, step: 2}\n- {type: terraformApply, step: 3}\n",
            true,
        ),
        (
            "- {type: terraformPlanDestroy, step: 1}\n- {type: terraformPlan, step: 2}\n- {type: terraformApply, step: 3}\n",
            false,
        ),
        ("- {type: terraformPlan, step: 1}\n- {type: terraformApply, step: 2}\n", false),
    ] {
        assert_eq!(destroys(&flow(yaml)), expected, "{yaml}");
    }
}

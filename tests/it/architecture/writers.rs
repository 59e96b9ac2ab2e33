//! Where rows are changed.

use std::collections::BTreeSet;

use super::imports::code_of;
use super::{files, name, text};

/// What a statement that changes rows ends with.
const CHANGES: [&str; 4] = [".exec(", ".exec_with", ".insert(", ".update("];

/// The functions of a file that change rows.
fn writers(code: &str) -> Vec<String> {
    let functions = code.split("async fn ").skip(1);
    let changes = |function: &&str| {
        let body = function.split("\n}").next().unwrap_or_default();
        CHANGES.iter().any(|change| body.contains(change))
    };
    let named = |function: &str| function.split(['(', '<']).next().unwrap_or_default().to_owned();
    functions.filter(changes).map(named).collect()
}

/// The functions that a file calls with the pool of its server.
fn on_the_pool(code: &str) -> Vec<String> {
    let mut found = Vec::new();
    for call in code.split("store::").skip(1) {
        let Some((path, arguments)) = call.split_once('(') else { continue };
        let path = path.split("::<").next().unwrap_or_default();
        let first = arguments.split([',', ')']).next().unwrap_or_default().trim();
        if first.starts_with('&')
            && first.ends_with(".db")
            && path.chars().all(|c| c.is_alphanumeric() || "_:".contains(c))
        {
            found.extend(path.rsplit("::").next().map(str::to_owned));
        }
    }
    found
}

/// Functions that store a row without locking it, and why they may.
const LOCKED_BEFORE: &[(&str, &str, &str)] = &[
    ("src/access/own_jwt.rs", "rotate", "nothing else of a key changes"),
    ("src/engine/declaration/write_step.rs", "write_stage", "all of a stage is declared"),
    ("src/engine/declaration/write_step.rs", "write_variable", "`apply` has locked the variables"),
    ("src/engine/new_environment.rs", "update_in", "its callers have locked the environment"),
    ("src/engine/private_registry/module_refresh.rs", "store_versions", "its caller has locked the module"),
    ("src/engine/push/accept_push.rs", "decide_by", "its callers have locked the workspace"),
    ("src/engine/push/accept_push.rs", "start", "its caller is `decide_by`"),
    ("src/engine/tick/clock_jump.rs", "replan_workspaces", "its query locks the rows"),
    ("src/engine/tick/run/outcome.rs", "store_value", "its caller has locked the environment"),
    ("src/engine/workspace.rs", "turn", "its callers have locked the job"),
    ("src/outbound/deliver.rs", "one", "a delivery is reserved for one server"),
    ("src/terrakube/workspace_job.rs", "update", "`load` locks the job"),
];

/// The functions of a file that store all of a row without a word about a lock.
fn unlocked(code: &str) -> Vec<String> {
    let stores = |function: &&str| ["row::update(", "environment::update("].iter().any(|call| function.contains(call));
    let is_locked = |function: &str| function.replace("clock", "").contains("lock");
    let named = |function: &str| function.split(['(', '<']).next().unwrap_or_default().to_owned();
    code.split("fn ").skip(1).filter(stores).filter(|function| !is_locked(function)).map(named).collect()
}

/// What a change does not name stays as it is stored then, and not as it was when the row was read.
#[test]
fn rows_are_locked_before_they_are_changed() {
    let others = files("src").into_iter().filter(|path| !path.starts_with("src/store"));
    let found: Vec<(String, String)> = others
        .flat_map(|path| {
            unlocked(&code_of(&text(&path))).into_iter().map(move |function| (name(&path).into(), function))
        })
        .collect();
    let expected: Vec<(String, String)> =
        LOCKED_BEFORE.iter().map(|(file, function, _)| ((*file).into(), (*function).into())).collect();
    assert_eq!(found, expected, "change rows with store::row::change, or give a reason in LOCKED_BEFORE");
}

/// On SQLite, one connection writes: another one has to wait for it, and outdates all that it has read.
#[test]
fn rows_are_changed_by_the_connection_that_writes() {
    let (store, others): (Vec<_>, Vec<_>) = files("src").into_iter().partition(|path| path.starts_with("src/store"));
    let writers: BTreeSet<String> = store.iter().flat_map(|path| writers(&code_of(&text(path)))).collect();
    assert!(writers.contains("change_step") && !writers.contains("by_id"), "{writers:?}");
    let mut found = Vec::new();
    for path in others {
        let called = on_the_pool(&code_of(&text(&path)));
        found.extend(
            called
                .into_iter()
                .filter(|called| writers.contains(called))
                .map(|called| format!("{}: {called}", name(&path))),
        );
    }
    assert!(found.is_empty(), "write with store::write or store::write_one: {found:?}");
}

#[test]
fn a_call_on_the_pool_is_found() {
    let code = "store::row::update::<A>(&self.0.db, row).await; store::write(&app.db, async |tx| store::row::create(tx, row).await)";
    assert_eq!(on_the_pool(code), ["update", "write"]);
    assert_eq!(writers("pub async fn one(a: b) {\n  c.exec(db)\n}\npub async fn two<A>() {\n}"), ["one"]);
}

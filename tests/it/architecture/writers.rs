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

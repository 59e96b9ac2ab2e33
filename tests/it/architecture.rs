//! The rules of the house: who may import whom, how long a file may be, and that each one says what it is.

use std::fs;
use std::path::{Path, PathBuf};

const MOST_LINES: usize = 500;

/// What the code of each place may import of this package; `entity` and `migration` are packages of their own.
const MAY: [(&str, &[&str]); 27] = [
    ("src/terrakube", &["access", "app", "bootstrap", "engine", "error", "secret", "store", "terrakube"]),
    ("src/toolbox.rs", &[]),
    (
        "src/api",
        &[
            "api",
            "access",
            "app",
            "bootstrap",
            "engine",
            "error",
            "git",
            "image_registry",
            "metrics",
            "outbound",
            "pulse",
            "repository",
            "secret",
            "store",
        ],
    ),
    ("src/access", &["access", "clock", "error", "secret", "store"]),
    ("src/engine/announce.rs", &["engine", "error", "store"]),
    ("src/engine/clusters.rs", &["app", "runner"]),
    ("src/engine/workspace.rs", &["app", "engine", "error", "store"]),
    ("src/engine/command.rs", &["app", "engine", "error", "store"]),
    ("src/engine/manual.rs", &["app", "engine", "error", "secret", "store"]),
    ("src/engine/mod.rs", &["app", "engine", "pulse", "store"]),
    (
        "src/engine/tick",
        &["app", "engine", "error", "git", "image_registry", "repository", "runner", "secret", "store"],
    ),
    ("src/engine", &["engine"]),
    ("src/store", &["store"]),
    ("src/runner", &["clock", "fence", "repository", "runner", "secret", "wake"]),
    ("src/app.rs", &["access", "clock", "config", "fence", "metrics", "pulse", "runner", "secret", "toolbox", "wake"]),
    ("src/bootstrap.rs", &["app", "engine", "error", "secret", "store"]),
    ("src/secret.rs", &["error"]),
    ("src/git.rs", &["app", "error", "repository", "secret", "store"]),
    ("src/repository.rs", &["secret"]),
    ("src/metrics.rs", &[]),
    ("src/fence.rs", &["clock"]),
    ("src/notify.rs", &["app", "store"]),
    ("src/pulse.rs", &[]),
    ("src/image_registry.rs", &["error", "secret"]),
    ("src/outbound", &["app", "error", "outbound", "secret", "store"]),
    ("src/telemetry.rs", &["config", "error"]),
    ("src/error.rs", &[]),
];

/// Files without side effects: no waiting, no connection, no clock.
const PURE: [&str; 29] = [
    "src/engine/keeper.rs",
    "src/runner/kubernetes/handle.rs",
    "src/runner/kubernetes/objects.rs",
    "src/runner/kubernetes/pod.rs",
    "src/runner/kubernetes/status.rs",
    "src/engine/flow.rs",
    "src/runner/terraform.rs",
    "src/terrakube/describe.rs",
    "src/terrakube/document.rs",
    "src/terrakube/filter.rs",
    "src/terrakube/path.rs",
    "src/terrakube/resource.rs",
    "src/terrakube/state_document.rs",
    "src/terrakube/tables.rs",
    "src/engine/template.rs",
    "src/terrakube/query.rs",
    "src/terrakube/rsql.rs",
    "src/engine/masking.rs",
    "src/engine/outputs.rs",
    "src/engine/timing.rs",
    "src/engine/rule.rs",
    "src/engine/settings.rs",
    "src/outbound/address.rs",
    "src/outbound/sign.rs",
    "src/engine/schedule.rs",
    "src/engine/state.rs",
    "src/engine/variables.rs",
    "src/engine/deployment.rs",
    "src/access/role.rs",
];

fn files(folder: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(root().join(folder)).unwrap().flatten() {
        let path = entry.path();
        let relative = path.strip_prefix(root()).unwrap().to_owned();
        if path.is_dir() {
            found.extend(files(relative.to_str().unwrap()));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(relative);
        }
    }
    found
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

fn all() -> Vec<PathBuf> {
    ["src", "entity/src", "migration/src", "xtask/src", "tests", "benches"].into_iter().flat_map(files).collect()
}

fn text(path: &Path) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

/// The modules of this package that a file names with `crate::`.
fn imports(source: &str) -> Vec<String> {
    source
        .split("crate::")
        .skip(1)
        .flat_map(|rest| match rest.strip_prefix('{') {
            Some(list) => list.split('}').next().unwrap().split(',').map(|item| item.trim().to_owned()).collect(),
            None => vec![rest.to_owned()],
        })
        .map(|path| path.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect())
        .filter(|name: &String| !name.is_empty())
        .collect()
}

#[test]
fn nobody_imports_what_they_may_not() {
    let mut broken = Vec::new();
    for path in files("src") {
        let name = path.to_str().unwrap();
        let Some((_, allowed)) = MAY.iter().find(|(place, _)| name.starts_with(place)) else { continue };
        for import in imports(&text(&path)) {
            if !allowed.contains(&import.as_str()) {
                broken.push(format!("{name} imports {import}"));
            }
        }
        let source = text(&path);
        let face = name.starts_with("src/api") || name.starts_with("src/terrakube");
        if face && (source.contains("engine::tick") || source.contains("crate::runner")) {
            broken.push(format!("{name} reaches for the runners"));
        }
    }
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
}

#[test]
fn entity_and_migration_stand_alone() {
    for (folder, forbidden) in [("entity/src", ["migration", "windlass"]), ("migration/src", ["entity", "windlass"])] {
        for path in files(folder) {
            for name in forbidden {
                assert!(!text(&path).contains(&format!("use {name}::")), "{} imports {name}", path.display());
            }
        }
    }
}

#[test]
fn pure_files_are_pure() {
    for name in PURE {
        let source = text(Path::new(name));
        let code = source.split("#[cfg(test)]").next().unwrap();
        for impure in ["async ", ".await", "DatabaseConnection", "Utc::now", "Clock", "crate::error"] {
            assert!(!code.contains(impure), "{name} has {impure}");
        }
        assert!(source.starts_with("//! Pure:"), "{name} does not say that it is pure");
    }
}

#[test]
fn files_are_short_and_say_what_they_are() {
    for path in all() {
        let source = text(&path);
        let lines = source.lines().count();
        assert!(lines <= MOST_LINES, "{} has {lines} lines, more than {MOST_LINES}", path.display());
        assert!(source.starts_with("//! "), "{} does not begin with //!", path.display());
    }
}

#[test]
fn nothing_is_left_undone_or_muted() {
    for path in files("src").into_iter().chain(files("entity/src")).chain(files("migration/src")) {
        let source = text(&path);
        for word in ["#[allow", "todo!", "unimplemented!", "FIXME", "TODO", "println!(\"{:?}"] {
            assert!(!source.contains(word), "{} has {word}", path.display());
        }
    }
}

/// Only `tick` calls runners, and only it changes the state of runs.
#[test]
fn only_the_tick_touches_runs() {
    for path in files("src") {
        let name = path.to_str().unwrap();
        if name.starts_with("src/engine/tick") || name.starts_with("src/store") {
            continue;
        }
        let source = text(&path);
        for call in ["run::advance", "run::claim", "run::renew", "run::create", ".poll(&name", "log::append"] {
            // A run that is asked for by hand is stored as a wish, like a deployment.
            assert!(
                ["src/engine/manual.rs", "src/engine/workspace.rs"].contains(&name) && call == "run::create"
                    || !source.contains(call),
                "{name} calls {call}"
            );
        }
    }
}

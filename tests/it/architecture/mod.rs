//! The structure of the source: who may import whom, that no files import each other in a circle, which files are pure, how long
//! files are, and that no two of them share a name and mean different things.

mod imports;
mod may;
mod pure_crates;
mod readers;
mod writers;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use imports::{Graph, circles, code_of, graph, module_of};
use may::MAY;

/// Lines of the longest file, and of the median file of src.
const LONGEST: usize = 400;
const MEDIAN: usize = 150;

/// What the API layers may not reach, although their row names the room.
const NOT_FROM_AN_API: [&str; 2] = ["engine::tick", "engine::run"];

/// Rooms and files without side effects: no waiting, no connection, no clock. Each file in them says so in its first line.
const PURE: &[&str] = &[
    "src/access/role_action.rs",
    "src/access/role.rs",
    "src/alert/compose.rs",
    "src/alert/formats",
    "src/alert/refused.rs",
    "src/backup/backup_header.rs",
    "src/backup/backup_reader",
    "src/backup/backup_writer.rs",
    "src/backup/damage.rs",
    "src/backup/row_line.rs",
    "src/backup/sealed_keys.rs",
    "src/api/group/metadata_key.rs",
    "src/cloud/log_frame.rs",
    "src/cloud/query_page.rs",
    "src/cloud/run_document.rs",
    "src/cloud/run_state.rs",
    "src/cloud/version_document.rs",
    "src/cloud/tag_binding.rs",
    "src/cloud/workspace_document.rs",
    "src/console/environment/state_words.rs",
    "src/console/format/",
    "src/console/paths.rs",
    "src/console/picture/",
    "src/console/run_marks.rs",
    "src/console/workspace/plan_text.rs",
    "src/console/workspace/status_words.rs",
    "src/doctor/certificate_dates.rs",
    "src/engine/advanced_settings/",
    "src/engine/alert/",
    "src/engine/calendar/",
    "src/engine/cron/",
    "src/engine/declaration/step.rs",
    "src/engine/declaration/wanted.rs",
    "src/engine/deployment/",
    "src/engine/deployment_rule.rs",
    "src/engine/event_kind.rs",
    "src/engine/exit_code.rs",
    "src/engine/export",
    "src/engine/flow.rs",
    "src/engine/forecast/",
    "src/engine/lock_wait.rs",
    "src/engine/masking/",
    "src/engine/news/news_payload.rs",
    "src/engine/outputs.rs",
    "src/engine/plan_view/",
    "src/engine/private_registry/archive_name.rs",
    "src/engine/private_registry/armored_key.rs",
    "src/engine/private_registry/checksum_list.rs",
    "src/engine/private_registry/module_tags.rs",
    "src/engine/private_registry/registry_names.rs",
    "src/engine/private_registry/release_version.rs",
    "src/engine/private_registry/sorted_versions.rs",
    "src/engine/push/asked_branches.rs",
    "src/engine/push/auto_deployed.rs",
    "src/engine/push/bitbucket_payload.rs",
    "src/engine/push/delivery_headers.rs",
    "src/engine/push/delivery_signature.rs",
    "src/engine/push/github_payload.rs",
    "src/engine/push/gitlab_payload.rs",
    "src/engine/push/heard.rs",
    "src/engine/push/path_filter.rs",
    "src/engine/push/payload_parts.rs",
    "src/engine/push/push_filter.rs",
    "src/engine/push/report_request.rs",
    "src/engine/push/report_text.rs",
    "src/engine/push/repository_path.rs",
    "src/engine/run/",
    "src/engine/run_lengths.rs",
    "src/engine/shown.rs",
    "src/engine/skip_words.rs",
    "src/engine/state/log_composer.rs",
    "src/engine/template/",
    "src/engine/terraform_state/serial_rewrite.rs",
    "src/engine/terraform_state/state_difference.rs",
    "src/engine/terraform_state/state_document.rs",
    "src/engine/terraform_state/state_head.rs",
    "src/engine/terraform_state/state_order.rs",
    "src/engine/terraform_state/state_scan.rs",
    "src/engine/variables/",
    "src/engine/visible_name.rs",
    "src/engine/wildcard.rs",
    "src/engine/workload_identity/identity_claims.rs",
    "src/engine/workload_identity/wanted_token.rs",
    "src/git/commit.rs",
    "src/git/failure.rs",
    "src/input/",
    "src/observe/exposition.rs",
    "src/outbound/address.rs",
    "src/outbound/sign.rs",
    "src/registry_client/challenge.rs",
    "src/runner/agent/presence.rs",
    "src/runner/agent/protocol.rs",
    "src/runner/agent/wire_step.rs",
    "src/runner/built_name.rs",
    "src/runner/docker/build_progress.rs",
    "src/runner/docker/dockerfile_images.rs",
    "src/runner/kubernetes/handle.rs",
    "src/runner/kubernetes/job_status.rs",
    "src/runner/log_position.rs",
    "src/runner/kubernetes/object_labels.rs",
    "src/runner/kubernetes/object_parts.rs",
    "src/runner/kubernetes/objects.rs",
    "src/runner/kubernetes/pod_options.rs",
    "src/runner/kubernetes/pod_template.rs",
    "src/runner/process/step_order.rs",
    "src/runner/line_splitter.rs",
    "src/runner/terraform/layout.rs",
    "src/runner/terraform/lock_file.rs",
    "src/runner/terraform/script.rs",
    "src/runner/terraform/script_backend.rs",
    "src/runner/terraform/script_generate.rs",
    "src/runner/terraform/script_head.rs",
    "src/runner/terraform/script_init.rs",
    "src/runner/terraform/shell_words.rs",
    "src/runner/terraform/tfvars.rs",
    "src/runner/terraform/version_range.rs",
    "src/secret/binding.rs",
    "src/secret/origin.rs",
    "src/secret/stored_binding.rs",
    "src/secret/url_login.rs",
    "src/terrakube/attribute.rs",
    "src/terrakube/attribute_value.rs",
    "src/terrakube/change_document.rs",
    "src/terrakube/describe.rs",
    "src/terrakube/document.rs",
    "src/terrakube/filter.rs",
    "src/terrakube/operation_path.rs",
    "src/terrakube/path.rs",
    "src/terrakube/query/",
    "src/terrakube/resource.rs",
    "src/terrakube/rsql/",
    "src/terrakube/tables/",
];

/// Files beside them that hold tests only.
const FIXTURES: &[&str] = &["src/engine/cron/fixtures.rs"];

/// File names that stand in several folders of src, because they mean the same in each.
const SHARED_NAMES: &[(&str, &str)] = &[
    ("access_token", "a personal or team access token"),
    ("account", "who the caller is"),
    ("action", "deploys, stops, cancels: what is done to a resource"),
    ("agent", "an agent of a cluster"),
    ("audit", "stores a change with the event that records it"),
    ("backfill", "runs the past times of a schedule"),
    ("calendar", "the calendars of an organization"),
    ("caller", "who makes a request"),
    ("cancel", "requests to cancel"),
    ("clone", "copies a resource"),
    ("commit", "a commit of a git repository"),
    ("cron_job", "a CronJob of Kubernetes"),
    ("deployment_rule", "when an environment is deployed and stopped"),
    ("edit", "changes a resource"),
    ("environment", "an environment"),
    ("error", "what can go wrong"),
    ("facts", "what the state machine knows about a run"),
    ("invitation", "an invitation to an organization"),
    ("list", "lists a resource"),
    ("organization", "an organization"),
    ("new_organization", "creates an organization"),
    ("page", "the pages of a list"),
    ("pause", "pauses a schedule, or skips one of its times"),
    ("place", "where a run is executed"),
    ("project", "a project"),
    ("queue", "the queue of deployments"),
    ("repository_login", "the logins and SSH keys of repositories"),
    ("request", "the bodies of requests"),
    ("response", "the bodies of responses"),
    ("run", "a run"),
    ("sealed_address", "an address that is a secret"),
    ("sign_in", "how people sign in to the console"),
    ("sight", "the environments that a caller sees"),
    ("step", "makes the step that a runner executes"),
    ("subject", "what a run belongs to"),
    ("terraform_variable", "a variable of a workspace"),
    ("token", "an API token"),
    ("transition", "changes of a run's state"),
    ("validate", "checks the body of a request"),
    ("visible", "what a caller sees"),
    ("workspace", "a workspace"),
    ("workspace_job", "a job of a workspace"),
    ("workspace_list", "lists workspaces"),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

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
    found.sort();
    found
}

fn all() -> Vec<PathBuf> {
    ["src", "client/src", "entity/src", "import/src", "migration/src", "schedule/src", "xtask/src", "tests", "benches"]
        .into_iter()
        .flat_map(files)
        .collect()
}

fn text(path: &Path) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

fn name(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Which file of a package imports which; tests in files of their own are left out.
fn package(folder: &str) -> Graph {
    let read = |path: PathBuf| {
        let module = module_of(path.strip_prefix(folder).unwrap());
        (module, name(&path).to_owned(), text(&path))
    };
    let all: Vec<_> = files(folder)
        .into_iter()
        .filter(|path| !name(path).ends_with("tests.rs") && !name(path).starts_with("src/bin"))
        .map(read)
        .collect();
    graph(&all)
}

#[test]
fn no_files_import_each_other_in_a_circle() {
    let mut found = Vec::new();
    for folder in ["src", "client/src", "entity/src", "import/src", "migration/src", "schedule/src", "xtask/src"] {
        let graph = package(folder);
        for circle in circles(&graph) {
            let inside =
                |file: &String| graph[file].iter().filter(|to| circle.contains(to)).cloned().collect::<Vec<_>>();
            found.extend(circle.iter().map(|file| format!("{file} imports {}", inside(file).join(", "))));
            found.push(String::new());
        }
    }
    assert!(found.is_empty(), "files that import each other in a circle:\n{}", found.join("\n"));
}

#[test]
fn rooms_import_only_what_they_may() {
    let mut broken = Vec::new();
    let graph = package("src");
    for path in files("src") {
        let file = name(&path);
        let row = MAY.iter().filter(|(place, _)| file.starts_with(place)).max_by_key(|(place, _)| place.len());
        let Some((_, allowed)) = row else {
            broken.push(format!("{file} is in no row of the table"));
            continue;
        };
        for target in graph.get(file).into_iter().flatten() {
            let module = module_of(Path::new(target).strip_prefix("src").unwrap()).join("::");
            let within = |place: &&str| module == **place || module.starts_with(&format!("{place}::"));
            let api =
                ["src/api", "src/cloud", "src/console", "src/terrakube"].iter().any(|place| file.starts_with(place));
            if !allowed.iter().any(&within) || api && NOT_FROM_AN_API.iter().any(within) {
                broken.push(format!("{file} imports {module}"));
            }
        }
    }
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
}

#[test]
fn entity_and_migration_stand_alone() {
    for (folder, forbidden) in [("entity/src", ["migration", "windlass"]), ("migration/src", ["entity", "windlass"])] {
        for path in files(folder) {
            for package in forbidden {
                assert!(!text(&path).contains(&format!("use {package}::")), "{} imports {package}", path.display());
            }
        }
    }
}

#[test]
fn pure_files_are_pure() {
    for path in files("src") {
        let (file, source) = (name(&path), text(&path));
        let in_table = PURE.iter().any(|place| file.starts_with(place));
        let is_module_list = file.ends_with("mod.rs") && !source.contains("fn ");
        let tests = file.ends_with("tests.rs") || FIXTURES.contains(&file);
        assert!(
            !in_table || tests || is_module_list || source.starts_with("//! Pure:"),
            "{file} does not say that it is pure"
        );
        assert!(in_table || !source.starts_with("//! Pure:"), "{file} says that it is pure, and is not in the table");
        if in_table && !tests {
            for impure in ["async ", ".await", "DatabaseConnection", "Utc::now", "crate::clock", "crate::error"] {
                assert!(!code_of(&source).contains(impure), "{file} has {impure}");
            }
        }
    }
}

#[test]
fn files_are_short_and_say_what_they_are() {
    let mut lengths = Vec::new();
    let mut broken = Vec::new();
    for path in all() {
        let source = text(&path);
        let lines = source.lines().count();
        if name(&path).starts_with("src") {
            lengths.push(lines);
            if lines > LONGEST {
                broken.push(format!("{} has {lines} lines, more than {LONGEST}", path.display()));
            }
        }
        if lines > 500 {
            broken.push(format!("{} has {lines} lines, more than 500", path.display()));
        }
        if !source.starts_with("//! ") {
            broken.push(format!("{} does not begin with //!", path.display()));
        }
    }
    lengths.sort_unstable();
    let median = lengths[lengths.len() / 2];
    if median > MEDIAN {
        broken.push(format!("the median file of src has {median} lines, more than {MEDIAN}"));
    }
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
}

#[test]
fn a_file_name_means_one_thing() {
    let mut places: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for path in files("src") {
        let stem = path.file_stem().unwrap().to_str().unwrap().to_owned();
        places.entry(stem).or_default().push(name(&path).to_owned());
    }
    let mut broken: Vec<String> = Vec::new();
    for (stem, files) in &places {
        if files.len() > 1 && stem != "mod" && !SHARED_NAMES.iter().any(|(shared, _)| shared == stem) {
            broken.push(format!("{stem}: {}", files.join(", ")));
        }
    }
    for (shared, _) in SHARED_NAMES {
        if places.get(*shared).is_none_or(|files| files.len() < 2) {
            broken.push(format!("{shared} is in the table, and stands only once"));
        }
    }
    assert!(
        broken.is_empty(),
        "file names that stand in several folders, and not in the table:\n{}",
        broken.join("\n")
    );
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

/// Only the passes call runners, and only they change the state of runs. Those of checks are elsewhere, and change by pings.
#[test]
fn only_the_passes_touch_runs() {
    let rooms = ["src/engine/tick", "src/engine/cluster", "src/engine/job_check", "src/store"];
    for path in files("src").into_iter().filter(|path| !rooms.iter().any(|room| path.starts_with(room))) {
        let (file, source) = (name(&path), text(&path));
        for call in ["run::advance", "run::claim", "run::renew", "run::create", ".poll(&name", "log_chunk::append"] {
            // A run that is requested is stored like a deployment, and started by a pass.
            let requests = ["src/engine/backfill", "src/engine/manual", "src/engine/workspace"];
            let stores_a_request = requests.iter().any(|room| file.starts_with(room));
            assert!(stores_a_request && call == "run::create" || !source.contains(call), "{file} calls {call}");
        }
    }
}

/// The loops and the passes of a tick: each is one file with one `run_once`.
#[test]
fn a_pass_is_one_file_with_one_entry() {
    let rooms = ["src/engine/tick", "src/engine/cluster"];
    let all = rooms.into_iter().flat_map(files).map(|path| (name(&path).to_owned(), text(&path)));
    let passes: Vec<_> = all.filter(|(_, source)| source.contains("fn run_once(")).collect();
    assert!(passes.len() >= 12, "{} passes", passes.len());
    for (file, source) in passes {
        assert_eq!(source.matches("fn run_once(").count(), 1, "{file}");
        let entries = source.lines().filter(|line| {
            line.starts_with("pub(in crate::engine::tick) async fn") || line.starts_with("pub async fn")
        });
        assert!(entries.count() <= 1, "{file} has another entry");
    }
}

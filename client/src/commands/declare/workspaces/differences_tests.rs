//! What is compared of workspaces.

use std::path::Path;

use serde_json::{Map, Value, json};

use super::super::super::declared_workspace::{List, Workspace, take};
use super::differences;

fn read(workspace: Value) -> Workspace {
    let mut document = Map::from_iter([("workspaces".to_owned(), json!({"network": workspace}))]);
    take(&mut document, Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap().remove(0)
}

fn network() -> Value {
    json!({
        "folder": "/live", "vcs": "forge", "tags": ["prod", "a=b"],
        "variables": {"region": "eu", "zones": {"value": "[\"a\"]", "hcl": true, "description": "x"}},
        "secrets": {"token": null}, "schedules": [{"cron": "0 5 * * *"}],
    })
}

#[test]
fn only_what_is_mentioned_is_compared() {
    let mut stored = read(network());
    for list in List::ALL {
        stored.variables.entry(list).or_default();
    }
    let shown = |wanted: Value| {
        let fields = differences(&read(wanted), Some(&stored));
        let shown = fields
            .into_iter()
            .map(|of| format!("{}: {} -> {}", of.field, of.before.unwrap_or_default(), of.after.unwrap_or_default()));
        shown.collect::<Vec<_>>()
    };
    assert!(shown(network()).is_empty());
    let mut other = network();
    other["folder"] = json!("/");
    other["variables"] = json!({"region": "us"});
    other["secrets"] = json!({"token": {"file": "Cargo.toml"}});
    other["tags"] = json!(["prod"]);
    other.as_object_mut().unwrap().remove("schedules");
    other.as_object_mut().unwrap().remove("vcs");
    assert_eq!(
        shown(other),
        [
            "folder: /live -> ",
            "vcs: forge -> ",
            "variables.region.value: eu -> us",
            "variables.zones.description: x -> ",
            "variables.zones.hcl: true -> ",
            "variables.zones.value: [\"a\"] -> ",
            "tags: [\"a=b\",\"prod\"] -> [\"prod\"]",
        ],
        "a stored secret is not compared, because the server does not return it"
    );
}

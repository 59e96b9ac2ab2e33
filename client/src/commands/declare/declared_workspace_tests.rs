//! What is read of workspaces, and written.

use std::path::Path;

use serde_json::{Map, Value, json};

use super::{Workspace, take};

fn read(workspace: Value) -> Result<Workspace, String> {
    let mut document = Map::from_iter([("workspaces".to_owned(), json!({"network": workspace}))]);
    let mut found =
        take(&mut document, Path::new(env!("CARGO_MANIFEST_DIR"))).map_err(|failure| failure.to_string())?;
    assert!(document.is_empty());
    Ok(found.remove(0))
}

fn network() -> Value {
    json!({
        "source": "https://example.com/network.git", "folder": "/live", "tool": "tofu", "version": "1.9", "vcs": "forge",
        "template": "Plan and apply", "cluster": "factory", "allow_remote_apply": true, "tags": ["prod", "a=b"],
        "variables": {"region": "eu", "zones": {"value": "[\"a\"]", "hcl": true, "description": "x"}},
        "secrets": {"token": null}, "environment_variables": {"TF_LOG": "INFO"},
        "schedules": [{"cron": "0 5 * * *"}, {"cron": "0 4 * * *", "template": "Plan", "enabled": false}],
    })
}

#[test]
fn what_is_written_is_read_again() {
    let found = read(network()).unwrap();
    assert_eq!(found.fields["branch"], "remote-content");
    assert_eq!(found.schedules.as_ref().unwrap()[0].cron, "0 4 * * *", "in order");
    let again = read(found.written()).unwrap();
    assert!(again == found);
    assert!(read(json!(null)).unwrap().variables.is_empty(), "what is not mentioned stays");
}

#[test]
fn faults_are_named() {
    for (workspace, fault) in [
        (json!([]), "workspaces.network: must be an object"),
        (json!({"sorce": "x"}), "workspaces.network.sorce: is not a known key; there are: description, source, "),
        (json!({"version": 1.9}), "workspaces.network.version: must be quoted"),
        (json!({"tags": "prod"}), "workspaces.network.tags: must be a list"),
        (json!({"variables": {"a": {"hcl": true}}}), "workspaces.network.variables.a: must have a value"),
        (
            json!({"variables": {"a": {"value": "x", "path": "/x"}}}),
            "workspaces.network.variables.a.path: is not a known",
        ),
        (json!({"secrets": {"a": "written"}}), "workspaces.network.secrets.a: must not be written down"),
        (json!({"schedules": [{}]}), "workspaces.network.schedules[0].cron: is required"),
        (json!({"schedules": [{"cron": "x", "at": 1}]}), "workspaces.network.schedules[0].at: is not a known key"),
    ] {
        let refused = read(workspace).map(drop).unwrap_err();
        assert!(refused.starts_with(fault), "{refused}");
    }
}

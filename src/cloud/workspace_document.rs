//! Pure: a workspace as this API shows it, with what the caller may do.

use entity::{organization, workspace};
use serde_json::{Value, json};

use super::json_api::{time, to_one};
use super::tag_binding::TagBinding;
use crate::access::reach::Rights;

/// What a workspace document is made of.
pub(super) struct ShownWorkspace<'a> {
    pub(super) organization: &'a organization::Model,
    pub(super) row: &'a workspace::Model,
    pub(super) rights: Rights,
    pub(super) tags: &'a [TagBinding],
    /// The id of the run that is carried out or waits next.
    pub(super) current_run: Option<String>,
}

impl ShownWorkspace<'_> {
    /// The resource.
    pub(super) fn resource(&self) -> Value {
        let Self { organization, row, rights, tags, current_run } = self;
        let mut names: Vec<&str> = tags.iter().map(|tag| tag.key.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        let run = current_run.as_ref().map(|id| json!({"id": id, "type": "runs"}));
        json!({
            "id": row.id,
            "type": "workspaces",
            "attributes": {
                "name": row.name,
                "description": row.description,
                "created-at": time(row.created_at),
                "updated-at": time(row.updated_at),
                "auto-apply": false,
                "execution-mode": row.execution_mode,
                "operations": row.execution_mode != "local",
                "locked": row.locked || row.state_lock.is_some(),
                "lock-reason": lock_reason(row),
                "terraform-version": or_latest(&row.terraform_version),
                "working-directory": row.folder.trim_start_matches('/'),
                "tag-names": names,
                "source": "tfe-api",
                "vcs-repo": null,
                "speculative-enabled": true,
                "global-remote-state": false,
                "structured-run-output-enabled": false,
                "permissions": permissions(*rights),
                "actions": {"is-destroyable": rights.workspaces},
            },
            "relationships": {
                "organization": to_one("organizations", &organization.name),
                "project": row.project_id.map_or_else(|| json!({"data": null}), |id| to_one("projects", id)),
                "current-run": {"data": run},
            },
        })
    }
}

/// Programs compare their own version with it; `latest` fits all.
fn or_latest(version: &str) -> &str {
    if version.trim().is_empty() { "latest" } else { version }
}

/// Why the workspace is locked, in the words of whoever locked it.
fn lock_reason(row: &workspace::Model) -> Option<String> {
    let said = row.state_lock.as_ref().and_then(|lock| lock.get("Operation")).and_then(Value::as_str);
    said.filter(|text| !text.is_empty()).map(str::to_owned).or_else(|| row.lock_description.clone())
}

/// Programs require the whole object.
fn permissions(rights: Rights) -> Value {
    let Rights { view, workspaces, templates: _, logins: _, modules: _, providers: _, states, plan, approve, .. } =
        rights;
    json!({
        "can-update": workspaces,
        "can-destroy": workspaces,
        "can-force-delete": workspaces,
        "can-queue-run": plan,
        "can-queue-apply": plan && approve,
        "can-queue-destroy": plan && approve,
        "can-lock": states,
        "can-unlock": states,
        "can-force-unlock": states,
        "can-read-settings": view,
        "can-read-run": view,
        "can-read-variable": view,
        "can-update-variable": workspaces,
        "can-manage-tags": workspaces,
        "can-manage-run-tasks": false,
        "can-read-state-versions": states,
        "can-read-state-outputs": states,
        "can-create-state-versions": states,
    })
}

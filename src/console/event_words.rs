//! What events say, in words. Whoever needs the official names finds them in the title, and in the API.

use entity::event::Model;
use serde_json::Value;

use crate::engine::event_kind::target_kind;

/// What can be chosen to be shown: the official targets, with words.
pub(super) const TARGETS: [(&str, &str); 9] = [
    ("JOB", "jobs and checks"),
    ("ENVIRONMENT", "environments"),
    ("PROJECT", "projects"),
    ("TERRAFORM", "workspaces"),
    ("CLUSTER", "clusters"),
    ("CONTAINER_REGISTRY", "container registries"),
    ("WEBHOOK", "webhooks"),
    ("MEMBERS_AND_ROLES", "members and roles"),
    ("ORGANIZATION", "the organization and its settings"),
];

/// What was done, by official names.
const DONE: [(&str, &str); 38] = [
    ("CREATE", "created"),
    ("UPDATE", "changed"),
    ("DELETE", "deleted"),
    ("ACCEPT", "accepted"),
    ("REJECT", "rejected"),
    ("CLONE", "cloned"),
    ("EXPORT", "exported"),
    ("IMPORT", "imported"),
    ("ROLL_BACK", "rolled back"),
    ("LOCK", "locked"),
    ("UNLOCK", "unlocked"),
    ("TERRAFORM_FORCE_UNLOCK_SUCCEEDED", "unlocked, whoever held the lock,"),
    ("TRIGGER_DEPLOY", "asked to deploy"),
    ("TRIGGER_STOP", "asked to stop"),
    ("TRIGGER_DELETE", "asked to delete"),
    ("TRIGGER_UNINSTALL", "asked to uninstall"),
    ("TRIGGER_CANCEL", "cancelled"),
    ("TRIGGER_FORCE_RUN", "asked to run"),
    ("DEPLOY_QUEUED", "asked to deploy"),
    ("STOP_QUEUED", "asked to stop"),
    ("DELETE_QUEUED", "asked to delete"),
    ("UNINSTALL_QUEUED", "asked to uninstall"),
    ("FORCE_RUN_QUEUED", "asked to run"),
    ("FORCE_RUN_QUEUED_DEPLOY", "asked to run the start command of"),
    ("FORCE_RUN_QUEUED_STOP", "asked to run the stop command of"),
    ("FORCE_RUN_QUEUED_DELETE", "asked to run the delete command of"),
    ("DEPLOYED", "deployed"),
    ("STOPPED", "stopped"),
    ("DELETED", "deleted"),
    ("UNINSTALLED", "uninstalled"),
    ("FORCE_RUN_SUCCEEDED", "had run"),
    ("DEPLOY_FAILED", "could not deploy"),
    ("STOP_FAILED", "could not stop"),
    ("DELETE_FAILED", "could not delete"),
    ("UNINSTALL_FAILED", "could not uninstall"),
    ("FORCE_RUN_FAILED", "had a failed run of"),
    ("MAINTENANCE", "maintained"),
    ("DRY_RUN", "planned"),
];

/// What was done with workspaces, where the words are others.
const DONE_WITH_WORKSPACES: [(&str, &str, &str); 3] = [
    ("WORKSPACE_JOB", "CREATE", "started"),
    ("WORKSPACE_JOB", "ACCEPT", "approved"),
    ("WORKSPACE_STATE", "UPDATE", "stored"),
];

/// Kinds whose words are not just their names.
const KINDS: [(&str, &str); 10] = [
    ("API_TOKEN", "token"),
    ("GIT_TOKEN", "git token"),
    ("CUSTOM_ROLE", "role"),
    ("SECRET", "secret variable"),
    ("KUBERNETES_CREDENTIALS", "credentials"),
    ("WORKSPACE_STATE", "state"),
    ("WORKSPACE_SCHEDULE", "schedule"),
    ("WORKSPACE_TAG", "tag"),
    ("WORKSPACE_ACCESS", "access of a team"),
    ("REPOSITORY_WEBHOOK", "webhook of the repository"),
];

/// A name as words, for what is not known.
fn lower(name: &str) -> String {
    name.to_lowercase().replace('_', " ")
}

/// What was done.
pub(super) fn did(row: &Model) -> String {
    let part = row.sub_target.as_deref().unwrap_or_default();
    let own = DONE_WITH_WORKSPACES.iter().find(|(of, kind, _)| (*of, *kind) == (part, row.kind.as_str()));
    if let Some((_, _, words)) = own {
        return (*words).to_owned();
    }
    DONE.iter().find(|(kind, _)| *kind == row.kind).map_or_else(|| lower(&row.kind), |(_, words)| (*words).to_owned())
}

fn thing(kind: &str) -> String {
    KINDS.iter().find(|(of, _)| *of == kind).map_or_else(|| lower(kind), |(_, words)| (*words).to_owned())
}

/// What it was done with, before the name that the event has.
pub(super) fn what(row: &Model) -> String {
    let part = row.sub_target.as_deref();
    let value = |key: &str| [&row.after, &row.before].into_iter().flatten().find_map(|shown| shown.get(key));
    let text = |key: &str| value(key).and_then(Value::as_str).map(|text| format!(" {text}")).unwrap_or_default();
    let kind = thing(target_kind(&row.target, part));
    match (row.target.as_str(), part) {
        ("TERRAFORM", Some("WORKSPACE_JOB")) => {
            let number = value("job").and_then(Value::as_i64).map(|number| format!(" {number}")).unwrap_or_default();
            format!("job{number} of the workspace")
        }
        ("TERRAFORM", Some("VARIABLE" | "SECRET")) => format!("{kind}{} of the workspace", text("key")),
        ("TERRAFORM", Some("WORKSPACE_TAG")) => format!("{kind}{} of the workspace", text("tag")),
        ("TERRAFORM", Some(_)) => format!("{kind} of the workspace"),
        // These are named themselves.
        ("ORGANIZATION" | "MEMBERS_AND_ROLES", _) | (_, None) | ("JOB", Some("CHECK")) => kind,
        (target, Some("CONFIG")) => format!("{} of the {}", thing("DEPLOYMENT_RESTRICTION"), lower(target)),
        (target, Some(part)) => format!("{} of the {}", thing(part), thing(target)),
    }
}

/// Why it was done, as somebody said then.
pub(super) fn why(row: &Model) -> Option<&str> {
    let shown = row.after.as_ref()?;
    let said = ["reason", "comments", "operation"].into_iter().find_map(|key| shown.get(key).and_then(Value::as_str));
    said.filter(|text| !text.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use entity::deployment::Origin;
    use entity::id::{EventId, OrganizationId};
    use serde_json::json;

    use super::*;

    fn event(kind: &str, target: &str, part: Option<&str>, after: Value) -> Model {
        Model {
            id: EventId::create(),
            organization_id: OrganizationId::create(),
            created_at: DateTime::UNIX_EPOCH,
            kind: kind.into(),
            target: target.into(),
            sub_target: part.map(str::to_owned),
            target_id: None,
            target_name: "prod".into(),
            project_id: None,
            project_name: None,
            environment_id: None,
            environment_name: None,
            before: None,
            after: Some(after),
            origin: Origin::Api,
            triggered_by: "ann".into(),
            user_agent: None,
        }
    }

    #[test]
    fn events_are_sentences() {
        for (kind, target, part, after, said) in [
            ("CREATE", "TERRAFORM", None, json!({}), "created workspace"),
            ("ACCEPT", "TERRAFORM", Some("WORKSPACE_JOB"), json!({"job": 7}), "approved job 7 of the workspace"),
            ("ROLL_BACK", "TERRAFORM", Some("WORKSPACE_STATE"), json!({}), "rolled back state of the workspace"),
            ("UPDATE", "TERRAFORM", Some("SECRET"), json!({"key": "k"}), "changed secret variable k of the workspace"),
            ("ACCEPT", "MEMBERS_AND_ROLES", Some("INVITATION"), json!({}), "accepted invitation"),
            ("UPDATE", "JOB", Some("VARIABLE"), json!({}), "changed variable of the job"),
            ("CREATE", "JOB", Some("CHECK"), json!({}), "created check"),
            ("UPDATE", "JOB", Some("CONFIG"), json!({}), "changed deployment restriction of the job"),
            ("FORCE_RUN_QUEUED", "JOB", None, json!({}), "asked to run job"),
            ("SOMETHING_NEW", "NEW_THING", None, json!({}), "something new new thing"),
        ] {
            let row = event(kind, target, part, after);
            assert_eq!(format!("{} {}", did(&row), what(&row)), said);
        }
    }
}

//! The events of workspaces: what somebody changed, in the transaction of the change. What the engine does by itself is no event.

use chrono::{DateTime, Utc};
use entity::{terraform_variable, workspace, workspace_job};
use sea_orm::DatabaseTransaction;
use serde_json::{Value, json};

use super::audit::{self, Change};
use super::requester::Requester;
use crate::error::Result;
use crate::store;

/// The official target of a workspace.
pub const TARGET: &str = "TERRAFORM";

/// What of a workspace was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Job,
    State,
    Schedule,
    Tag,
    Access,
    RepositoryWebhook,
}

impl Part {
    /// The name under which events have it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Job => "WORKSPACE_JOB",
            Self::State => "WORKSPACE_STATE",
            Self::Schedule => "WORKSPACE_SCHEDULE",
            Self::Tag => "WORKSPACE_TAG",
            Self::Access => "WORKSPACE_ACCESS",
            Self::RepositoryWebhook => "REPOSITORY_WEBHOOK",
        }
    }
}

/// What was done, under its official name if it has one.
pub mod kind {
    pub const CREATE: &str = "CREATE";
    pub const UPDATE: &str = "UPDATE";
    pub const DELETE: &str = "DELETE";
    pub const LOCK: &str = "LOCK";
    pub const UNLOCK: &str = "UNLOCK";
    pub const FORCE_UNLOCK: &str = "TERRAFORM_FORCE_UNLOCK_SUCCEEDED";
    pub const APPROVE: &str = "ACCEPT";
    pub const REJECT: &str = "REJECT";
    pub const CANCEL: &str = "TRIGGER_CANCEL";
    pub const IMPORT: &str = "IMPORT";
    pub const ROLL_BACK: &str = "ROLL_BACK";
}

/// Who changed something, and when.
#[derive(Clone, Copy, Debug)]
pub struct By<'a> {
    pub who: &'a Requester,
    pub at: DateTime<Utc>,
}

fn change_of(kind: &'static str, of: &workspace::Model) -> Change {
    Change::new(kind, TARGET, of.id.0, &of.name).in_project(of.project_id)
}

async fn stored(tx: &DatabaseTransaction, by: By<'_>, of: &workspace::Model, change: Change) -> Result<()> {
    audit::record_at(by.who, of.organization_id, tx, change, by.at).await
}

/// A workspace as its event shows it: how it is defined.
fn shown(row: &workspace::Model) -> Value {
    json!({
        "name": row.name,
        "description": row.description,
        "source": row.source,
        "branch": row.branch,
        "folder": row.folder,
        "terraformVersion": row.terraform_version,
        "iacType": row.iac_type,
        "executionMode": row.execution_mode,
        "defaultTemplate": row.default_template,
        "allowRemoteApply": row.allow_remote_apply,
        "moduleSshKey": row.module_ssh_key,
        "destroyProtection": row.destroy_protection,
        "projectId": row.project_id,
        "vcsId": row.vcs_id,
        "sshKeyId": row.ssh_key_id,
        "clusterId": row.cluster_id,
    })
}

/// A workspace that was created, or changed: how it is defined, whether it is locked, and whether it is hidden.
///
/// # Errors
/// When a statement fails.
pub async fn saved(
    tx: &DatabaseTransaction,
    by: By<'_>,
    before: Option<&workspace::Model>,
    after: &workspace::Model,
) -> Result<()> {
    let Some(before) = before else {
        return stored(tx, by, after, change_of(kind::CREATE, after).after(&shown(after))).await;
    };
    let (old, new) = (shown(before), shown(after));
    if after.deleted && !before.deleted {
        // It is called as before: hiding it may free the name.
        let change = change_of(kind::DELETE, before).before(&old).after(&json!({"stateKept": true}));
        return stored(tx, by, before, change).await;
    }
    if before.locked != after.locked {
        locked(tx, by, after).await?;
    }
    if old != new {
        stored(tx, by, after, change_of(kind::UPDATE, after).before(&old).after(&new)).await?;
    }
    Ok(())
}

/// A workspace that was deleted.
///
/// # Errors
/// When a statement fails.
pub async fn removed(tx: &DatabaseTransaction, by: By<'_>, row: &workspace::Model) -> Result<()> {
    stored(tx, by, row, change_of(kind::DELETE, row).before(&shown(row))).await
}

/// A workspace that takes no new jobs any more, or takes them again.
///
/// # Errors
/// When a statement fails.
pub async fn locked(tx: &DatabaseTransaction, by: By<'_>, row: &workspace::Model) -> Result<()> {
    let change = match row.locked {
        true => change_of(kind::LOCK, row).after(&json!({"reason": row.lock_description})),
        false => change_of(kind::UNLOCK, row),
    };
    stored(tx, by, row, change).await
}

/// A change of a part of a workspace, as it was before and is after it.
///
/// # Errors
/// When a statement fails.
pub async fn part(
    tx: &DatabaseTransaction,
    by: By<'_>,
    of: &workspace::Model,
    (kind, part): (&'static str, Part),
    (before, after): (Option<Value>, Option<Value>),
) -> Result<()> {
    let change = change_of(kind, of).part(part.name());
    let change = if let Some(before) = before { change.before(&before) } else { change };
    let change = if let Some(after) = after { change.after(&after) } else { change };
    stored(tx, by, of, change).await
}

/// A job that somebody started, decided about or removed.
///
/// # Errors
/// When a statement fails.
pub async fn job(tx: &DatabaseTransaction, by: By<'_>, kind: &'static str, row: &workspace_job::Model) -> Result<()> {
    let Some(of) = store::row::by_id::<workspace::Model>(tx, row.workspace_id).await? else { return Ok(()) };
    let shown = json!({"job": row.id, "comments": row.comments});
    let values = if kind == kind::DELETE { (Some(shown), None) } else { (None, Some(shown)) };
    part(tx, by, &of, (kind, Part::Job), values).await
}

/// A variable without its value, which not everybody who reads events may see.
fn shown_variable(row: &terraform_variable::Model) -> Value {
    json!({
        "key": row.key,
        "category": row.category,
        "description": row.description,
        "sensitive": row.sensitive,
        "hcl": row.hcl,
    })
}

/// A variable of a workspace or of all of them that was created, changed or deleted.
///
/// # Errors
/// When a statement fails.
pub async fn variable(
    tx: &DatabaseTransaction,
    by: By<'_>,
    (before, after): (Option<&terraform_variable::Model>, Option<&terraform_variable::Model>),
) -> Result<()> {
    let Some(row) = after.or(before) else { return Ok(()) };
    let kind = match (before, after) {
        (None, _) => kind::CREATE,
        (_, None) => kind::DELETE,
        (Some(_), Some(_)) => kind::UPDATE,
    };
    let of = match row.workspace_id {
        Some(id) => store::row::by_id::<workspace::Model>(tx, id).await?,
        None => None,
    };
    let change = match &of {
        Some(of) => change_of(kind, of),
        None => Change::new(kind, "ORGANIZATION", row.id.0, &row.key),
    };
    let mut change = change.part(if row.sensitive { "SECRET" } else { "VARIABLE" });
    if let Some(before) = before {
        change = change.before(&shown_variable(before));
    }
    if let Some(after) = after {
        change = change.after(&shown_variable(after));
    }
    audit::record_at(by.who, row.organization_id, tx, change, by.at).await
}

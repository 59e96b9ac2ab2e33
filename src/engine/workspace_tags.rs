//! Tags on workspaces, by their names. A tag that the organization does not have yet is created. Callers have checked that the requester
//! may change the workspace.

use chrono::{DateTime, Utc};
use entity::id::{TagId, WorkspaceTagId};
use entity::{tag, workspace, workspace_tag};
use sea_orm::DatabaseTransaction;
use serde_json::json;

use super::workspace_event::{self, By, Part, kind};
use crate::error::{Error, Result};
use crate::store;

/// The most tags of a workspace.
const MOST: usize = 100;

/// Puts tags on a workspace, besides those that it has. The workspace is locked, so that two requests do not add the same one.
///
/// # Errors
/// `Invalid` if there are too many; database errors.
pub async fn add(tx: &DatabaseTransaction, of: &workspace::Model, names: &[String], by: By<'_>) -> Result<()> {
    if names.is_empty() {
        return Ok(());
    }
    store::workspace::lock(tx, of.id).await?;
    let present = store::workspace::tag_names(tx, vec![of.id]).await?;
    let mut has: Vec<&str> = present.iter().map(|(_, name)| name.as_str()).collect();
    for name in names {
        if has.contains(&name.as_str()) {
            continue;
        }
        has.push(name);
        if has.len() > MOST {
            return Err(Error::invalid("tags", format!("a workspace has at most {MOST} tags")));
        }
        let tag_id = tag(tx, of, name, (by.who.author(), by.at)).await?;
        let row = workspace_tag::Model {
            id: WorkspaceTagId::create(),
            organization_id: of.organization_id,
            workspace_id: of.id,
            created_at: by.at,
            updated_at: by.at,
            created_by: by.who.author().to_owned(),
            updated_by: by.who.author().to_owned(),
            tag_id,
        };
        store::row::create(tx, row).await?;
        let shown = json!({"tag": name});
        workspace_event::part(tx, by, of, (kind::CREATE, Part::Tag), (None, Some(shown))).await?;
    }
    Ok(())
}

/// The tag of this name, which is created if there is none.
async fn tag(
    tx: &DatabaseTransaction,
    of: &workspace::Model,
    name: &str,
    (by, now): (&str, DateTime<Utc>),
) -> Result<TagId> {
    if let Some(id) = store::workspace::tag_by_name(tx, of.organization_id, name).await? {
        return Ok(id);
    }
    let row = tag::Model {
        id: TagId::create(),
        organization_id: of.organization_id,
        created_at: now,
        updated_at: now,
        created_by: by.to_owned(),
        updated_by: by.to_owned(),
        name: name.to_owned(),
    };
    Ok(store::workspace::keep_tag(tx, row).await?)
}

/// Takes tags off a workspace. Those that it does not have are passed over; the tags themselves stay.
///
/// # Errors
/// A database error.
pub async fn remove(tx: &DatabaseTransaction, of: &workspace::Model, names: &[String], by: By<'_>) -> Result<()> {
    for name in names {
        if let Some(id) = store::workspace::tag_by_name(tx, of.organization_id, name).await?
            && store::workspace::remove_tag(tx, of.id, id).await?
        {
            let shown = json!({"tag": name});
            workspace_event::part(tx, by, of, (kind::DELETE, Part::Tag), (Some(shown), None)).await?;
        }
    }
    Ok(())
}

/// Puts a tag with a value on a workspace: another value of the same key is replaced.
///
/// # Errors
/// As `add`.
pub async fn bind(
    tx: &DatabaseTransaction,
    of: &workspace::Model,
    names: &[String],
    is_same_key: impl Fn(&str, &str) -> bool,
    by: By<'_>,
) -> Result<()> {
    store::workspace::lock(tx, of.id).await?;
    let present = store::workspace::tag_names(tx, vec![of.id]).await?;
    let replaced = |name: &String| !names.contains(name) && names.iter().any(|new| is_same_key(name, new));
    let old: Vec<String> = present.into_iter().map(|(_, name)| name).filter(replaced).collect();
    remove(tx, of, &old, by).await?;
    add(tx, of, names, by).await
}

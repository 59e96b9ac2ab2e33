//! Terraform workspaces of files, over the Terrakube-compatible API: each is created or changed by itself, in one transaction.

mod differences;
mod operations;
mod stored;

use serde_json::{Map, Value, json};

use self::differences::differences;
use self::operations::Writer;
use self::stored::Known;
use super::change::Change;
use super::declared_workspace::{SECTION, Workspace};
use super::organization::Mode;
use super::outcome::{Outcome, Told};
use crate::failure::{Failure, Result};
use crate::names::Place;

/// Compares the workspaces, and stores those that differ. Nothing if none are declared.
pub(super) async fn settle(place: &Place, all: &[&Workspace], prune: Option<&str>, mode: Mode) -> Result<Option<Told>> {
    if all.is_empty() {
        return Ok(None);
    }
    let known = Known::load(place).await?;
    let mut writer = Writer::new(place, &known);
    let mut changes = Vec::new();
    for wanted in all {
        let at = |failure: Failure| failure.about(&format!("{SECTION}.{}", wanted.name));
        let old = known.workspaces.iter().find(|row| row.workspace.name == wanted.name);
        let fields = differences(wanted, old.map(|row| &row.workspace));
        // Names that mean nothing are refused before anything is stored.
        let operations = writer.settle(wanted, old).map_err(at)?;
        if operations.is_empty() {
            continue;
        }
        if mode == Mode::Store {
            writer.send(operations).await.map_err(at)?;
        }
        changes.push(change(if old.is_some() { "UPDATE" } else { "CREATE" }, &wanted.name, fields));
    }
    if let Some(label) = prune {
        let is_declared = |name: &str| all.iter().any(|wanted| wanted.name == name);
        let has_tag = |row: &&stored::Stored| row.workspace.tags.iter().flatten().any(|tag| tag == label);
        let gone = known.workspaces.iter().filter(has_tag).filter(|row| !is_declared(&row.workspace.name));
        for row in gone {
            let name = &row.workspace.name;
            if mode == Mode::Store {
                let sent = writer.send(vec![operations::removal("workspace", &row.id)]).await;
                sent.map_err(|failure| failure.about(&format!("{SECTION}.{name}")))?;
            }
            changes.push(change("DELETE", name, Vec::new()));
        }
    }
    let answer =
        changes.iter().map(|change| json!({"kind": change.kind, "action": change.action, "name": change.name}));
    let answer = json!({"applied": mode == Mode::Store, "changes": answer.collect::<Vec<_>>()});
    Ok(Some(Told { name: SECTION.into(), answer, outcome: Outcome { environment_id: None, changes } }))
}

fn change(action: &str, name: &str, fields: Vec<super::change::Field>) -> Change {
    let (kind, action, name) = ("WORKSPACE".into(), action.into(), name.into());
    Change { kind, action, name, job: None, job_id: None, fields }
}

/// All workspaces as a file declares them; None if there are none.
pub(super) async fn export(place: &Place) -> Result<Option<Value>> {
    let known = Known::load(place).await?;
    let one = |row: &stored::Stored| (row.workspace.name.clone(), row.workspace.written());
    let all: Map<String, Value> = known.workspaces.iter().map(one).collect();
    Ok(if all.is_empty() { None } else { Some(json!({ SECTION: all })) })
}

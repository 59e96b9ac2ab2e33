//! The operations that make a workspace as it is declared, which the server executes in one transaction.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::super::declared_workspace::{FIELDS, List, REFERENCES, Schedule, Variable, Workspace};
use super::stored::{Known, Stored};
use crate::failure::{Failure, Result};
use crate::names::Place;

/// The most operations of one request.
const MOST: usize = 100;

/// Writes workspaces.
pub(super) struct Writer<'a> {
    place: &'a Place,
    known: &'a Known,
    /// Tags that were asked for, and are new.
    new_tags: BTreeMap<String, String>,
}

/// An operation that removes a resource.
pub(super) fn removal(kind: &str, id: &str) -> Value {
    json!({"op": "remove", "ref": {"type": kind, "id": id}})
}

fn addition(href: &str, kind: &str, id: &str, attributes: Value, relationships: Option<Value>) -> Value {
    let mut data = json!({"type": kind, "id": id, "attributes": attributes});
    if let (Some(relationships), Some(fields)) = (relationships, data.as_object_mut()) {
        fields.insert("relationships".into(), relationships);
    }
    json!({"op": "add", "href": href, "data": data})
}

impl<'a> Writer<'a> {
    pub(super) fn new(place: &'a Place, known: &'a Known) -> Self {
        Self { place, known, new_tags: BTreeMap::new() }
    }

    /// The path of the organization in operations.
    fn organization(&self) -> String {
        format!("/organization/{}", self.place.organization)
    }

    /// What has to be done; nothing if the workspace is as declared.
    pub(super) fn settle(&mut self, wanted: &Workspace, old: Option<&Stored>) -> Result<Vec<Value>> {
        let mut all = Vec::new();
        let id = old.map_or_else(|| Uuid::new_v4().to_string(), |old| old.id.clone());
        let (attributes, relationships) = self.own(wanted, old.map(|old| &old.workspace))?;
        let has_relationships = relationships.as_object().is_some_and(|fields| !fields.is_empty());
        let relationships = Some(relationships).filter(|_| has_relationships);
        match old {
            None => {
                let href = format!("{}/workspace", self.organization());
                all.push(addition(&href, "workspace", &id, attributes, relationships));
            }
            Some(_) if has_relationships || attributes.as_object().is_some_and(|fields| !fields.is_empty()) => {
                let mut data = json!({"type": "workspace", "id": id, "attributes": attributes});
                if let (Some(relationships), Some(fields)) = (relationships, data.as_object_mut()) {
                    fields.insert("relationships".into(), relationships);
                }
                all.push(json!({"op": "update", "ref": {"type": "workspace", "id": id}, "data": data}));
            }
            Some(_) => {}
        }
        let below = format!("{}/workspace/{id}", self.organization());
        self.variables(&below, wanted, old, &mut all)?;
        self.tags(&below, wanted, old, &mut all);
        self.schedules(&below, wanted, old, &mut all)?;
        Ok(all)
    }

    /// The attributes and relationships of the workspace itself that differ.
    fn own(&self, wanted: &Workspace, old: Option<&Workspace>) -> Result<(Value, Value)> {
        let (mut attributes, mut relationships) = (Map::new(), Map::new());
        if old.is_none() {
            attributes.insert("name".into(), json!(wanted.name));
        }
        for (key, attribute, default) in FIELDS {
            let value = wanted.fields.get(key).map_or(default, String::as_str);
            if old.is_none_or(|old| old.fields.get(key).map(String::as_str) != Some(value)) {
                let value = if default == "false" { json!(value == "true") } else { json!(value) };
                attributes.insert(attribute.into(), value);
            }
        }
        for (key, kind) in REFERENCES {
            let (name, before) = (wanted.references.get(key), old.and_then(|old| old.references.get(key)));
            let id = name.map(|name| self.id(key, kind, name)).transpose()?;
            if name == before {
                continue;
            }
            if kind == "template" {
                attributes.insert("defaultTemplate".into(), json!(id));
            } else {
                let data = id.map_or(Value::Null, |id| json!({"type": kind, "id": id}));
                relationships.insert(kind.into(), json!({ "data": data }));
            }
        }
        Ok((attributes.into(), relationships.into()))
    }

    /// The id of what a name means.
    fn id(&self, key: &str, kind: &str, name: &str) -> Result<&'a str> {
        let all = self.known.names.get(kind);
        let found = all.and_then(|all| all.get(name)).map(String::as_str);
        let names = || all.map(|all| all.keys().cloned().collect::<Vec<_>>().join(", ")).unwrap_or_default();
        // What the API calls an agent is a cluster elsewhere.
        let thing = if kind == "agent" { "cluster" } else { kind };
        found.ok_or_else(|| Failure::NotFound(format!("{key}: there is no {thing} {name}; there are: {}", names())))
    }

    fn variables(&self, below: &str, wanted: &Workspace, old: Option<&Stored>, all: &mut Vec<Value>) -> Result<()> {
        let nothing = BTreeMap::new();
        // A variable that becomes a secret has another list, and makes room first.
        for (list, variables) in &wanted.variables {
            let stored = old.and_then(|old| old.workspace.variables.get(list)).unwrap_or(&nothing);
            for key in stored.keys().filter(|key| !variables.contains_key(*key)) {
                let id = variable_id(old, *list, key);
                all.extend(id.map(|id| json!({"op": "remove", "href": format!("{below}/variable/{id}")})));
            }
        }
        for (list, variables) in &wanted.variables {
            let stored = old.and_then(|old| old.workspace.variables.get(list)).unwrap_or(&nothing);
            for (key, variable) in variables {
                let before = stored.get(key);
                let Variable { value, hcl, description } = variable;
                let mut attributes = json!({"hcl": hcl, "description": description});
                if let (Some(value), Some(fields)) = (value, attributes.as_object_mut()) {
                    fields.insert("value".into(), json!(value));
                }
                let Some((before, id)) = before.zip(variable_id(old, *list, key)) else {
                    if value.is_none() {
                        let text = format!("{}.{key}: has no value, and none is stored that could be kept", list.key());
                        return Err(Failure::Usage(text));
                    }
                    if let Some(fields) = attributes.as_object_mut() {
                        let more = json!({"key": key, "category": list.category(), "sensitive": list.is_secret()});
                        fields.extend(more.as_object().cloned().unwrap_or_default());
                    }
                    let new = Uuid::new_v4().to_string();
                    all.push(addition(&format!("{below}/variable"), "variable", &new, attributes, None));
                    continue;
                };
                let is_same = before.hcl == *hcl && before.description == *description;
                if !is_same || (!list.is_secret() && before.value != *value) {
                    let data = json!({"type": "variable", "id": id, "attributes": attributes});
                    let href = format!("{below}/variable/{id}");
                    all.push(json!({"op": "update", "href": href, "data": data}));
                }
            }
        }
        Ok(())
    }

    fn tags(&mut self, below: &str, wanted: &Workspace, old: Option<&Stored>, all: &mut Vec<Value>) {
        let Some(tags) = &wanted.tags else { return };
        for name in tags.iter().filter(|name| old.is_none_or(|old| !old.tags.contains_key(*name))) {
            let stored = self.known.names.get("tag").and_then(|tags| tags.get(name)).cloned();
            let id = stored.or_else(|| self.new_tags.get(name).cloned()).unwrap_or_else(|| {
                let id = Uuid::new_v4().to_string();
                self.new_tags.insert(name.clone(), id.clone());
                all.push(addition(&format!("{}/tag", self.organization()), "tag", &id, json!({ "name": name }), None));
                id
            });
            let new = Uuid::new_v4().to_string();
            let href = format!("{below}/workspaceTag");
            all.push(addition(&href, "workspacetag", &new, json!({ "tagId": id }), None));
        }
        let gone = old.into_iter().flat_map(|old| &old.tags).filter(|(name, _)| !tags.contains(*name));
        all.extend(gone.map(|(_, id)| json!({"op": "remove", "href": format!("{below}/workspaceTag/{id}")})));
    }

    /// Schedules have no names: one that is not there as it is declared is another one.
    fn schedules(&self, below: &str, wanted: &Workspace, old: Option<&Stored>, all: &mut Vec<Value>) -> Result<()> {
        let Some(schedules) = &wanted.schedules else { return Ok(()) };
        let mut left: Vec<&(Schedule, String)> = old.into_iter().flat_map(|old| &old.schedules).collect();
        let mut new = Vec::new();
        for schedule in schedules {
            match left.iter().position(|(known, _)| known == schedule) {
                Some(place) => drop(left.remove(place)),
                None => new.push(schedule),
            }
        }
        all.extend(left.iter().map(|(_, id)| json!({"op": "remove", "href": format!("{below}/schedule/{id}")})));
        for Schedule { cron, template, tcl, description, is_enabled } in new {
            let mut attributes = json!({"cron": cron, "description": description, "enabled": is_enabled});
            if let Some(fields) = attributes.as_object_mut() {
                if !template.is_empty() {
                    fields.insert("templateReference".into(), json!(self.id("schedules", "template", template)?));
                }
                if !tcl.is_empty() {
                    fields.insert("tcl".into(), json!(tcl));
                }
            }
            let id = Uuid::new_v4().to_string();
            all.push(addition(&format!("{below}/schedule"), "schedule", &id, attributes, None));
        }
        Ok(())
    }

    /// Sends the operations of one workspace, in one request unless there are too many.
    pub(super) async fn send(&self, operations: Vec<Value>) -> Result<()> {
        for some in operations.chunks(MOST) {
            self.place.api.atomic(some).await?;
        }
        Ok(())
    }
}

/// The id of a stored variable.
fn variable_id<'a>(old: Option<&'a Stored>, list: List, key: &str) -> Option<&'a str> {
    old?.variables.get(&(list, key.to_owned())).map(String::as_str)
}

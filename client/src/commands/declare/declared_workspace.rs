//! A workspace as files declare it: read, with its defaults, and written.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::{Map, Value, json};

use super::values;
use crate::failure::{Failure, Result};

/// The key of files.
pub(super) const SECTION: &str = "workspaces";

/// What a workspace has once: the key of files, the attribute of the API, and the default.
pub(super) const FIELDS: [(&str, &str, &str); 8] = [
    ("description", "description", ""),
    ("source", "source", "empty"),
    ("branch", "branch", "remote-content"),
    ("folder", "folder", "/"),
    ("tool", "iacType", "terraform"),
    ("version", "terraformVersion", ""),
    ("execution_mode", "executionMode", "remote"),
    ("allow_remote_apply", "allowRemoteApply", "false"),
];

/// What a workspace refers to by its name: the key of files, and the type of the API.
pub(super) const REFERENCES: [(&str, &str); 5] =
    [("template", "template"), ("vcs", "vcs"), ("ssh_key", "ssh"), ("project", "project"), ("cluster", "agent")];

/// A list of variables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum List {
    Variables,
    Secrets,
    EnvironmentVariables,
    EnvironmentSecrets,
}

impl List {
    pub(super) const ALL: [Self; 4] =
        [Self::Variables, Self::Secrets, Self::EnvironmentVariables, Self::EnvironmentSecrets];

    /// The key of files.
    pub(super) fn key(self) -> &'static str {
        match self {
            Self::Variables => "variables",
            Self::Secrets => "secrets",
            Self::EnvironmentVariables => "environment_variables",
            Self::EnvironmentSecrets => "environment_secrets",
        }
    }

    /// The category of the API.
    pub(super) fn category(self) -> &'static str {
        match self {
            Self::Variables | Self::Secrets => "TERRAFORM",
            Self::EnvironmentVariables | Self::EnvironmentSecrets => "ENV",
        }
    }

    pub(super) fn is_secret(self) -> bool {
        matches!(self, Self::Secrets | Self::EnvironmentSecrets)
    }

    pub(super) fn of(category: &str, is_secret: bool) -> Self {
        match (category == "ENV", is_secret) {
            (false, false) => Self::Variables,
            (false, true) => Self::Secrets,
            (true, false) => Self::EnvironmentVariables,
            (true, true) => Self::EnvironmentSecrets,
        }
    }
}

/// A variable of a workspace. No `Debug`: the value may be a secret.
#[derive(Clone, Default, PartialEq, Eq)]
pub(super) struct Variable {
    /// The server does not return the values of secrets; a secret without one keeps what is stored.
    pub(super) value: Option<String>,
    pub(super) hcl: bool,
    pub(super) description: String,
}

/// When a workspace runs by itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Schedule {
    pub(super) cron: String,
    /// The name of a template; that of the workspace if it is empty.
    pub(super) template: String,
    /// A flow of its own instead of a template, encoded as the API has it.
    pub(super) tcl: String,
    pub(super) description: String,
    pub(super) is_enabled: bool,
}

/// A workspace. What is None is not mentioned, and stays as it is. No `Debug`: it has secrets.
#[derive(Clone, Default, PartialEq, Eq)]
pub(super) struct Workspace {
    pub(super) name: String,
    /// By their keys in files, with their defaults.
    pub(super) fields: BTreeMap<&'static str, String>,
    /// Names, by their keys in files.
    pub(super) references: BTreeMap<&'static str, String>,
    pub(super) variables: BTreeMap<List, BTreeMap<String, Variable>>,
    pub(super) tags: Option<BTreeSet<String>>,
    pub(super) schedules: Option<Vec<Schedule>>,
}

/// Takes the workspaces out of a document.
pub(super) fn take(document: &mut Map<String, Value>, folder: &Path) -> Result<Vec<Workspace>> {
    let Some(list) = document.remove(SECTION) else { return Ok(Vec::new()) };
    let Value::Object(list) = list else { return Err(Failure::Usage(format!("{SECTION}: must be an object"))) };
    let one = |(name, given): (String, Value)| {
        let at = format!("{SECTION}.{name}");
        match given {
            Value::Object(given) => read(name, given, folder, &at),
            Value::Null => read(name, Map::new(), folder, &at),
            _ => Err(Failure::Usage(format!("{at}: must be an object"))),
        }
    };
    list.into_iter().map(one).collect()
}

fn read(name: String, mut given: Map<String, Value>, folder: &Path, at: &str) -> Result<Workspace> {
    let mut workspace = Workspace { name, ..Workspace::default() };
    for (key, _, default) in FIELDS {
        let text = given.remove(key).map(|value| text(&value, &format!("{at}.{key}"))).transpose()?;
        workspace.fields.insert(key, text.unwrap_or_else(|| default.to_owned()));
    }
    for (key, _) in REFERENCES {
        if let Some(name) = given.remove(key).map(|value| text(&value, &format!("{at}.{key}"))).transpose()? {
            workspace.references.insert(key, name);
        }
    }
    for list in List::ALL {
        let at = format!("{at}.{}", list.key());
        let all = match given.remove(list.key()) {
            None => continue,
            Some(Value::Object(all)) => all,
            Some(Value::Null) => Map::new(),
            Some(_) => return Err(Failure::Usage(format!("{at}: must be an object"))),
        };
        let one = |(key, given): (String, Value)| {
            let read = variable(given, list.is_secret(), folder, &format!("{at}.{key}"))?;
            Ok((key, read))
        };
        workspace.variables.insert(list, all.into_iter().map(one).collect::<Result<_>>()?);
    }
    workspace.tags = texts(given.remove("tags"), &format!("{at}.tags"))?;
    workspace.schedules = schedules(given.remove("schedules"), &format!("{at}.schedules"))?;
    if let Some(key) = given.keys().next() {
        let known = FIELDS.iter().map(|(key, ..)| *key).chain(REFERENCES.iter().map(|(key, _)| *key));
        let known = known.chain(List::ALL.map(List::key)).chain(["tags", "schedules"]);
        let known = known.collect::<Vec<_>>().join(", ");
        return Err(Failure::Usage(format!("{at}.{key}: is not a known key; there are: {known}")));
    }
    Ok(workspace)
}

fn text(given: &Value, at: &str) -> Result<String> {
    match given {
        Value::String(text) => Ok(text.clone()),
        Value::Bool(flag) => Ok(flag.to_string()),
        Value::Null => Ok(String::new()),
        Value::Number(_) => Err(Failure::Usage(format!("{at}: must be quoted, because YAML reads a number"))),
        _ => Err(Failure::Usage(format!("{at}: must be a text"))),
    }
}

fn texts(given: Option<Value>, at: &str) -> Result<Option<BTreeSet<String>>> {
    match given {
        None => Ok(None),
        Some(Value::Array(items)) => {
            items.iter().map(|item| text(item, at)).collect::<Result<BTreeSet<String>>>().map(Some)
        }
        Some(_) => Err(Failure::Usage(format!("{at}: must be a list"))),
    }
}

/// A variable has the short and the long form of other variables, and may be an expression.
fn variable(given: Value, is_secret: bool, folder: &Path, at: &str) -> Result<Variable> {
    let Value::Object(mut fields) = values::variable(given, is_secret, folder, at)? else {
        return Err(Failure::Usage(format!("{at}: must be a text")));
    };
    let hcl = match fields.remove("hcl") {
        None => false,
        Some(Value::Bool(flag)) => flag,
        Some(_) => return Err(Failure::Usage(format!("{at}.hcl: must be true or false"))),
    };
    let mut text = |key: &str| fields.remove(key).map(|value| text(&value, &format!("{at}.{key}"))).transpose();
    let (value, description) = (text("value")?, text("description")?.unwrap_or_default());
    if let Some(key) = fields.keys().next() {
        let known = "value, env, file, sops, key, hcl, description";
        return Err(Failure::Usage(format!("{at}.{key}: is not a known key; there are: {known}")));
    }
    if value.is_none() && !is_secret {
        return Err(Failure::Usage(format!("{at}: must have a value")));
    }
    Ok(Variable { value, hcl, description })
}

fn schedules(given: Option<Value>, at: &str) -> Result<Option<Vec<Schedule>>> {
    let items = match given {
        None => return Ok(None),
        Some(Value::Array(items)) => items,
        Some(_) => return Err(Failure::Usage(format!("{at}: must be a list"))),
    };
    let mut all = Vec::with_capacity(items.len());
    for (place, item) in items.into_iter().enumerate() {
        let at = format!("{at}[{place}]");
        let Value::Object(mut fields) = item else { return Err(Failure::Usage(format!("{at}: must be an object"))) };
        let enabled = match fields.remove("enabled") {
            None => true,
            Some(Value::Bool(flag)) => flag,
            Some(_) => return Err(Failure::Usage(format!("{at}.enabled: must be true or false"))),
        };
        let mut text = |key: &str| {
            let read = fields.remove(key).map(|value| text(&value, &format!("{at}.{key}"))).transpose()?;
            Ok(read.unwrap_or_default())
        };
        let [cron, template, tcl, description] = [text("cron")?, text("template")?, text("tcl")?, text("description")?];
        if cron.is_empty() {
            return Err(Failure::Usage(format!("{at}.cron: is required")));
        }
        if let Some(key) = fields.keys().next() {
            let known = "cron, template, tcl, description, enabled";
            return Err(Failure::Usage(format!("{at}.{key}: is not a known key; there are: {known}")));
        }
        all.push(Schedule { cron, template, tcl, description, is_enabled: enabled });
    }
    all.sort();
    Ok(Some(all))
}

impl Workspace {
    /// The workspace as a file declares it; what has its default is left out.
    pub(super) fn written(&self) -> Value {
        let mut all = Map::new();
        for (key, _, default) in FIELDS {
            let value = self.fields.get(key).filter(|value| *value != default);
            let value = value.map(|value| if default == "false" { json!(value == "true") } else { json!(value) });
            all.extend(value.map(|value| (key.to_owned(), value)));
        }
        all.extend(self.references.iter().map(|(key, name)| ((*key).to_owned(), json!(name))));
        for (list, variables) in self.variables.iter().filter(|(_, variables)| !variables.is_empty()) {
            let one = |(key, variable): (&String, &Variable)| (key.clone(), variable.written());
            all.insert(list.key().into(), variables.iter().map(one).collect::<Map<String, Value>>().into());
        }
        if let Some(tags) = self.tags.as_ref().filter(|tags| !tags.is_empty()) {
            all.insert("tags".into(), json!(tags));
        }
        if let Some(schedules) = self.schedules.as_ref().filter(|list| !list.is_empty()) {
            all.insert("schedules".into(), schedules.iter().map(Schedule::written).collect());
        }
        all.into()
    }
}

impl Variable {
    fn written(&self) -> Value {
        let mut all = Map::new();
        all.extend(self.value.as_ref().map(|value| ("value".to_owned(), json!(value))));
        if self.hcl {
            all.insert("hcl".into(), json!(true));
        }
        if !self.description.is_empty() {
            all.insert("description".into(), json!(self.description));
        }
        match &self.value {
            Some(value) if all.len() == 1 => json!(value),
            None if all.is_empty() => Value::Null,
            _ => all.into(),
        }
    }
}

impl Schedule {
    pub(super) fn written(&self) -> Value {
        let mut all = Map::from_iter([("cron".to_owned(), json!(self.cron))]);
        for (key, text) in [("template", &self.template), ("tcl", &self.tcl), ("description", &self.description)] {
            if !text.is_empty() {
                all.insert(key.into(), json!(text));
            }
        }
        if !self.is_enabled {
            all.insert("enabled".into(), json!(false));
        }
        all.into()
    }
}

#[cfg(test)]
#[path = "declared_workspace_tests.rs"]
mod tests;

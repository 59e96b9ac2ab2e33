//! The workspaces that the server has, with what belongs to them, by the names that files use.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::Deserialize;
use serde_json::Value;

use super::super::declared_workspace::{FIELDS, List, Schedule, Variable, Workspace};
use crate::api::shown;
use crate::failure::Result;
use crate::names::Place;

/// The most rows of one answer.
const PAGE: &str = "10000";

/// A resource of the API.
#[derive(Clone, Deserialize)]
pub(super) struct Row {
    pub(super) id: String,
    #[serde(rename = "type")]
    kind: String,
    attributes: Value,
    #[serde(default)]
    relationships: HashMap<String, Linkage>,
}

#[derive(Clone, Deserialize)]
struct Linkage {
    data: Value,
}

#[derive(Deserialize)]
struct Answer {
    data: Vec<Row>,
    #[serde(default)]
    included: Vec<Row>,
}

impl Row {
    fn text(&self, name: &str) -> String {
        match self.attributes.get(name) {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Bool(flag)) => flag.to_string(),
            _ => String::new(),
        }
    }

    fn flag(&self, name: &str) -> bool {
        self.attributes.get(name).and_then(Value::as_bool).unwrap_or(false)
    }

    /// The ids at the end of a relationship.
    fn linked(&self, relation: &str) -> Vec<String> {
        let id = |to: &Value| to.get("id").and_then(Value::as_str).map(str::to_owned);
        match self.relationships.get(relation).map(|linkage| &linkage.data) {
            Some(Value::Array(all)) => all.iter().filter_map(id).collect(),
            Some(one) => id(one).into_iter().collect(),
            None => Vec::new(),
        }
    }
}

/// A workspace with the ids of what belongs to it.
pub(super) struct Stored {
    pub(super) id: String,
    pub(super) workspace: Workspace,
    pub(super) variables: BTreeMap<(List, String), String>,
    /// By the names of tags.
    pub(super) tags: BTreeMap<String, String>,
    pub(super) schedules: Vec<(Schedule, String)>,
}

/// What the organization has.
pub(super) struct Known {
    pub(super) workspaces: Vec<Stored>,
    /// The ids of what is referred to, by type and name.
    pub(super) names: BTreeMap<&'static str, BTreeMap<String, String>>,
}

impl Known {
    /// Reads everything that files can name.
    pub(super) async fn load(place: &Place) -> Result<Self> {
        let mut names = BTreeMap::new();
        for kind in ["template", "vcs", "ssh", "project", "agent", "tag"] {
            let rows = rows(place, kind, vec![(format!("fields[{kind}]"), "name".into())]).await?.data;
            names.insert(kind, rows.into_iter().map(|row| (row.text("name"), row.id)).collect());
        }
        let attributes = FIELDS.map(|(_, attribute, _)| attribute).join(",");
        let relations = "project,vcs,ssh,agent,variable,schedule,workspaceTag";
        let query = vec![
            ("include".to_owned(), "variable,schedule,workspaceTag".to_owned()),
            ("fields[workspace]".to_owned(), format!("name,defaultTemplate,{attributes},{relations}")),
            ("sort".to_owned(), "name".to_owned()),
        ];
        let Answer { data, included } = rows(place, "workspace", query).await?;
        let parts: HashMap<(String, String), Row> =
            included.into_iter().map(|row| ((row.kind.clone(), row.id.clone()), row)).collect();
        let workspaces = data.iter().map(|row| stored(row, &parts, &names)).collect();
        Ok(Self { workspaces, names })
    }
}

async fn rows(place: &Place, kind: &str, query: Vec<(String, String)>) -> Result<Answer> {
    let path = format!("/api/v1/organization/{}/{kind}", place.organization);
    let mut query: Vec<(&str, String)> = query.iter().map(|(key, value)| (key.as_str(), value.clone())).collect();
    query.push(("page[size]", PAGE.to_owned()));
    shown(&place.api.get(&path, &query).await?)
}

type Names = BTreeMap<&'static str, BTreeMap<String, String>>;

fn stored(row: &Row, parts: &HashMap<(String, String), Row>, names: &Names) -> Stored {
    let name_of = |kind: &str, id: &str| {
        let found = names.get(kind)?.iter().find(|(_, known)| *known == id);
        found.map(|(name, _)| name.clone())
    };
    let below = |relation: &str, kind: &str| -> Vec<&Row> {
        row.linked(relation).into_iter().filter_map(|id| parts.get(&(kind.to_owned(), id))).collect()
    };
    let mut workspace = Workspace { name: row.text("name"), ..Workspace::default() };
    for (key, attribute, _) in FIELDS {
        workspace.fields.insert(key, row.text(attribute));
    }
    let template = Some(row.text("defaultTemplate")).filter(|id| !id.is_empty());
    let referred = [("template", "template", template)].into_iter().chain(
        [("vcs", "vcs"), ("ssh_key", "ssh"), ("project", "project"), ("cluster", "agent")]
            .map(|(key, kind)| (key, kind, row.linked(kind).into_iter().next())),
    );
    for (key, kind, id) in referred {
        workspace.references.extend(id.and_then(|id| name_of(kind, &id)).map(|name| (key, name)));
    }
    let mut variables = BTreeMap::new();
    for list in List::ALL {
        workspace.variables.insert(list, BTreeMap::new());
    }
    for row in below("variable", "variable") {
        let list = List::of(&row.text("category"), row.flag("sensitive"));
        let value = Some(row.text("value")).filter(|_| !list.is_secret());
        let variable = Variable { value, hcl: row.flag("hcl"), description: row.text("description") };
        workspace.variables.entry(list).or_default().insert(row.text("key"), variable);
        variables.insert((list, row.text("key")), row.id.clone());
    }
    let tags = below("workspaceTag", "workspacetag");
    let tags = tags.into_iter().filter_map(|row| Some((name_of("tag", &row.text("tagId"))?, row.id.clone())));
    let tags: BTreeMap<String, String> = tags.collect();
    workspace.tags = Some(tags.keys().cloned().collect::<BTreeSet<String>>());
    let schedule = |row: &&Row| Schedule {
        cron: row.text("cron"),
        template: name_of("template", &row.text("templateReference")).unwrap_or_default(),
        tcl: row.text("tcl"),
        description: row.text("description"),
        is_enabled: row.flag("enabled"),
    };
    let schedules = below("schedule", "schedule");
    let mut schedules: Vec<(Schedule, String)> = schedules.iter().map(|row| (schedule(row), row.id.clone())).collect();
    schedules.sort();
    workspace.schedules = Some(schedules.iter().map(|(schedule, _)| schedule.clone()).collect());
    Stored { id: row.id.clone(), workspace, variables, tags, schedules }
}

//! Turns what people write into what the server takes: commands as one text for a shell, variables as plain texts, and secrets that are
//! read from this machine.

use std::collections::HashMap;
use std::path::Path;

use serde_json::{Map, Value, json};

use super::declared_workspace::{self, Workspace};
use super::settings::{self, Setting};
use super::values;
use crate::failure::{Failure, Result};

/// What runs a command that is written as one text.
pub(super) const SHELL: &str = "/bin/sh";

/// What the keys of a project's variables and secrets begin with.
const PROJECT: &str = "project_";

/// The variables and secrets of a project.
pub(super) const PROJECT_LISTS: [&str; 2] = ["project_variables", "project_secrets"];

/// A declaration of one environment, of things of the organization, or of both.
pub(super) struct Document {
    /// Where it was read, for errors.
    pub(super) origin: String,
    /// The environment as the server takes it; empty if there is none.
    pub(super) body: Value,
    pub(super) settings: Vec<Setting>,
    pub(super) workspaces: Vec<Workspace>,
}

impl Document {
    /// `folder` is where the files are that it names.
    pub(super) fn new(origin: String, folder: &Path, value: Value) -> Result<Self> {
        let about = |failure: Failure| failure.about(&origin);
        let Value::Object(mut fields) = value else {
            return Err(about(Failure::Usage("must be an object with a project and an environment".into())));
        };
        let settings = settings::take(&mut fields, folder).map_err(about)?;
        let workspaces = declared_workspace::take(&mut fields, folder).map_err(about)?;
        variables(&mut fields, folder, "").map_err(about)?;
        variables(&mut fields, folder, PROJECT).map_err(about)?;
        if let Some(Value::Object(jobs)) = fields.get_mut("jobs") {
            for (name, job) in jobs {
                let at = format!("jobs.{name}.");
                let Value::Object(job) = job else {
                    return Err(about(Failure::Usage(format!("jobs.{name}: must be an object"))));
                };
                variables(job, folder, &at).map_err(about)?;
                commands(job, &at).map_err(about)?;
            }
        }
        Ok(Self { origin, body: Value::Object(fields), settings, workspaces })
    }

    /// Whether it declares this job, and nothing else.
    pub(super) fn is_only(&self, job: &str) -> bool {
        let jobs = self.body.get("jobs").and_then(Value::as_object);
        let fields = self.body.as_object().map_or(0, Map::len);
        fields == 3 && !self.has_more() && jobs.is_some_and(|jobs| jobs.len() == 1 && jobs.contains_key(job))
    }

    /// Whether it declares things of the organization.
    pub(super) fn has_more(&self) -> bool {
        !self.settings.is_empty() || !self.workspaces.is_empty()
    }

    /// Whether it declares an environment.
    pub(super) fn has_environment(&self) -> bool {
        !self.has_more() || self.body.as_object().is_some_and(|fields| !fields.is_empty())
    }

    /// The name of its project as it is compared.
    pub(super) fn project(&self) -> String {
        self.body.get("project").and_then(Value::as_str).unwrap_or_default().to_lowercase()
    }

    /// As people name it.
    pub(super) fn name(&self) -> String {
        let text = |key: &str| self.body.get(key).and_then(Value::as_str).unwrap_or_default();
        format!("{}/{}", text("project"), text("environment"))
    }
}

/// Variables and secrets, as the server takes them. `at` is where they are; those of a project are beside those of the environment.
fn variables(of: &mut Map<String, Value>, folder: &Path, at: &str) -> Result<()> {
    let prefix = if at == PROJECT { PROJECT } else { "" };
    for (section, is_secret) in [("variables", false), ("secrets", true)] {
        let key = format!("{prefix}{section}");
        let list = match of.get_mut(&key) {
            None => continue,
            Some(Value::Object(list)) => std::mem::take(list),
            Some(Value::Null) => Map::new(),
            Some(_) => return Err(Failure::Usage(format!("{at}{section}: must be an object"))),
        };
        let mut all = Map::new();
        for (name, given) in list {
            let variable = values::variable(given, is_secret, folder, &format!("{at}{section}.{name}"))?;
            all.insert(name, variable);
        }
        of.insert(key, all.into());
    }
    Ok(())
}

/// Gives the variables that one document declares of a project to all documents of that project: whichever comes first stores them, and
/// aliases of the others find them.
pub(super) fn share_projects(documents: &mut [Document]) -> Result<()> {
    for key in PROJECT_LISTS {
        let mut known: HashMap<String, (Value, String)> = HashMap::new();
        for document in documents.iter() {
            let Some(list) = document.body.get(key) else { continue };
            let text = "declares other variables of the project than";
            match known.get(&document.project()) {
                Some((other, origin)) if other != list => {
                    return Err(Failure::Usage(format!("{}: {key} {text} {origin}", document.origin)));
                }
                Some(_) => {}
                None => drop(known.insert(document.project(), (list.clone(), document.origin.clone()))),
            }
        }
        for document in documents.iter_mut().filter(|document| document.has_environment()) {
            let project = document.project();
            if let (Some((list, _)), Value::Object(fields)) = (known.get(&project), &mut document.body) {
                fields.insert(key.into(), list.clone());
            }
        }
    }
    Ok(())
}

/// A command that is one text is run by a shell.
fn commands(job: &mut Map<String, Value>, at: &str) -> Result<()> {
    if let Some(Value::String(text)) = job.get("command") {
        if job.contains_key("entrypoint") {
            let text = format!("{at}command: must be a list, because the job has an entrypoint");
            return Err(Failure::Usage(text));
        }
        let command = json!(["-c", text]);
        job.insert("command".into(), command);
        job.insert("entrypoint".into(), SHELL.into());
    }
    for event in ["on_start", "on_stop", "on_delete"] {
        let command = match job.get(event) {
            Some(Value::String(text)) => json!({"entrypoint": SHELL, "command": ["-c", text]}),
            Some(Value::Array(list)) => json!({ "command": list }),
            _ => continue,
        };
        job.insert(event.into(), command);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde_json::{Value, json};

    use super::{Document, share_projects};

    fn body(value: Value) -> Value {
        Document::new("file".into(), Path::new("."), value).unwrap().body
    }

    fn refused(value: Value) -> String {
        Document::new("file".into(), Path::new("."), value).map(drop).unwrap_err().to_string()
    }

    #[test]
    fn commands_are_texts_or_lists() {
        let jobs = |job: Value| json!({"project": "a", "environment": "b", "jobs": {"x": job}});
        let shell = json!({"entrypoint": "/bin/sh", "command": ["-c", "a | b"]});
        assert_eq!(body(jobs(json!({"command": "a | b"})))["jobs"]["x"], shell);
        assert_eq!(body(jobs(json!({"command": ["a"]})))["jobs"]["x"], json!({"command": ["a"]}));
        assert_eq!(body(jobs(json!({"on_start": "a | b"})))["jobs"]["x"], json!({"on_start": shell}));
        assert_eq!(body(jobs(json!({"on_stop": ["a"]})))["jobs"]["x"], json!({"on_stop": {"command": ["a"]}}));
        let both = refused(jobs(json!({"command": "a", "entrypoint": "b"})));
        assert_eq!(both, "file: jobs.x.command: must be a list, because the job has an entrypoint");
        assert_eq!(refused(jobs(json!("a"))), "file: jobs.x: must be an object");
    }

    #[test]
    fn variables_of_a_project_are_those_of_all_its_documents() {
        let document = |project: &str, variables: Value| {
            let mut all = json!({"project": project, "environment": "b"});
            all["project_variables"] = variables;
            Document::new(format!("{project}.yaml"), Path::new("."), all).unwrap()
        };
        let without = |project: &str| {
            let all = json!({"project": project, "environment": "c"});
            Document::new("c.yaml".into(), Path::new("."), all).unwrap()
        };
        let mut all = [document("Shop", json!({"A": 1})), without("shop"), without("other")];
        share_projects(&mut all).unwrap();
        assert_eq!(all[1].body["project_variables"], json!({"A": {"value": "1"}}));
        assert_eq!(all[2].body.get("project_variables"), None);
        let mut all = [document("a", json!({"A": 1})), document("A", json!({"A": 2}))];
        let refused = share_projects(&mut all).unwrap_err().to_string();
        assert_eq!(refused, "A.yaml: project_variables declares other variables of the project than a.yaml");
    }

    #[test]
    fn variables_and_secrets_have_short_forms() {
        let of = |fields: Value| {
            let mut all = json!({"project": "a", "environment": "b"});
            all.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
            all
        };
        let found = body(of(json!({"variables": {"A": "1", "B": {"alias": "A"}}, "secrets": {"C": null}})));
        assert_eq!(found["variables"], json!({"A": {"value": "1"}, "B": {"alias": "A"}}));
        assert_eq!(found["secrets"], json!({"C": {}}));
        // An empty list says that there are none; no list says nothing.
        let found = body(of(json!({"variables": null})));
        assert_eq!((&found["variables"], found.get("secrets")), (&json!({}), None));
        assert_eq!(refused(of(json!({"secrets": []}))), "file: secrets: must be an object");
    }
}

//! A variable as it is shown: without the value of a secret, and with the variable that it overrides or is an alias of.

use chrono::{DateTime, SecondsFormat, Utc};
use entity::id::JobId;
use entity::variable::{Model, VariableKind};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::parent::Parent;
use crate::engine::variables::VariableScope;

/// The scope of a variable.
#[must_use]
pub fn scope_of(row: &Model) -> VariableScope {
    match (row.kind, row.job_id, row.environment_id) {
        (VariableKind::BuiltIn, _, _) => VariableScope::BuiltIn,
        (_, Some(_), _) => VariableScope::Job,
        (_, None, Some(_)) => VariableScope::Environment,
        (_, None, None) if row.project_id.is_some() => VariableScope::Project,
        (_, None, None) => VariableScope::BuiltIn,
    }
}

/// The target of an alias or an override.
#[derive(Clone, Debug)]
pub struct ShownTarget {
    pub id: Uuid,
    pub key: String,
    /// None for a secret.
    pub value: Option<String>,
    pub mount_path: String,
    pub scope: VariableScope,
    pub kind: VariableKind,
}

impl From<&Model> for ShownTarget {
    fn from(row: &Model) -> Self {
        Self {
            id: row.id.0,
            key: row.key.clone(),
            value: row.value.clone().or_else(|| row.target_key.clone()),
            mount_path: row.mount_path.clone().unwrap_or_default(),
            scope: scope_of(row),
            kind: row.kind,
        }
    }
}

/// A variable or a secret.
#[derive(Clone, Debug)]
pub struct ShownVariable {
    pub id: Uuid,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub key: String,
    /// None for a secret. An alias shows the key of its target, as in the official API.
    pub value: Option<String>,
    pub mount_path: Option<String>,
    pub overridden: Option<ShownTarget>,
    pub aliased: Option<ShownTarget>,
    pub scope: VariableScope,
    pub kind: VariableKind,
    /// The job that it belongs to, or whose output it is.
    pub job: Option<(JobId, String)>,
    pub is_secret: bool,
    pub description: Option<String>,
    pub interpolated: Option<bool>,
}

impl ShownVariable {
    /// `all` has all rows visible to its parent.
    #[must_use]
    pub fn new(row: &Model, all: &[Model], parent: &Parent) -> Self {
        let target = all.iter().find(|other| match row.target_id {
            Some(id) => other.id == id,
            None => {
                other.kind == VariableKind::BuiltIn && Some(&other.key) == row.target_key.as_ref().or(Some(&row.key))
            }
        });
        let target = |kind: VariableKind| target.filter(|_| row.kind == kind).map(ShownTarget::from);
        let own = parent.job.as_ref().filter(|job| row.job_id == Some(job.id)).map(|job| (job.id, job.name.clone()));
        // The output of a job names the job; an alias of the output does not.
        let output_of = row.output_of.filter(|_| row.kind == VariableKind::BuiltIn);
        Self {
            id: row.id.0,
            created_at: row.created_at,
            updated_at: row.updated_at,
            key: row.key.clone(),
            value: row.target_key.clone().filter(|_| !row.is_secret).or_else(|| row.value.clone()),
            mount_path: row.mount_path.clone(),
            overridden: target(VariableKind::Override),
            aliased: target(VariableKind::Alias),
            scope: scope_of(row),
            kind: row.kind,
            job: own.or_else(|| output_of.and_then(|id| Some((id, parent.output_jobs.get(&id)?.clone())))),
            is_secret: row.is_secret,
            description: row.description.clone(),
            interpolated: row.interpolated,
        }
    }

    /// As events record it: under the names of the official API.
    pub(in crate::engine) fn recorded(&self) -> Value {
        let at = |time: DateTime<Utc>| time.to_rfc3339_opts(SecondsFormat::Micros, true);
        let mut all = Map::new();
        let mut set = |name: &str, value: Value| drop(all.insert(name.to_owned(), value));
        set("id", json!(self.id));
        set("created_at", json!(at(self.created_at)));
        set("updated_at", json!(at(self.updated_at)));
        set("key", json!(self.key));
        set("value", json!(self.value));
        set("mount_path", json!(self.mount_path));
        set("scope", json!(scope_name(self.scope)));
        set("variable_type", json!(self.kind));
        set("is_secret", json!(self.is_secret));
        set("secret_manager_access_id", Value::Null);
        if let Some((id, name)) = &self.job {
            set("service_id", json!(id));
            set("service_name", json!(name));
            set("service_type", json!("JOB"));
        }
        if self.kind == VariableKind::BuiltIn {
            set("owned_by", json!("QOVERY"));
        }
        let optional = [
            ("overridden_variable", self.overridden.as_ref().map(recorded_target)),
            ("aliased_variable", self.aliased.as_ref().map(recorded_target)),
            ("description", self.description.as_ref().map(|text| json!(text))),
            ("enable_interpolation_in_file", self.interpolated.map(|flag| json!(flag))),
        ];
        for (name, value) in optional {
            if let Some(value) = value {
                set(name, value);
            }
        }
        Value::Object(all)
    }
}

fn recorded_target(target: &ShownTarget) -> Value {
    let ShownTarget { id, key, value, mount_path, scope, kind } = target;
    json!({
        "id": id, "key": key, "value": value, "mount_path": mount_path, "scope": scope_name(*scope), "variable_type": kind,
    })
}

/// The name of a scope in the official API.
pub(super) fn scope_name(scope: VariableScope) -> &'static str {
    match scope {
        VariableScope::BuiltIn => "BUILT_IN",
        VariableScope::Project => "PROJECT",
        VariableScope::Environment => "ENVIRONMENT",
        VariableScope::Job | VariableScope::Run => "JOB",
    }
}

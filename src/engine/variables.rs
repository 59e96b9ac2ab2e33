//! Pure: what variables mean for a run: which one wins, aliases, overrides, files, names in values; and the ones that
//! nobody has to set.
//!
//! The narrowest scope wins: built in < project < environment < job. `{{NAME}}` in a value is replaced by the value of
//! that name as it was written, one level deep; an unknown name becomes nothing.

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat, Utc};
use entity::environment::Mode;
use entity::id::{DeploymentId, EnvironmentId, JobId, ProjectId, RunId};
use entity::run::Event;
use entity::variable::VariableKind;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Where a variable is set; a greater scope is a narrower one, and wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Scope {
    BuiltIn,
    Project,
    Environment,
    Job,
    /// Given to one run by its caller.
    Run,
}

/// A variable with its value in the clear. Without Debug, because it may be a secret.
#[derive(Clone, Serialize, Deserialize)]
pub struct Variable {
    pub id: Uuid,
    pub scope: Scope,
    pub key: String,
    pub kind: VariableKind,
    pub is_secret: bool,
    /// Empty for an alias.
    pub value: String,
    pub mount_path: Option<String>,
    /// Whether names in a file are replaced.
    pub interpolated: bool,
    /// What an alias or an override is of; none where that has no row.
    pub target_id: Option<Uuid>,
    pub target_key: Option<String>,
}

/// What a container gets. Without Debug, because it may be a secret.
pub struct Resolved {
    pub key: String,
    /// Of a file: the path.
    pub value: String,
    /// Whether the value, or a value in it, is a secret.
    pub is_secret: bool,
    /// What is to be found at the path.
    pub content: Option<String>,
}

/// How many aliases of aliases are followed.
const DEPTH: usize = 32;

/// The variables of a run, sorted by key: of each key the one of the narrowest scope.
#[must_use]
pub fn resolve(variables: &[Variable]) -> Vec<Resolved> {
    let mut winners: BTreeMap<&str, &Variable> = BTreeMap::new();
    for variable in variables {
        let winner = winners.entry(&variable.key).or_insert(variable);
        if winner.scope < variable.scope {
            *winner = variable;
        }
    }
    let all = All { variables, winners };
    all.winners.values().map(|variable| all.resolved(variable)).collect()
}

struct All<'a> {
    variables: &'a [Variable],
    winners: BTreeMap<&'a str, &'a Variable>,
}

impl<'a> All<'a> {
    fn resolved(&self, variable: &'a Variable) -> Resolved {
        let meant = self.meant(variable);
        let key = variable.key.clone();
        match &meant.mount_path {
            Some(path) => {
                let (content, secret) =
                    if meant.interpolated { self.interpolate(&meant.value) } else { (meant.value.clone(), false) };
                let is_secret = secret || meant.is_secret;
                Resolved { key, value: path.clone(), is_secret, content: Some(content) }
            }
            None => {
                let (value, secret) = self.interpolate(&meant.value);
                Resolved { key, value, is_secret: secret || meant.is_secret, content: None }
            }
        }
    }

    /// What an alias stands for, with the narrowest override of that; anything else stands for itself.
    fn meant(&self, variable: &'a Variable) -> &'a Variable {
        let mut meant = variable;
        for _ in 0..DEPTH {
            if meant.kind != VariableKind::Alias {
                break;
            }
            let target = self.variables.iter().find(|other| match meant.target_id {
                Some(id) => other.id == id,
                None => other.scope == Scope::BuiltIn && Some(&other.key) == meant.target_key.as_ref(),
            });
            match target {
                Some(target) => meant = self.overridden(target),
                None => break,
            }
        }
        meant
    }

    fn overridden(&self, target: &'a Variable) -> &'a Variable {
        let of_target = |other: &&Variable| {
            let by_id = other.target_id == Some(target.id);
            let by_key = other.target_id.is_none() && target.scope == Scope::BuiltIn && other.key == target.key;
            other.kind == VariableKind::Override && (by_id || by_key)
        };
        let narrowest = self.variables.iter().filter(of_target).max_by_key(|other| other.scope);
        match narrowest {
            Some(other) if other.scope > target.scope => self.overridden(other),
            _ => target,
        }
    }

    /// The text with names replaced, and whether one of them is a secret.
    fn interpolate(&self, text: &str) -> (String, bool) {
        let (mut out, mut secret, mut rest) = (String::with_capacity(text.len()), false, text);
        while let Some((before, behind)) = rest.split_once("{{") {
            out.push_str(before);
            let Some((name, after)) = behind.split_once("}}") else {
                out.push_str("{{");
                rest = behind;
                continue;
            };
            if let Some(variable) = self.winners.get(name.trim()) {
                let meant = self.meant(variable);
                out.push_str(meant.mount_path.as_ref().unwrap_or(&meant.value));
                secret |= meant.is_secret;
            }
            rest = after;
        }
        out.push_str(rest);
        (out, secret)
    }
}

/// A built-in variable as lists show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuiltIn {
    pub id: Uuid,
    pub key: String,
    pub value: String,
    pub description: &'static str,
}

/// What the built-in variables of a list are made from; without an environment it is the list of a project.
#[derive(Clone, Debug)]
pub struct Listed<'a> {
    pub project_id: ProjectId,
    pub environment: Option<ListedEnvironment<'a>>,
    pub job: Option<ListedJob<'a>>,
}

/// The environment of a list.
#[derive(Clone, Debug)]
pub struct ListedEnvironment<'a> {
    pub id: EnvironmentId,
    pub name: &'a str,
    pub mode: Mode,
    pub cluster_name: &'a str,
    pub region: &'a str,
}

/// The job of a list.
#[derive(Clone, Debug)]
pub struct ListedJob<'a> {
    pub id: JobId,
    /// The events that it has commands for.
    pub events: &'a [Event],
    pub image_tag: Option<&'a str>,
}

/// The built-in variables that a list shows. They are the same as long as what they are made from is.
#[must_use]
pub fn listed(of: &Listed<'_>) -> Vec<BuiltIn> {
    let mut found = Vec::new();
    let mut add = |owner: Uuid, key: String, value: String, description: &'static str| {
        found.push(BuiltIn { id: derived_id(owner, &key), key, value, description });
    };
    let Some(environment) = &of.environment else {
        // The official API answers this placeholder in the list of a project.
        add(of.project_id.0, "QOVERY_PROJECT_ID".into(), "||Q_PRJ_ID||".into(), "ID of the project");
        return found;
    };
    let id = environment.id.0;
    add(id, "QOVERY_PROJECT_ID".into(), of.project_id.to_string(), "ID of the project");
    for (key, value, description) in environment_pairs(environment) {
        add(id, key.into(), value, description);
    }
    if let Some(job) = &of.job {
        let events: Vec<_> = job.events.iter().map(|event| event.name()).collect();
        add(job.id.0, "QOVERY_JOB_ID".into(), job.id.to_string(), "ID of the job");
        add(job.id.0, "QOVERY_JOB_ACTION".into(), events.join(","), "The event whose command runs");
        if let Some(tag) = job.image_tag {
            add(job.id.0, tag_key(job.id), tag.to_owned(), "Currently deployed image tag");
        }
    }
    found
}

fn environment_pairs(of: &ListedEnvironment<'_>) -> [(&'static str, String, &'static str); 7] {
    [
        ("QOVERY_CLOUD_PROVIDER", "ON_PREMISE".into(), "Kind of the cluster's provider"),
        ("QOVERY_CLOUD_PROVIDER_REGION", of.region.into(), "Region of the cluster"),
        ("QOVERY_ENVIRONMENT_ID", of.id.to_string(), "ID of the environment"),
        ("QOVERY_ENVIRONMENT_NAME", of.name.into(), "Name of the environment"),
        ("QOVERY_ENVIRONMENT_TYPE", mode_name(of.mode).into(), "Mode of the environment"),
        ("QOVERY_KUBERNETES_CLUSTER_NAME", of.cluster_name.into(), "Name of the cluster"),
        ("QOVERY_KUBERNETES_NAMESPACE_NAME", namespace(of.id, of.name), "Namespace of the environment"),
    ]
}

fn mode_name(mode: Mode) -> &'static str {
    match mode {
        Mode::Development => "DEVELOPMENT",
        Mode::Preview => "PREVIEW",
        Mode::Production => "PRODUCTION",
        Mode::Staging => "STAGING",
    }
}

fn tag_key(job: JobId) -> String {
    format!("QOVERY_JOB_Z{}_TAG", short_id(job.0).to_uppercase())
}

/// An id for what has no row: always the same for the same owner and key (FNV-1a over the key, UUID version 8).
fn derived_id(owner: Uuid, key: &str) -> Uuid {
    let seed = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d_u128 ^ owner.as_u128();
    let mix = |hash: u128, byte: u8| (hash ^ u128::from(byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b);
    uuid::Builder::from_custom_bytes(key.bytes().fold(seed, mix).to_be_bytes()).into_uuid()
}

/// What the built-in variables are made from.
#[derive(Clone, Debug)]
pub struct Surroundings<'a> {
    pub project_id: ProjectId,
    pub environment_id: EnvironmentId,
    pub environment_name: &'a str,
    pub mode: Mode,
    pub cluster_name: &'a str,
    pub region: &'a str,
    pub job_id: JobId,
    pub run_id: RunId,
    pub attempt: i32,
    pub deployment_id: Option<DeploymentId>,
    pub event: Event,
    pub image_tag: Option<&'a str>,
    pub scheduled_for: Option<DateTime<Utc>>,
}

/// The first eight digits of an id, which is how names refer to it.
#[must_use]
pub fn short_id(id: Uuid) -> String {
    id.simple().to_string().chars().take(8).collect()
}

/// The built-in variables of a run, sorted by name.
#[must_use]
pub fn built_in(of: &Surroundings<'_>) -> Vec<(String, String)> {
    let environment = ListedEnvironment {
        id: of.environment_id,
        name: of.environment_name,
        mode: of.mode,
        cluster_name: of.cluster_name,
        region: of.region,
    };
    let mut variables: Vec<(String, String)> =
        environment_pairs(&environment).into_iter().map(|(key, value, _)| (key.to_owned(), value)).collect();
    variables.extend([
        ("QOVERY_JOB_ACTION".to_owned(), of.event.name().to_owned()),
        ("QOVERY_JOB_ID".into(), of.job_id.to_string()),
        ("QOVERY_PROJECT_ID".into(), of.project_id.to_string()),
        ("WINDLASS_ATTEMPT".into(), of.attempt.to_string()),
        ("WINDLASS_RUN_ID".into(), of.run_id.to_string()),
    ]);
    if let Some(tag) = of.image_tag {
        variables.push((tag_key(of.job_id), tag.to_owned()));
    }
    if let Some(deployment) = of.deployment_id {
        variables.push(("QOVERY_DEPLOYMENT_ID".into(), deployment.to_string()));
    }
    if let Some(time) = of.scheduled_for {
        variables.push(("WINDLASS_SCHEDULED_FOR".into(), time.to_rfc3339_opts(SecondsFormat::Secs, true)));
    }
    variables.sort_unstable();
    variables
}

/// A name of letters, digits and hyphens, as a Kubernetes namespace has to be.
fn namespace(id: EnvironmentId, name: &str) -> String {
    let plain: String = name.to_lowercase().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let long = format!("z{}-{}", short_id(id.0), plain.trim_matches('-'));
    long.chars().take(63).collect::<String>().trim_end_matches('-').to_owned()
}

#[cfg(test)]
#[path = "variables_tests.rs"]
mod tests;

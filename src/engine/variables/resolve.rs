//! Pure: what variables mean for a run: which one wins, aliases, overrides, files, names in values; and the ones that
//! nobody has to set.
//!
//! The narrowest scope wins: built in < project < environment < job. `{{NAME}}` in a value is replaced by the value of
//! that name as it was written, one level deep; an unknown name becomes nothing.

use std::collections::BTreeMap;

use entity::variable::VariableKind;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Where a variable is set; a greater scope is a narrower one, and wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum VariableScope {
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
    pub scope: VariableScope,
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
pub struct ResolvedVariable {
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
pub fn resolve(variables: &[Variable]) -> Vec<ResolvedVariable> {
    let mut winners: BTreeMap<&str, &Variable> = BTreeMap::new();
    for variable in variables {
        let winner = winners.entry(&variable.key).or_insert(variable);
        if winner.scope < variable.scope {
            *winner = variable;
        }
    }
    let all = VariableSet { variables, winners };
    all.winners.values().map(|variable| all.resolved(variable)).collect()
}

struct VariableSet<'a> {
    variables: &'a [Variable],
    winners: BTreeMap<&'a str, &'a Variable>,
}

impl<'a> VariableSet<'a> {
    fn resolved(&self, variable: &'a Variable) -> ResolvedVariable {
        let meant = self.meant(variable);
        let key = variable.key.clone();
        match &meant.mount_path {
            Some(path) => {
                let (content, secret) =
                    if meant.interpolated { self.interpolate(&meant.value) } else { (meant.value.clone(), false) };
                let is_secret = secret || meant.is_secret;
                ResolvedVariable { key, value: path.clone(), is_secret, content: Some(content) }
            }
            None => {
                let (value, secret) = self.interpolate(&meant.value);
                ResolvedVariable { key, value, is_secret: secret || meant.is_secret, content: None }
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
                None => other.scope == VariableScope::BuiltIn && Some(&other.key) == meant.target_key.as_ref(),
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
            let by_key = other.target_id.is_none() && target.scope == VariableScope::BuiltIn && other.key == target.key;
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

#[cfg(test)]
#[path = "resolve_tests.rs"]
mod tests;

//! Pure: resolves the variables of a run: precedence, aliases, overrides, files and interpolation.
//!
//! The narrowest scope wins: built-in < project < environment < job < run. `{{NAME}}` in a value is replaced by the
//! uninterpolated value of that variable; an unknown name stays as it was written.

use std::collections::BTreeMap;

use entity::variable::VariableKind;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Where a variable is set, from the widest scope to the narrowest, which wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum VariableScope {
    BuiltIn,
    Project,
    Environment,
    Job,
    /// Set for one run by its requester.
    Run,
}

/// A variable with its decrypted value. No `Debug`, because it may be a secret.
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
    /// Whether `{{NAME}}` is replaced in a file.
    pub interpolated: bool,
    /// The target of an alias or an override; `None` if the target has no row.
    pub target_id: Option<Uuid>,
    pub target_key: Option<String>,
}

/// A variable as a container gets it. No `Debug`, because it may be a secret.
pub struct ResolvedVariable {
    pub key: String,
    /// For a file, its path.
    pub value: String,
    /// Whether the value, or a value interpolated into it, is a secret.
    pub is_secret: bool,
    /// The content of a file.
    pub content: Option<String>,
}

/// How many aliases of aliases are followed.
const MAX_ALIAS_DEPTH: usize = 32;

/// Resolves the variables of a run, sorted by key; for each key the narrowest scope wins.
#[must_use]
pub fn resolve(variables: &[Variable]) -> Vec<ResolvedVariable> {
    let mut winners: BTreeMap<&str, &Variable> = BTreeMap::new();
    for variable in variables {
        let winner = winners.entry(&variable.key).or_insert(variable);
        if winner.scope < variable.scope {
            *winner = variable;
        }
    }
    let set = VariableSet { variables, winners };
    set.winners.values().map(|variable| set.resolved(variable)).collect()
}

struct VariableSet<'a> {
    variables: &'a [Variable],
    winners: BTreeMap<&'a str, &'a Variable>,
}

impl<'a> VariableSet<'a> {
    fn resolved(&self, variable: &'a Variable) -> ResolvedVariable {
        let target = self.follow(variable);
        let key = variable.key.clone();
        match &target.mount_path {
            Some(path) => {
                let (content, secret) =
                    if target.interpolated { self.interpolate(&target.value) } else { (target.value.clone(), false) };
                let is_secret = secret || target.is_secret;
                ResolvedVariable { key, value: path.clone(), is_secret, content: Some(content) }
            }
            None => {
                let (value, secret) = self.interpolate(&target.value);
                ResolvedVariable { key, value, is_secret: secret || target.is_secret, content: None }
            }
        }
    }

    /// Follows an alias to its target, with the narrowest override of the target; other variables resolve to themselves.
    fn follow(&self, variable: &'a Variable) -> &'a Variable {
        let mut current = variable;
        for _ in 0..MAX_ALIAS_DEPTH {
            if current.kind != VariableKind::Alias {
                break;
            }
            let target = self.variables.iter().find(|other| match current.target_id {
                Some(id) => other.id == id,
                None => other.scope == VariableScope::BuiltIn && Some(&other.key) == current.target_key.as_ref(),
            });
            match target {
                Some(target) => current = self.overridden(target),
                None => break,
            }
        }
        current
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

    /// The text with `{{NAME}}` replaced, and whether any replacement is a secret. Unknown names stay as they were written; so does a
    /// known one after a backslash, which is removed.
    fn interpolate(&self, text: &str) -> (String, bool) {
        let (mut out, mut secret, mut rest) = (String::with_capacity(text.len()), false, text);
        while let Some((before, behind)) = rest.split_once("{{") {
            let reference =
                behind.split_once("}}").and_then(|(name, after)| Some((self.winners.get(name.trim())?, after)));
            rest = match (reference, before.strip_suffix('\\')) {
                (None, _) => {
                    out.push_str(before);
                    out.push_str("{{");
                    behind
                }
                (Some((_, after)), Some(before)) => {
                    out.push_str(before);
                    out.push_str("{{");
                    out.push_str(behind.get(..behind.len() - after.len()).unwrap_or_default());
                    after
                }
                (Some((variable, after)), None) => {
                    let target = self.follow(variable);
                    out.push_str(before);
                    out.push_str(target.mount_path.as_ref().unwrap_or(&target.value));
                    secret |= target.is_secret;
                    after
                }
            };
        }
        out.push_str(rest);
        (out, secret)
    }
}

#[cfg(test)]
#[path = "resolve_tests.rs"]
mod tests;

//! Stored variables as they are declared.

use std::collections::BTreeMap;

use entity::variable::{Model, VariableKind};

use super::declared::DeclaredVariable;

/// Variables by their names; None if there are none.
pub(super) type Declared = Option<BTreeMap<String, DeclaredVariable>>;

/// The variables and the secrets of a scope. Values of secrets never leave the server: whoever applies them again keeps what is stored.
pub(super) fn declared<'a>(rows: impl Iterator<Item = &'a Model>) -> (Declared, Declared) {
    // What jobs have put out is not declared.
    let own = rows.filter(|row| row.kind != VariableKind::BuiltIn && row.output_of.is_none());
    let (secrets, variables): (Vec<&Model>, Vec<&Model>) =
        own.partition(|row| row.is_secret && row.kind != VariableKind::Alias);
    let all = |rows: Vec<&Model>| {
        let all: BTreeMap<String, DeclaredVariable> =
            rows.into_iter().map(|row| (row.key.clone(), variable(row))).collect();
        Some(all).filter(|all| !all.is_empty())
    };
    (all(variables), all(secrets))
}

/// One variable.
pub(super) fn variable(row: &Model) -> DeclaredVariable {
    let is_alias = row.kind == VariableKind::Alias;
    DeclaredVariable {
        value: row.value.clone().filter(|_| !row.is_secret),
        path: row.mount_path.clone().filter(|_| !is_alias),
        alias: row.target_key.clone().filter(|_| is_alias),
        description: row.description.clone().filter(|text| !text.is_empty()),
        interpolated: row.interpolated,
    }
}

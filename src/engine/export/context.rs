//! Pure: notes, variables and commands, which all blocks of an export add to.

use std::collections::HashMap;

use entity::id::{GitTokenId, GroupId, RegistryId};
use uuid::Uuid;

use super::exported::Exported;
use super::hcl::{Expression, argument, block};
use super::label::Labels;
use crate::engine::variables::built_in::short_id;

/// What the blocks have in common: notes, variables, and commands that import.
pub(super) struct Context<'a> {
    pub(super) exported: &'a Exported,
    /// What the configuration does not contain.
    pub(super) notes: Vec<String>,
    /// The blocks of its variables.
    pub(super) variables: Vec<String>,
    /// Commands that import its resources.
    pub(super) imports: Vec<String>,
    names: Labels,
    /// The variables with IDs of the organization's resources, by ID.
    ids: HashMap<Uuid, String>,
}

impl<'a> Context<'a> {
    pub(super) fn new(exported: &'a Exported) -> Self {
        Self {
            exported,
            notes: Vec::new(),
            variables: Vec::new(),
            imports: Vec::new(),
            names: Labels::default(),
            ids: HashMap::new(),
        }
    }

    /// Notes something that the configuration does not contain.
    pub(super) fn note(&mut self, text: String) {
        self.notes.push(text.replace(char::is_control, " "));
    }

    pub(super) fn import(&mut self, resource: String, id: String) {
        self.imports.push(format!("terraform import '{resource}' '{}'\n", id.replace('\'', "'\\''")));
    }

    /// A reference to a new variable for a secret.
    pub(super) fn secret(&mut self, name: &str, what: &str) -> Expression {
        let name = self.names.give(name);
        let arguments = [
            argument("description", format!("The value of the secret {what}.").as_str()),
            argument("type", Expression::Plain("string".into())),
            argument("sensitive", true),
        ];
        self.variables.push(block("variable", &[&name], &arguments));
        Expression::Plain(format!("var.{name}"))
    }

    /// A reference to the variable with an ID that another server has to replace.
    pub(super) fn id(&mut self, id: Uuid, name: &str, what: &str) -> Expression {
        if let Some(name) = self.ids.get(&id) {
            return Expression::Plain(format!("var.{name}"));
        }
        let name = self.names.give(name);
        let arguments = [
            argument("description", format!("The ID of {what}.").as_str()),
            argument("type", Expression::Plain("string".into())),
            argument("default", id.to_string().as_str()),
        ];
        self.variables.push(block("variable", &[&name], &arguments));
        self.ids.insert(id, name.clone());
        Expression::Plain(format!("var.{name}"))
    }

    pub(super) fn registry(&mut self, id: RegistryId) -> Expression {
        match self.exported.registries.iter().find(|row| row.id == id) {
            Some(row) => {
                let what = format!("the container registry {} ({})", row.name, row.url);
                self.id(id.0, &format!("container_registry_{}_id", row.name), &what)
            }
            None => self.id(id.0, &format!("container_registry_{}_id", short_id(id.0)), "a container registry"),
        }
    }

    pub(super) fn git_token(&mut self, id: GitTokenId) -> Expression {
        self.id(id.0, &format!("git_token_{}_id", short_id(id.0)), "a git token")
    }

    pub(super) fn group(&mut self, id: GroupId) -> Expression {
        match self.exported.groups.iter().find(|row| row.id == id) {
            Some(row) => self.id(id.0, &format!("group_{}_id", row.name), &format!("the group {}", row.name)),
            None => self.id(id.0, &format!("group_{}_id", short_id(id.0)), "a group"),
        }
    }
}

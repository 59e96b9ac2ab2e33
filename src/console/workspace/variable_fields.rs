//! The fields of a variable of a workspace, or of all of them.

use entity::terraform_variable;
use maud::{Markup, html};

use crate::console::form::Form;
use crate::console::problems::Problems;
use crate::console::widgets::{Field, check, choice};
use crate::engine::workspace_setting::WorkspaceVariable;

/// The names of the fields with a value.
pub(in crate::console) const FIELDS: &[&str] = &["key", "value", "description", "category"];

/// The kinds of variables.
const CATEGORIES: [(&str, &str); 2] = [("TERRAFORM", "Terraform variable"), ("ENV", "Environment variable")];

/// What is typed into the form. No `Debug`: the value may be sensitive.
pub(in crate::console) struct Typed {
    key: String,
    value: String,
    description: String,
    category: String,
    sensitive: bool,
    hcl: bool,
    replace: bool,
}

impl Typed {
    pub(in crate::console) fn of_form(form: &Form) -> Self {
        let text = |name: &str| form.text(name).to_owned();
        Self {
            key: form.text("key").trim().to_owned(),
            value: text("value"),
            description: text("description"),
            category: text("category"),
            sensitive: form.has("sensitive"),
            hcl: form.has("hcl"),
            replace: form.has("replace"),
        }
    }

    pub(in crate::console) fn of_row(row: Option<&terraform_variable::Model>) -> Self {
        let text =
            |of: fn(&terraform_variable::Model) -> Option<&String>| row.and_then(of).cloned().unwrap_or_default();
        Self {
            key: text(|row| Some(&row.key)),
            value: text(|row| row.value.as_ref()),
            description: text(|row| row.description.as_ref()),
            category: row.map_or_else(|| "TERRAFORM".to_owned(), |row| row.category.clone()),
            sensitive: row.is_some_and(|row| row.sensitive),
            hcl: row.is_some_and(|row| row.hcl),
            replace: false,
        }
    }

    /// The variable that is wanted in place of `row`.
    pub(in crate::console) fn wanted(&self, row: Option<&terraform_variable::Model>) -> WorkspaceVariable {
        let keeps = row.is_some_and(|row| row.sensitive) && !self.replace;
        WorkspaceVariable {
            key: self.key.clone(),
            value: (!keeps).then(|| self.value.clone()),
            description: Some(self.description.trim().to_owned()).filter(|text| !text.is_empty()),
            category: self.category.clone(),
            sensitive: self.sensitive,
            hcl: self.hcl,
        }
    }

    /// The fields. A sensitive value is not among them.
    pub(in crate::console) fn show(&self, row: Option<&terraform_variable::Model>, problems: &Problems) -> Markup {
        let categories = CATEGORIES.into_iter().map(|(value, words)| (value.to_owned(), words));
        let value = if self.sensitive { "" } else { &self.value };
        html! {
            (Field::text("key", "Name", &self.key).required().show(problems))
            @if row.is_some_and(|row| row.sensitive) { p { (check("replace", "Replace the value", self.replace)) } }
            (Field::text("value", "Value", value).secret().area(problems))
            (choice("category", "Kind", categories, &self.category, problems))
            p { (check("sensitive", "Sensitive: sealed, masked in logs, and never shown again", self.sensitive)) }
            p { (check("hcl", "The value is an HCL expression", self.hcl)) }
            (Field::text("description", "Description", &self.description).show(problems))
        }
    }
}

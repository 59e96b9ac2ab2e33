//! What is wrong with the fields of a form.

use maud::{Markup, html};

use crate::error::{Error, Result};
use crate::input::Refusal;

/// The problems of a form that was sent.
#[derive(Default)]
pub(super) struct Problems(Vec<Refusal>);

impl Problems {
    /// Those of an error. An error that no change of a field mends is passed on.
    ///
    /// # Errors
    /// The error, if it is no problem of the form.
    pub(super) fn of(error: Error) -> Result<Self> {
        match error {
            Error::Invalid { field, message } => Ok(Self(vec![Refusal { field, message }])),
            Error::Faults(faults) => Ok(Self(faults)),
            Error::Conflict(message) => Ok(Self(vec![Refusal { field: String::new(), message }])),
            other => Err(other),
        }
    }

    /// The problem of a field.
    pub(super) fn at(&self, field: &str) -> Option<String> {
        self.0.iter().find(|problem| problem.field == field).map(|problem| problem.message.clone())
    }

    /// The problems that belong to none of these fields, for the head of the form.
    pub(super) fn others(&self, fields: &[&str]) -> Markup {
        html! {
            @for problem in self.0.iter().filter(|problem| !fields.contains(&problem.field.as_str())) {
                p.problem role="alert" {
                    @if !problem.field.is_empty() { (problem.field) " " }
                    (problem.message)
                }
            }
        }
    }
}

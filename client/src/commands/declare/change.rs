//! A change that a declaration makes.

use serde::Deserialize;
use uuid::Uuid;

/// Something that is created, changed or deleted.
#[derive(Deserialize)]
pub(super) struct Change {
    pub(super) kind: String,
    pub(super) action: String,
    pub(super) name: String,
    pub(super) job: Option<String>,
    pub(super) job_id: Option<Uuid>,
    pub(super) fields: Vec<Field>,
}

impl Change {
    /// Whether it takes effect when something is deployed.
    pub(super) fn waits_for_deployment(&self) -> bool {
        self.action != "DELETE" && (self.kind == "JOB" || self.is_variable())
    }

    /// Whether it is one of a variable or a secret.
    pub(super) fn is_variable(&self) -> bool {
        self.kind.ends_with("VARIABLE") || self.kind.ends_with("SECRET")
    }

    /// Whether it changes the project of the environment.
    pub(super) fn is_of_project(&self) -> bool {
        self.kind.starts_with("PROJECT")
    }
}

/// A field that differs; what is absent has its default.
#[derive(Debug, Deserialize)]
pub(super) struct Field {
    pub(super) field: String,
    pub(super) before: Option<String>,
    pub(super) after: Option<String>,
}

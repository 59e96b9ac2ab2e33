//! What an examination finds.

use serde::Serialize;

/// How it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    Ok,
    /// The server works, perhaps not as intended.
    Warning,
    /// The server does not start, or a part of it does not work.
    Wrong,
    /// It does not apply, or cannot be known now.
    Skipped,
}

/// What was found about one subject.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    pub subject: &'static str,
    pub outcome: Outcome,
    pub detail: String,
    /// What to do.
    pub remedy: Option<String>,
}

impl Finding {
    pub(super) fn ok(subject: &'static str, detail: impl Into<String>) -> Self {
        Self { subject, outcome: Outcome::Ok, detail: detail.into(), remedy: None }
    }

    pub(super) fn skipped(subject: &'static str, detail: impl Into<String>) -> Self {
        Self { subject, outcome: Outcome::Skipped, detail: detail.into(), remedy: None }
    }

    pub(super) fn warning(subject: &'static str, detail: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { subject, outcome: Outcome::Warning, detail: detail.into(), remedy: Some(remedy.into()) }
    }

    pub(super) fn wrong(subject: &'static str, detail: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { subject, outcome: Outcome::Wrong, detail: detail.into(), remedy: Some(remedy.into()) }
    }
}

//! The fields of answers that are shown to people.

use chrono::{DateTime, Utc};
use serde::Deserialize;
use uuid::Uuid;

use crate::screen::{Cell, Screen, Tone};
use crate::times;

#[derive(Debug, Deserialize)]
pub(crate) struct List<T> {
    pub(crate) results: Vec<T>,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Named {
    pub(crate) id: Uuid,
    pub(crate) name: String,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Reference {
    pub(crate) id: Uuid,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Environment {
    pub(crate) id: Uuid,
    pub(crate) name: String,
    pub(crate) mode: String,
    pub(crate) project: Reference,
}

/// A job with where it is, when it runs, and its last run.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Job {
    pub(crate) id: Uuid,
    pub(crate) name: String,
    pub(crate) job_type: String,
    pub(crate) environment_name: String,
    pub(crate) project_name: String,
    pub(crate) deployed: bool,
    pub(crate) schedule: String,
    pub(crate) next_run_at: Option<DateTime<Utc>>,
    pub(crate) last_run: Option<LastRun>,
}

impl Job {
    /// Where the job is.
    pub(crate) fn place(&self) -> String {
        format!("{}/{}", self.project_name, self.environment_name)
    }

    /// The name that no other job of its organization has.
    pub(crate) fn full_name(&self) -> String {
        format!("{}/{}", self.place(), self.name)
    }
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct LastRun {
    pub(crate) number: i64,
    pub(crate) state: String,
    pub(crate) started_at: Option<DateTime<Utc>>,
    pub(crate) finished_at: Option<DateTime<Utc>>,
    pub(crate) reason: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Run {
    pub(crate) id: Uuid,
    pub(crate) number: i64,
    pub(crate) state: String,
    pub(crate) trigger: String,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) scheduled_for: Option<DateTime<Utc>>,
    pub(crate) started_at: Option<DateTime<Utc>>,
    pub(crate) finished_at: Option<DateTime<Utc>>,
    pub(crate) exit_code: Option<i32>,
    pub(crate) reason: Option<String>,
    #[serde(default)]
    pub(crate) job_name: Option<String>,
    #[serde(default)]
    pub(crate) environment_name: Option<String>,
}

impl Run {
    pub(crate) fn is_over(&self) -> bool {
        matches!(self.state.as_str(), "SUCCEEDED" | "FAILED" | "CANCELLED")
    }

    /// How long it took.
    pub(crate) fn length(&self) -> String {
        self.started_at.zip(self.finished_at).map(|(from, to)| times::length(to - from)).unwrap_or_default()
    }

    /// The cells of a list of runs.
    pub(crate) fn cells(&self, screen: &Screen) -> Vec<Cell> {
        let name = match (&self.environment_name, &self.job_name) {
            (Some(environment), Some(job)) => format!("{environment}/{job}"),
            _ => String::new(),
        };
        vec![
            self.number.to_string().into(),
            name.into(),
            state(&self.state),
            self.trigger.to_lowercase().into(),
            screen.time(Some(self.started_at.unwrap_or(self.created_at))).into(),
            self.length().into(),
            self.exit_code.map(|code| code.to_string()).unwrap_or_default().into(),
            self.reason.clone().unwrap_or_default().into(),
        ]
    }
}

/// The header of `Run::cells`.
pub(crate) const RUN_HEADER: [&str; 8] = ["run", "job", "state", "trigger", "when", "took", "exit", "reason"];

/// A state, as the API writes it, in lower case and with its colour.
pub(crate) fn state(state: &str) -> Cell {
    let tone = match state {
        "SUCCEEDED" | "DEPLOYED" => Tone::Good,
        "FAILED" => Tone::Bad,
        _ if state.ends_with("_ERROR") => Tone::Bad,
        "RUNNING" | "QUEUED" => Tone::Busy,
        _ => Tone::Plain,
    };
    Cell::new(state.to_lowercase(), tone)
}

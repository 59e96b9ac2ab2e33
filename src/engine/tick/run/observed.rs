//! The observation of a run in one tick.

use entity::run;

use crate::engine::tick::prepared::step_name;
use crate::runner::{Lines, Runner, Target};
use crate::store::job::RunSubject;

/// A run, the runner that has it, and what the runner reported.
pub(super) struct Observation<'a> {
    pub(super) runner: &'a dyn Runner,
    pub(super) kind: Target,
    /// What the run is started from, if it was read.
    pub(super) subject: Option<Box<RunSubject>>,
    /// The name of the step.
    pub(super) name: String,
    pub(super) unstored: Unstored,
    /// Why the log is incomplete.
    pub(super) log_problem: Option<&'static str>,
    pub(super) brings: &'a Brings,
}

/// What an observation stores besides the state of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Brings {
    /// The new lines of its log, and the results of its step.
    All,
    /// Nothing, because that cannot be stored, with the reason.
    Nothing(String),
}

/// A run with changes that have not been stored yet.
pub(super) struct Unstored {
    pub(super) run: run::Model,
    pub(super) lines: Lines,
    /// Whether to store the row even if there are no new lines.
    pub(super) touched: bool,
}

/// The name of a run's step on its runner.
pub(super) fn name_of(run: &run::Model) -> String {
    run.step.clone().unwrap_or_else(|| step_name(run.id, run.attempt))
}

//! What was seen of a run in this tick.

use entity::run;

use crate::engine::tick::prepared::step_name;
use crate::runner::{Lines, Runner, Target};

/// What was seen of a run.
pub(super) struct Seen<'a> {
    pub(super) runner: &'a dyn Runner,
    pub(super) kind: Target,
    pub(super) name: String,
    pub(super) kept: Unstored,
    /// Why the log is not whole.
    pub(super) lost: Option<&'static str>,
}

/// A run with what it wrote.
pub(super) struct Unstored {
    pub(super) run: run::Model,
    pub(super) lines: Lines,
    /// Whether it is to be stored although it wrote nothing.
    pub(super) news: bool,
}

/// The name of a run on its runner.
pub(super) fn name_of(run: &run::Model) -> String {
    run.step.clone().unwrap_or_else(|| step_name(run.id, run.attempt))
}

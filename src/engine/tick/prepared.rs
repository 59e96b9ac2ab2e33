//! The name of a step, and a step that is ready to be started.

use entity::id::RunId;

use crate::runner::StepSpec;

const PREFIX: &str = "windlass-";

/// The name of a run's attempt on a runner: the same whenever the same attempt is meant.
#[must_use]
pub fn step_name(id: RunId, attempt: i32) -> String {
    format!("{PREFIX}{id}-{attempt}")
}

/// The run that a step belongs to; in a cluster its name has a namespace before it.
pub(super) fn run_of(step: &str) -> Option<RunId> {
    let name = step.rsplit_once('/').map_or(step, |(_, name)| name);
    let rest = name.strip_prefix(PREFIX)?;
    let id = rest.get(..36)?;
    id.parse().ok().map(RunId)
}

/// Why a run can never be started; the text is for its reader.
pub(in crate::engine) struct Impossible(pub(in crate::engine) String);

/// A step, and what is to be masked in its log.
pub(in crate::engine) struct Prepared {
    pub(in crate::engine) step: StepSpec,
    pub(in crate::engine) masks: Vec<String>,
}

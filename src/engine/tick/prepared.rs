//! The name of a step, and a step that is ready to be started.

use entity::id::RunId;
use zeroize::Zeroizing;

use crate::runner::StepSpec;

const PREFIX: &str = "windlass-";

/// The name of the step of an attempt; it depends only on the run and the attempt.
#[must_use]
pub fn step_name(id: RunId, attempt: i32) -> String {
    format!("{PREFIX}{id}-{attempt}")
}

/// The run that a step belongs to; in a cluster, the name of the step has its namespace as a prefix.
pub(super) fn run_of(step: &str) -> Option<RunId> {
    let name = step.rsplit_once('/').map_or(step, |(_, name)| name);
    let rest = name.strip_prefix(PREFIX)?;
    let id = rest.get(..36)?;
    id.parse().ok().map(RunId)
}

/// Why a run can never be started; the text is shown as the reason of the run.
pub(in crate::engine) struct Impossible(pub(in crate::engine) String);

/// A step, and the texts to mask in its log.
pub(in crate::engine) struct Prepared {
    pub(in crate::engine) step: StepSpec,
    pub(in crate::engine) masks: Zeroizing<Vec<String>>,
}

//! Processes left behind by a killed server, or by a killed supervisor.

use std::path::Path;

use super::control_group::ControlGroup;
use super::descendants::kill_marked;

/// The variable that marks every process, so that orphans are recognized.
pub(super) const MARK: &str = "WINDLASS_STEP";

/// The file in the scratch folder of a step that was started.
const STARTED_FILE: &str = ".started";

/// Records that a step is about to be started.
pub(super) fn note_started(scratch: &Path) {
    // Only needed to find orphans; the step runs without it too.
    let _kept = std::fs::write(scratch.join(STARTED_FILE), "");
}

/// Kills what is left of a step that a killed server has started.
pub(super) fn end_left_behind(scratch: &Path, name: &str) {
    if scratch.join(STARTED_FILE).exists() {
        kill_left(name);
    }
}

/// Kills what is left of a step whose supervisor is gone.
pub(super) fn kill_left(name: &str) {
    let group = ControlGroup::find(name);
    group.iter().for_each(ControlGroup::kill);
    kill_marked(&format!("{MARK}={name}"));
    group.iter().for_each(ControlGroup::remove);
}

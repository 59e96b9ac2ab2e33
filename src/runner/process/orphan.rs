//! Processes left behind by a killed server, or by a killed supervisor.

use std::path::Path;

use super::control_group::ControlGroup;
use super::descendants::kill_marked;

/// The variable that marks every process, so that orphans are recognized.
pub(super) const MARK: &str = "WINDLASS_STEP";

/// Kills what is left of a step that a killed server has started. Its scratch folder is created right before it is started.
pub(super) fn end_left_behind(scratch: &Path, name: &str) {
    if scratch.exists() {
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

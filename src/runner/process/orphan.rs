//! Processes left behind by a killed server.

use std::path::Path;

use rustix::process::{Pid, Signal, kill_process_group};

/// The variable that marks every process, so that orphans are recognized.
pub(super) const MARK: &str = "WINDLASS_STEP";

pub(super) fn pid(id: u32) -> Option<Pid> {
    i32::try_from(id).ok().and_then(Pid::from_raw)
}

/// Kills the process group of a step that a killed server left behind, unless the process id was reused.
pub(super) fn end_left_behind(scratch: &Path, name: &str) {
    let Ok(text) = std::fs::read_to_string(scratch.join(".pid")) else { return };
    let Ok(id) = text.trim().parse::<u32>() else { return };
    let environment = std::fs::read(format!("/proc/{id}/environ")).unwrap_or_default();
    let mark = format!("{MARK}={name}");
    let ours = environment.split(|byte| *byte == 0).any(|entry| entry == mark.as_bytes());
    if let Some(group) = pid(id).filter(|_| ours) {
        let _gone = kill_process_group(group, Signal::KILL);
    }
}

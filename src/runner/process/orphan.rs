//! Processes that a killed server left behind.

use std::path::Path;

use rustix::process::{Pid, Signal, kill_process_group};

/// Marks the environment of every process, so that one that was left behind is recognised.
pub(super) const MARK: &str = "WINDLASS_STEP";

pub(super) fn pid(id: u32) -> Option<Pid> {
    i32::try_from(id).ok().and_then(Pid::from_raw)
}

/// Ends the process group that a killed server left behind, if the process still is the one of this step.
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

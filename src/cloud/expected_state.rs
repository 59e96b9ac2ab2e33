//! What the address of an upload says about the state that is to come.

use entity::id::{WorkspaceId, WorkspaceStepId};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::error::Problem;

/// The kinds of addresses.
pub(super) const STATE: &str = "state";
pub(super) const JSON_STATE: &str = "json-state";

/// A state that is to come.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Expected {
    pub(super) upload: Uuid,
    pub(super) workspace: WorkspaceId,
    /// With whose rights it is stored; empty if that is a step.
    pub(super) principal: String,
    /// The step that stores it.
    #[serde(default)]
    pub(super) step: Option<WorkspaceStepId>,
    /// Who may hold the lock.
    pub(super) holder: String,
    /// The name of whoever stores it.
    pub(super) by: String,
    /// The program that they use.
    #[serde(default)]
    pub(super) user_agent: Option<String>,
    pub(super) serial: i64,
    pub(super) md5: String,
    pub(super) is_forced: bool,
    pub(super) job: Option<i32>,
}

pub(super) fn locked() -> Problem {
    Problem::conflict("the state is locked", "another client holds the lock of the state; lock the workspace first")
}

/// Programs do not say whether a state is forced, so that `-force` is no way out.
pub(super) fn out_of_order(stale: &str) -> Problem {
    Problem::conflict(
        "the state does not follow the newest one",
        format!(
            "{stale}; to replace it all the same, import this one in the console or by `windlass workspace state import --force`: \
             `state push -force` has no effect here"
        ),
    )
}

//! The last run of a job in its status.

use poem_openapi::Object;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::api::job::{RunEventEnum, RunStateEnum, RunTriggerEnum};
use crate::api::wire::Timestamp;
use crate::store;

/// The newest run of a job, and what became of it.
#[derive(Debug, Serialize, Deserialize, Object)]
pub(super) struct LastRun {
    id: Uuid,
    number: i64,
    state: RunStateEnum,
    trigger: RunTriggerEnum,
    event: RunEventEnum,
    scheduled_for: Option<Timestamp>,
    started_at: Option<Timestamp>,
    finished_at: Option<Timestamp>,
    exit_code: Option<i32>,
    reason: Option<String>,
}

impl From<store::run::LastRun> for LastRun {
    fn from(row: store::run::LastRun) -> Self {
        let store::run::LastRun {
            id,
            number,
            state,
            trigger,
            event,
            scheduled_for,
            started_at,
            finished_at,
            exit_code,
            reason,
        } = row;
        Self {
            id: id.0,
            number,
            state: state.into(),
            trigger: trigger.into(),
            event: event.into(),
            scheduled_for: scheduled_for.map(Timestamp),
            started_at: started_at.map(Timestamp),
            finished_at: finished_at.map(Timestamp),
            exit_code,
            reason,
        }
    }
}

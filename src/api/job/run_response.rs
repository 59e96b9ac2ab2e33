//! A run in responses.

use entity::run;
use entity::run_spec::image_reference;
use poem_openapi::Object;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::api::wire::{self, ReferenceObject, Timestamp};

wire::mirrored!(RunStateEnum of run::RunState { Queued, Running, Succeeded, Failed, Cancelled });

wire::mirrored!(RunTriggerEnum of run::Trigger { Schedule, Deployment, Force, Manual });

wire::mirrored!(RunEventEnum of run::Event { Cron, Start, Stop, Delete, Build, Workspace, Apply });

wire::mirrored!(RunnerEnum of run::RunnerKind { Docker, Process, Kubernetes, Agent });

#[derive(Debug, Serialize, Deserialize, Object)]
pub(super) struct Run {
    id: Uuid,
    created_at: Timestamp,
    updated_at: Timestamp,
    number: i64,
    job: ReferenceObject,
    deployment_id: Option<Uuid>,
    state: RunStateEnum,
    trigger: RunTriggerEnum,
    event: RunEventEnum,
    scheduled_for: Option<Timestamp>,
    backfill_id: Option<Uuid>,
    attempt: i32,
    started_at: Option<Timestamp>,
    finished_at: Option<Timestamp>,
    exit_code: Option<i32>,
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[oai(skip_serializing_if_is_none)]
    runner: Option<RunnerEnum>,
    image: Option<String>,
    cancel_requested_at: Option<Timestamp>,
    log_lines: i64,
    log_truncated: bool,
    entrypoint: Option<String>,
    arguments: Vec<String>,
}

impl From<run::Model> for Run {
    fn from(row: run::Model) -> Self {
        let run::Model {
            id,
            number,
            job_id,
            deployment_id,
            created_at,
            updated_at,
            trigger,
            event,
            scheduled_for,
            state,
            attempt,
            spec,
            runner,
            started_at,
            finished_at,
            cancel_requested_at,
            exit_code,
            reason,
            total_lines,
            log_cut,
            built,
            backfill_id,
            // The rest is the engine's own.
            ..
        } = row;
        Self {
            id: id.0,
            created_at: Timestamp(created_at),
            updated_at: Timestamp(updated_at),
            number,
            job: ReferenceObject { id: job_id.map_or(Uuid::nil(), |id| id.0) },
            deployment_id: deployment_id.map(|id| id.0),
            state: state.into(),
            trigger: trigger.into(),
            event: event.into(),
            scheduled_for: scheduled_for.map(Timestamp),
            backfill_id,
            attempt,
            started_at: started_at.map(Timestamp),
            finished_at: finished_at.map(Timestamp),
            exit_code,
            reason,
            runner: runner.map(RunnerEnum::from),
            image: (spec.image_name.zip(spec.image_tag).map(|(name, tag)| image_reference(&name, &tag)))
                .or(spec.built_image)
                .or(built.map(|built| built.image)),
            cancel_requested_at: cancel_requested_at.map(Timestamp),
            log_lines: total_lines,
            log_truncated: log_cut,
            entrypoint: spec.entrypoint,
            arguments: spec.arguments,
        }
    }
}
